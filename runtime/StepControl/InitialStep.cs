using System.Numerics;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// The first step of each lane, from the sizes of the state, its slope and the slope's change.
/// Hairer, Nørsett and Wanner (1993), Solving Ordinary Differential Equations I, II.4, "Starting step size".
/// </summary>
internal static class InitialStep
{
    /// <summary>The sizes of the steps; NaN for a lane whose state or slope is not finite.</summary>
    /// <param name="kernel">Evaluates the slope once more.</param>
    /// <param name="norm">As for errors.</param>
    /// <param name="span">From where each lane starts, and in which direction.</param>
    /// <param name="state">[samples, N].</param>
    /// <param name="slope">dx/dt there.</param>
    /// <param name="lanes">How many steps are asked for.</param>
    public static double[] Choose(StepKernel kernel, ErrorNorm norm, SolveSpan span, Tensor state, Tensor slope, int lanes)
    {
        var tolerance = norm.Tolerance(state);
        var (d0, d1) = (norm.Of(state, tolerance), norm.Of(slope, tolerance));
        var trial = new double[lanes];
        for (var i = 0; i < lanes; i++)
            trial[i] = Trial(new(d0[i]), new(d1[i]), span.Of(i))[0];

        double[] signed = [.. trial.Select((h, i) => double.IsFinite(h) ? h * span.Of(i).Direction : 0)];
        var geometry = kernel.GeometryOf([.. Enumerable.Range(0, lanes).Select(i => span.Of(i).Start)], signed, state);
        var moved = state.add(Times(geometry, slope), Scalars.One);
        var end = kernel.EndNode;
        var there = kernel.Derivative(geometry.TimeOf(end), moved, kernel.Drift(geometry, end, moved, out _));
        var change = norm.Of(there.add(slope, Scalars.MinusOne), tolerance);

        var k = kernel.FirstErrorOrder + 1;
        for (var i = 0; i < lanes; i++)
            trial[i] = double.IsFinite(d0[i]) && double.IsFinite(d1[i]) ? Refine(new(trial[i]), new(d1[i]), new(change[i] / trial[i]), k)[0] : double.NaN;
        return trial;
    }

    private static Tensor Times(StepGeometry geometry, Tensor slope)
    {
        using Scalar step = geometry.Scale;
        return geometry.IsUniform ? slope.mul(step) : geometry.Scaled(slope);
    }

    /// <summary>A first guess, by the norms of state and slope: NaN where those are not finite.</summary>
    internal static Vector<double> Trial(Vector<double> state, Vector<double> slope, SolveSpan span)
    {
        var least = new Vector<double>(1e-5);
        var isTiny = Vector.LessThan(state, least) | Vector.LessThan(slope, least);
        var guess = Vector.ConditionalSelect(isTiny, new Vector<double>(1e-6), state * 0.01 / slope);
        return Vector.Min(guess, new Vector<double>(Math.Abs(span.End - span.Start)));
    }

    /// <summary>
    /// Asks that h^k max(‖f‖, ‖f'‖) = 0.01, within a hundred times the trial. Where the curvature is not finite, the trial went too far;
    /// the controller shrinks it further.
    /// </summary>
    internal static Vector<double> Refine(Vector<double> trial, Vector<double> slope, Vector<double> curvature, int k)
    {
        var size = Vector.Max(slope, curvature);
        var power = RoughLogarithm.Exp2(RoughLogarithm.Log2(new Vector<double>(0.01) / size) * (1.0 / k));
        var step = Vector.ConditionalSelect(
            Vector.LessThanOrEqual(size, new Vector<double>(1e-15)), Vector.Max(new Vector<double>(1e-6), trial * 1e-3), power);
        return Vector.ConditionalSelect(Vector.IsFinite(curvature), Vector.Min(trial * 100, step), trial);
    }
}
