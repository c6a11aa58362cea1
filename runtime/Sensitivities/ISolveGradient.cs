using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>A solve that has been done, as a node of autograd's graph sees it.</summary>
internal interface ISolveGradient
{
    /// <summary>The saved states: [times, samples, N].</summary>
    Tensor Values { get; }

    /// <summary>
    /// The gradients of the initial state [samples, N], the saved times [T] and the parameters; null where none flow to them. Never
    /// throws: a failure is kept for <see cref="GradientFault"/>, and the gradients are zeros.
    /// </summary>
    (Tensor? Initial, Tensor? Times, Tensor?[] Parameters) Backward(Tensor cotangents);
}
