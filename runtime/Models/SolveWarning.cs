using System.Collections.Concurrent;

namespace DiffEqLang.Runtime;

/// <summary>What makes a result doubtful that was found all the same; see <see cref="SolveOptions.Warned"/>.</summary>
public abstract record SolveWarning
{
    private static readonly ConcurrentDictionary<Type, bool> Written = [];

    private protected SolveWarning() { }

    /// <summary>What was found, and what may help.</summary>
    public abstract string Message { get; }

    /// <summary>Writes the message, unless one of the same kind was written before: a training loop repeats itself.</summary>
    internal void WriteOnce(TextWriter writer)
    {
        if (Written.TryAdd(GetType(), true)) writer.WriteLine($"warning: {Message}");
    }
}

/// <summary>
/// The state that <see cref="GradientMode.Backsolve"/> solves backwards arrived far from the state of the forward solve, so that the
/// adjoint was solved along a wrong path: the gradient may be wrong by as much. It happens where the forward equations contract
/// strongly, since errors that shrink forwards grow backwards.
/// </summary>
/// <param name="Time">The saved time, or the start, with the largest deviation.</param>
/// <param name="Deviation">That deviation in units of the tolerances, atol + rtol |x|, of the sample where it is largest.</param>
public sealed record UnstableBacksolve(double Time, double Deviation) : SolveWarning
{
    /// <inheritdoc/>
    public override string Message =>
        FormattableString.Invariant($"Solved backwards, the state arrived at t = {Time:g6} off by {Deviation:g2} times its tolerance, so that the gradient may be wrong: take gradient = discrete, or save more times, from each of which the state starts anew.");
}

/// <summary>
/// Newton's method found no values of the algebraic unknowns that fulfil the constraints, so that a sample's solve ended with
/// <see cref="SolveStatus.ConstraintsUnsolved"/>.
/// </summary>
/// <param name="Time">When.</param>
/// <param name="Residual">The largest of the constraints' residuals at the values last tried, of the sample where it is largest.</param>
public sealed record UnsolvedConstraints(double Time, double Residual) : SolveWarning
{
    /// <inheritdoc/>
    public override string Message => double.IsFinite(Residual)
        ? FormattableString.Invariant($"No values of the algebraic unknowns fulfil the constraints at t = {Time:g6}: the nearest found leave a residual of {Residual:g3}. Give another guess (`init`), or look for unknowns on which no constraint depends there (a singular mass matrix).")
        : FormattableString.Invariant($"The constraints at t = {Time:g6} are not finite for the guessed values of the algebraic unknowns: give another guess (`init`).");
}
