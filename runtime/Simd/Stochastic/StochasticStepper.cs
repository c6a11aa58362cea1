using System.Numerics;
using DiffEqLang.Runtime.Solvers.Stochastic;

namespace DiffEqLang.Runtime.Simd;

/// <summary>One step of all lanes.</summary>
/// <param name="Start">Its time.</param>
/// <param name="End">The time after it.</param>
/// <param name="Length">h, above 0.</param>
internal readonly record struct LaneStep<TLanes>(TLanes Start, TLanes End, TLanes Length);

/// <summary>
/// The steps of any <see cref="StochasticMethod"/> and their vector-Jacobian products over the registers of a kernel: the table that
/// <see cref="StochasticMethod.Advance"/> reads for tensors. Keeps scratch memory: one for each thread.
/// </summary>
internal sealed class StochasticStepper<TRegister, TLanes, T> : KernelCaller<TRegister, TLanes>
    where TRegister : struct
    where TLanes : struct, ILanes<TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly StochasticKernel<TRegister> _kernel;
    private readonly TLanes[] _weights;
    private readonly bool _isCorrected, _hasDoubleIntegrals;
    private readonly TLanes _corrections;
    private readonly RegisterBuffer<TLanes> _term, _scaled, _ofNoise;
    private readonly RegisterBuffer<TLanes>[] _noiseStates;    // x + Nᵢ₋₁, of the noises after the first

    /// <param name="kernel">The equations.</param>
    /// <param name="problem">What is solved.</param>
    public StochasticStepper(StochasticKernel<TRegister> kernel, StochasticProblem problem)
    {
        (_kernel, _weights) = (kernel, [.. problem.Method.NoiseWeights.Select(TLanes.Of)]);
        var corrections = problem.CorrectionsTo(problem.Method.Calculus);
        (_isCorrected, _corrections) = (corrections != 0, TLanes.Of(corrections));
        _hasDoubleIntegrals = problem.Method.HasDoubleIntegrals && !problem.IsAdditive;
        (_term, _scaled, _ofNoise) = (new(Size), new(Size), new(Size));
        _noiseStates = [.. _weights.Skip(1).Select(_ => new RegisterBuffer<TLanes>(Size))];
        Sums = new LaneSums<TLanes, T>(kernel.GradientSize, kernel.SummedOverLanes);
    }

    /// <summary>N, the numbers of a state.</summary>
    public int Size => _kernel.StateSize;

    /// <summary>How many registers a step leaves for its vector-Jacobian product.</summary>
    public int TermSize => _kernel.TermSize;

    /// <summary>The parameters' gradients so far.</summary>
    public LaneSums<TLanes, T> Sums { get; }

    /// <summary>x' of a step.</summary>
    /// <param name="step">The step.</param>
    /// <param name="state">x, length N.</param>
    /// <param name="parameters">Those of the kernel.</param>
    /// <param name="increments">dW, length M.</param>
    /// <param name="after">Receives x', length N.</param>
    /// <param name="terms">Receives what the drift leaves for its product, length <see cref="TermSize"/>.</param>
    public void Advance(
        in LaneStep<TLanes> step, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> parameters, ReadOnlySpan<TLanes> increments,
        Span<TLanes> after, Span<TLanes> terms)
    {
        var term = _term.Span;
        _kernel.Drift(Bare(step.Start), Bare(state), Bare(parameters), Bare(term), Bare(terms));
        AddScaled(step.Length, term, state, after);
        if (_isCorrected)
        {
            _kernel.ItoCorrection(Bare(step.Start), Bare(state), Bare(parameters), Bare(term));
            AddScaled(step.Length * _corrections, term, after, after);
        }

        for (var i = 0; i < _weights.Length; i++)
        {
            var at = i == 0 ? state : _noiseStates[i - 1].Span;
            _kernel.Diffusion(TimeOf(step, i), Bare(at), Bare(parameters), Bare(increments), Bare(term));
            AddScaled(_weights[i], term, after, after);
            if (i + 1 < _weights.Length) Add(term, state, _noiseStates[i].Span);
        }

        if (!_hasDoubleIntegrals) return;
        _kernel.Milstein(Bare(step.Start), Bare(state), Bare(parameters), Bare(increments), Bare(term));
        Add(term, after, after);
    }

    /// <summary>Takes the adjoint over a step and adds the parameters' part to <see cref="Sums"/>.</summary>
    /// <param name="step">The step.</param>
    /// <param name="state">x, length N.</param>
    /// <param name="parameters">Those of the kernel.</param>
    /// <param name="increments">dW, length M.</param>
    /// <param name="terms">As <see cref="Advance"/> left them at the same place.</param>
    /// <param name="w">The adjoint after the step, length N.</param>
    /// <param name="before">Receives wᵀ ∂x'/∂x, length N.</param>
    public void AdvanceVjp(
        in LaneStep<TLanes> step, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> parameters, ReadOnlySpan<TLanes> increments,
        ReadOnlySpan<TLanes> terms, ReadOnlySpan<TLanes> w, Span<TLanes> before)
    {
        PrepareNoiseStates(step, state, parameters, increments);
        w.CopyTo(before);
        var start = Bare(step.Start);
        var gradient = Bare(_term.Span);
        Scale(step.Length, w, _scaled.Span);
        _kernel.DriftVjp(start, Bare(state), Bare(parameters), Bare(terms), Bare(_scaled.Span), gradient, Bare(Sums.Lanes));
        Count(before);
        if (_isCorrected)
        {
            Scale(step.Length * _corrections, w, _scaled.Span);
            _kernel.ItoCorrectionVjp(start, Bare(state), Bare(parameters), Bare(_scaled.Span), gradient, Bare(Sums.Lanes));
            Count(before);
        }

        NoiseVjp(step, state, parameters, increments, w, before);
        if (!_hasDoubleIntegrals) return;
        _kernel.MilsteinVjp(start, Bare(state), Bare(parameters), Bare(increments), Bare(w), gradient, Bare(Sums.Lanes));
        Count(before);
    }

    private void PrepareNoiseStates(
        in LaneStep<TLanes> step, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> parameters, ReadOnlySpan<TLanes> increments)
    {
        for (var i = 0; i < _noiseStates.Length; i++)
        {
            var at = i == 0 ? state : _noiseStates[i - 1].Span;
            _kernel.Diffusion(TimeOf(step, i), Bare(at), Bare(parameters), Bare(increments), Bare(_term.Span));
            Add(_term.Span, state, _noiseStates[i].Span);
        }
    }

    /// <summary>The noises' part, the last first: each is also the way to the state of the one after it.</summary>
    private void NoiseVjp(
        in LaneStep<TLanes> step, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> parameters, ReadOnlySpan<TLanes> increments,
        ReadOnlySpan<TLanes> w, Span<TLanes> before)
    {
        var ofNoise = _ofNoise.Span;
        Scale(_weights[^1], w, ofNoise);
        for (var i = _weights.Length - 1; i >= 0; i--)
        {
            var at = i == 0 ? state : _noiseStates[i - 1].Span;
            _kernel.DiffusionVjp(
                TimeOf(step, i), Bare(at), Bare(parameters), Bare(increments), Bare(ofNoise), Bare(_term.Span), Bare(Sums.Lanes));
            Count(before);
            if (i > 0) AddScaled(_weights[i - 1], w, _term.Span, ofNoise);
        }
    }

    /// <summary>Adds the gradient that a product has set.</summary>
    private void Count(Span<TLanes> before)
    {
        Add(_term.Span, before, before);
        Sums.Count();
    }

    private static TRegister TimeOf(in LaneStep<TLanes> step, int noise) => Bare(noise == 0 ? step.Start : step.End);

    private static void Scale(TLanes factor, ReadOnlySpan<TLanes> vector, Span<TLanes> result)
    {
        for (var c = 0; c < result.Length; c++) result[c] = factor * vector[c];
    }

    private static void Add(ReadOnlySpan<TLanes> vector, ReadOnlySpan<TLanes> to, Span<TLanes> result)
    {
        for (var c = 0; c < result.Length; c++) result[c] = to[c] + vector[c];
    }

    private static void AddScaled(TLanes factor, ReadOnlySpan<TLanes> vector, ReadOnlySpan<TLanes> to, Span<TLanes> result)
    {
        for (var c = 0; c < result.Length; c++) result[c] = TLanes.MultiplyAdd(factor, vector[c], to[c]);
    }
}
