using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// One solve on registers with what its backward pass needs. Lives as long as the autograd node; gives its tape up after the first
/// backward pass and solves again for another.
/// </summary>
internal sealed class SimdGradient : ISolveGradient
{
    private readonly SimdBinding _binding;
    private readonly RungeKuttaProblem _problem;
    private readonly Tensor _initial;
    private readonly bool _wantsInitial;
    private readonly GradientFault _fault = GradientFault.OfThread;
    private SimdRun? _run;

    /// <param name="binding">The model's code.</param>
    /// <param name="problem">What is solved.</param>
    /// <param name="initial">From which state: [samples, N], contiguous.</param>
    /// <param name="wantsInitial">Whether the gradient of that is needed: where gradients flow to it, or to the saved times.</param>
    /// <param name="withSlopes">Whether gradients flow to the saved times.</param>
    public SimdGradient(SimdBinding binding, RungeKuttaProblem problem, Tensor initial, bool wantsInitial, bool withSlopes)
    {
        (_binding, _problem, _initial, _wantsInitial) = (binding, problem, initial.DetachFromDisposeScope(), wantsInitial);
        _run = binding.Run(problem, initial, withTape: true, withSlopes);
        Result = _run.Result;
    }

    /// <summary>What the solve gave.</summary>
    public OdeRun Result { get; }

    /// <inheritdoc/>
    public Tensor Values => Result.Values;

    /// <inheritdoc/>
    public (Tensor? Initial, Tensor? Times, Tensor?[] Parameters) Backward(Tensor cotangents)
    {
        var isOfHigherOrder = is_grad_enabled();
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var initial = _wantsInitial ? zeros_like(_initial) : null;
        var parameters = NewGradients();
        Tensor? times = null;
        try
        {
            if (isOfHigherOrder) throw SecondDerivatives.Refusal("registers differentiate once; take SolveTarget.Torch.");
            var run = Interlocked.Exchange(ref _run, null) ?? _binding.Run(_problem, _initial, withTape: true, withSlopes: false);
            run.Backward(cotangents.contiguous(), initial, parameters);
            if (Result.Slopes is not null) times = OdeGradient.OfTimes(_problem, Result, cotangents, initial!);
        }
        catch (Exception exception)    // whatever it is, it must not reach libtorch
        {
            _fault.Keep(exception);
            initial?.zero_();
            foreach (var gradient in parameters) gradient?.zero_();
        }

        if (Result.Slopes is not null) times ??= zeros([Result.Times.Length], ScalarType.Float64);
        foreach (var gradient in parameters) gradient?.DetachFromDisposeScope();
        return (initial?.DetachFromDisposeScope(), times?.DetachFromDisposeScope(), parameters);
    }

    private Tensor?[] NewGradients()
    {
        var gradients = new Tensor?[_binding.Parameters.Count];
        for (var i = 0; i < gradients.Length; i++)
            if (_binding.Parameters[i] is { requires_grad: true } parameter)
                gradients[i] = parameter.is_contiguous() ? empty_like(parameter) : empty(parameter.shape, parameter.dtype);
        return gradients;
    }
}
