using DiffEqLang.Runtime.Simd;
using TorchSharp;
using Lane = System.Runtime.Intrinsics.Vector512;
using Lanes = System.Runtime.Intrinsics.Vector512<float>;

namespace DiffEqLang.Benchmarks.Simd;

/// <summary>The neural spiral over registers: what the compiler emits for it, written by hand.</summary>
internal sealed class SpiralKernel512 : LaneKernel<Lanes>
{
    private readonly Weights<float> _W1, _b1, _W2;

    public SpiralKernel512(torch.Tensor W1, torch.Tensor b1, torch.Tensor W2) =>
        (_W1, _b1, _W2) = (new(W1), new(b1), new(W2));

    public override int StateSize => 2;

    public override int ParameterSize => 2;

    public override int GradientSize => 252;

    public override int TermSize => 50;

    /// <summary>dy/dt = W2 @ tanh(W1 @ y^3 + b1) + b2.</summary>
    public override void Drift(
        Lanes t, ReadOnlySpan<Lanes> state, ReadOnlySpan<Lanes> parameters, Span<Lanes> slope, Span<Lanes> terms)
    {
        ReadOnlySpan<float> W1 = _W1.Span[..100], b1 = _b1.Span[..50], W2 = _W2.Span[..100];
        var hidden = terms[..50];
        var (y0, y1) = (state[0], state[1]);
        var (cube0, cube1) = (y0 * y0 * y0, y1 * y1 * y1);
        var (dy0, dy1) = (parameters[0], parameters[1]);
        for (var i = 0; i < 50; i++)
        {
            var inner = Lane.MultiplyAddEstimate(Lane.Create(W1[2 * i]), cube0, Lane.Create(b1[i]));
            inner = Lane.MultiplyAddEstimate(Lane.Create(W1[2 * i + 1]), cube1, inner);
            var tanh = Elementary.Tanh(inner);
            hidden[i] = tanh;
            dy0 = Lane.MultiplyAddEstimate(Lane.Create(W2[i]), tanh, dy0);
            dy1 = Lane.MultiplyAddEstimate(Lane.Create(W2[50 + i]), tanh, dy1);
        }

        slope[0] = dy0;
        slope[1] = dy1;
    }

    /// <summary>The vector-Jacobian product of the drift.</summary>
    public override void DriftVjp(
        Lanes t, ReadOnlySpan<Lanes> state, ReadOnlySpan<Lanes> parameters, ReadOnlySpan<Lanes> terms,
        ReadOnlySpan<Lanes> w, Span<Lanes> stateGradient, Span<Lanes> parameterGradients)
    {
        ReadOnlySpan<float> W1 = _W1.Span[..100], W2 = _W2.Span[..100];
        var hidden = terms[..50];
        var gradW1 = parameterGradients[..100];
        var gradb1 = parameterGradients[100..150];
        var gradW2 = parameterGradients[150..250];
        var gradb2 = parameterGradients[250..252];
        var (y0, y1) = (state[0], state[1]);
        var (cube0, cube1) = (y0 * y0 * y0, y1 * y1 * y1);
        var (w0, w1) = (w[0], w[1]);
        var (cotangent0, cotangent1) = (Lanes.Zero, Lanes.Zero);
        for (var i = 0; i < 50; i++)
        {
            var tanh = hidden[i];
            var ofTanh = Lane.MultiplyAddEstimate(Lane.Create(W2[i]), w0, Lane.Create(W2[50 + i]) * w1);
            var ofInner = Lane.MultiplyAddEstimate(-(ofTanh * tanh), tanh, ofTanh);
            cotangent0 = Lane.MultiplyAddEstimate(Lane.Create(W1[2 * i]), ofInner, cotangent0);
            cotangent1 = Lane.MultiplyAddEstimate(Lane.Create(W1[2 * i + 1]), ofInner, cotangent1);
            gradW1[2 * i] = Lane.MultiplyAddEstimate(ofInner, cube0, gradW1[2 * i]);
            gradW1[2 * i + 1] = Lane.MultiplyAddEstimate(ofInner, cube1, gradW1[2 * i + 1]);
            gradb1[i] += ofInner;
            gradW2[i] = Lane.MultiplyAddEstimate(w0, tanh, gradW2[i]);
            gradW2[50 + i] = Lane.MultiplyAddEstimate(w1, tanh, gradW2[50 + i]);
        }

        gradb2[0] += w0;
        gradb2[1] += w1;
        stateGradient[0] = Lane.Create(3f) * y0 * y0 * cotangent0;
        stateGradient[1] = Lane.Create(3f) * y1 * y1 * cotangent1;
    }
}
