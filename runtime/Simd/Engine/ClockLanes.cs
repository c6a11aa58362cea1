using System.Numerics;
using System.Runtime.CompilerServices;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// What a clock knows of as many lanes as a <c>Vector&lt;double&gt;</c> has, beside the time and step that others read: changes in place,
/// by the <see cref="StepRules"/>. Without branches but for what is rare: lanes differ in what becomes of them, so that the processor would
/// guess wrong.
/// </summary>
internal struct ClockLanes
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>Where the attempt ends.</summary>
    public Vector<double> Target;

    /// <summary>The next saved time.</summary>
    public Vector<double> NextSave;

    /// <summary>The size of the next step.</summary>
    public Vector<double> Size;

    /// <summary>log₂ of the errors of the last accepted steps, as <see cref="StepRules.Remembered"/>.</summary>
    public Vector<double> Previous, BeforePrevious;

    /// <summary>The size of the last accepted step; 0 where there is none.</summary>
    public Vector<double> PreviousStep;

    /// <summary>How many steps of a fixed size lie behind: those that end on their grid.</summary>
    public Vector<double> Grid;

    /// <summary>The place in the last attempt's step at which an event has cut it; infinite where none has.</summary>
    public Vector<double> Cut;

    /// <summary>How many steps were accepted, how many were not, and how many of the last had no finite error.</summary>
    public Vector<double> Accepted, Rejected, NonFinite;

    /// <summary>Which lanes take steps.</summary>
    public Vector<long> IsLive;

    /// <summary>Of which the last attempt was rejected.</summary>
    public Vector<long> WasRejected;

    /// <summary>Of which the last attempt's implicit stages were not found.</summary>
    public Vector<long> Diverged;

    /// <summary>Which have come to their next saved time by the last attempt.</summary>
    public Vector<long> Crosses;

    /// <summary>0 where a lane has not ended; else its <see cref="SolveStatus"/> plus one.</summary>
    public Vector<long> Ended;

    /// <summary>Lanes that take steps end.</summary>
    [MethodImpl(Inline)]
    public void End(Vector<long> lanes, SolveStatus status)
    {
        Ended |= lanes & IsLive & new Vector<long>((long)status + 1);
        IsLive = Vector.AndNot(IsLive, lanes);
    }

    /// <summary>Takes the error of an attempt into account: the size of the next step, and what it will remember.</summary>
    /// <param name="rules">How.</param>
    /// <param name="step">The steps attempted.</param>
    /// <param name="squared">Their squared errors in units of the tolerance.</param>
    /// <param name="moves">Which lanes they move.</param>
    [MethodImpl(Inline)]
    public void Adapt(StepRules rules, Vector<double> step, Vector<double> squared, Vector<long> moves)
    {
        var log = RoughLogarithm.Log2(squared) * 0.5;
        var size = Vector.Abs(step);
        Size = size * rules.Factor(moves, WasRejected, log, Previous, BeforePrevious, size, PreviousStep);
        PreviousStep = Vector.ConditionalSelect(moves, size, PreviousStep);
        BeforePrevious = Vector.ConditionalSelect(moves, Previous, BeforePrevious);
        Previous = Vector.ConditionalSelect(moves, StepRules.Remembered(log), Previous);
        WasRejected = Vector.AndNot(IsLive, moves);
        Rejected += Vector.AsVectorDouble(WasRejected & Vector.AsVectorInt64(Vector<double>.One));
        var isNonFinite = Vector.AndNot(WasRejected, Vector.LessThan(squared, new Vector<double>(double.PositiveInfinity)));
        NonFinite = Vector.AsVectorDouble(Vector.AsVectorInt64(NonFinite + Vector<double>.One) & isNonFinite);
        if (isNonFinite != Vector<long>.Zero)
            EndNonFinite(Vector.Equals(NonFinite, new Vector<double>(StepRules.MostNonFinite)));
    }

    /// <summary>After a step that was shortened, to the end or to a given time, the next one is not smaller than it would have been.</summary>
    /// <param name="planned">The sizes that they would have had.</param>
    /// <param name="step">The steps taken.</param>
    /// <param name="isShortened">Which may have been shortened, of those that moved.</param>
    [MethodImpl(Inline)]
    public void Restore(Vector<double> planned, Vector<double> step, Vector<long> isShortened)
    {
        var wasSmaller = isShortened & Vector.LessThan(Vector.Abs(step), planned);
        Size = Vector.ConditionalSelect(wasSmaller, Vector.Max(Size, planned), Size);
    }

    /// <summary>Ends lanes whose last attempt had no finite error: since its stages were not found, or were not finite.</summary>
    [MethodImpl(Inline)]
    public void EndNonFinite(Vector<long> lanes)
    {
        End(lanes & Diverged, SolveStatus.NewtonDiverged);
        End(lanes, SolveStatus.NonFinite);
    }

    /// <summary>Ends lanes that may not take their next step: why depends on the lane.</summary>
    /// <param name="lanes">Those that are to end.</param>
    /// <param name="hasUsedUp">Which have taken all steps that they may.</param>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public void Stop(Vector<long> lanes, Vector<long> hasUsedUp)
    {
        End(lanes & hasUsedUp, SolveStatus.MaxSteps);
        EndNonFinite(lanes & Vector.GreaterThan(NonFinite, Vector<double>.Zero));
        End(lanes, SolveStatus.StepTooSmall);
    }
}
