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
    /// <param name="span">From where, and in which direction.</param>
    /// <param name="state">[samples, N].</param>
    /// <param name="slope">f(t₀, state).</param>
    /// <param name="lanes">How many steps are asked for.</param>
    public static double[] Choose(RungeKuttaKernel kernel, ErrorNorm norm, SolveSpan span, Tensor state, Tensor slope, int lanes)
    {
        var tolerance = norm.Tolerance(state);
        var (d0, d1) = (norm.Of(state, tolerance), norm.Of(slope, tolerance));
        var trial = new double[lanes];
        for (var i = 0; i < lanes; i++)
            trial[i] = Math.Min(d0[i] < 1e-5 || d1[i] < 1e-5 ? 1e-6 : 0.01 * d0[i] / d1[i], Math.Abs(span.End - span.Start));

        double[] signed = [.. trial.Select(h => double.IsFinite(h) ? h * span.Direction : 0)];
        var geometry = new StepGeometry(
            kernel.Tableau, [.. Enumerable.Repeat(span.Start, lanes)], signed, state.dtype, state.device);
        var moved = state.add(Times(geometry, slope), Scalars.One);
        var end = kernel.Tableau.EndStage;
        var change = norm.Of(kernel.Drift(end, geometry.TimeOf(end), moved, out _).add(slope, Scalars.MinusOne), tolerance);

        var k = kernel.Tableau.Error!.Order + 1;
        for (var i = 0; i < lanes; i++)
            trial[i] = double.IsFinite(d0[i]) && double.IsFinite(d1[i]) ? Refine(trial[i], d1[i], change[i] / trial[i], k) : double.NaN;
        return trial;
    }

    private static Tensor Times(StepGeometry geometry, Tensor slope)
    {
        using Scalar step = geometry.Scale;
        return geometry.IsUniform ? slope.mul(step) : geometry.Scaled(slope);
    }

    /// <summary>Asks that h^k max(‖f‖, ‖f'‖) = 0.01, within a hundred times the trial.</summary>
    private static double Refine(double trial, double slope, double curvature, int k)
    {
        if (!double.IsFinite(curvature)) return trial;    // the trial went too far; the controller shrinks it further
        var size = Math.Max(slope, curvature);
        var step = size <= 1e-15 ? Math.Max(1e-6, trial * 1e-3) : Math.Pow(0.01 / size, 1.0 / k);
        return Math.Min(100 * trial, step);
    }
}
