using System.Runtime.CompilerServices;
using DiffEqLang.Runtime.Simd;
using Lane = System.Runtime.Intrinsics.Vector512;
using Lanes = System.Runtime.Intrinsics.Vector512<double>;

namespace DiffEqLang.Benchmarks.Simd;

/// <summary>The Lorenz system over registers: what the compiler emits for it, written by hand.</summary>
internal sealed class LorenzKernel512 : LaneKernel<Lanes>
{
    public override int StateSize => 3;

    public override int ParameterSize => 3;

    public override int GradientSize => 3;

    public override string FusedStep => "dopri5";

    public override string FusedAdvance => "rk4";

    /// <summary>dx/dt, dy/dt, dz/dt.</summary>
    public override void Drift(
        Lanes t, ReadOnlySpan<Lanes> state, ReadOnlySpan<Lanes> parameters, Span<Lanes> slope, Span<Lanes> terms)
    {
        var (x, y, z) = (state[0], state[1], state[2]);
        var (sigma, rho, beta) = (parameters[0], parameters[1], parameters[2]);
        slope[0] = sigma * (y - x);
        slope[1] = x * (rho - z) - y;
        slope[2] = x * y - beta * z;
    }

    /// <summary>The vector-Jacobian product of the drift.</summary>
    public override void DriftVjp(
        Lanes t, ReadOnlySpan<Lanes> state, ReadOnlySpan<Lanes> parameters, ReadOnlySpan<Lanes> terms,
        ReadOnlySpan<Lanes> w, Span<Lanes> stateGradient, Span<Lanes> parameterGradients)
    {
        var (x, y, z) = (state[0], state[1], state[2]);
        var (sigma, rho, beta) = (parameters[0], parameters[1], parameters[2]);
        var (wx, wy, wz) = (w[0], w[1], w[2]);
        stateGradient[0] = (rho - z) * wy + y * wz - sigma * wx;
        stateGradient[1] = sigma * wx - wy + x * wz;
        stateGradient[2] = -(x * wy) - beta * wz;
        parameterGradients[0] += (y - x) * wx;
        parameterGradients[1] += x * wy;
        parameterGradients[2] -= z * wz;
    }

    /// <summary>One step of dopri5.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override Lanes Step(
        Lanes t, Lanes h, ReadOnlySpan<Lanes> state, ReadOnlySpan<Lanes> parameters, Lanes rtol, Lanes atol,
        Span<Lanes> stages, Span<Lanes> after)
    {
        stages = stages[..21];
        var (x, y, z) = (state[0], state[1], state[2]);
        var (sigma, rho, beta) = (parameters[0], parameters[1], parameters[2]);
        var (dx1, dy1, dz1) = (stages[0], stages[1], stages[2]);

        var x2 = Fma(h, Lane.Create(1.0 / 5) * dx1, x);
        var y2 = Fma(h, Lane.Create(1.0 / 5) * dy1, y);
        var z2 = Fma(h, Lane.Create(1.0 / 5) * dz1, z);
        var dx2 = sigma * (y2 - x2);
        var dy2 = x2 * (rho - z2) - y2;
        var dz2 = x2 * y2 - beta * z2;
        (stages[3], stages[4], stages[5]) = (dx2, dy2, dz2);

        var x3 = Fma(h, Fma(dx2, Lane.Create(9.0 / 40), Lane.Create(3.0 / 40) * dx1), x);
        var y3 = Fma(h, Fma(dy2, Lane.Create(9.0 / 40), Lane.Create(3.0 / 40) * dy1), y);
        var z3 = Fma(h, Fma(dz2, Lane.Create(9.0 / 40), Lane.Create(3.0 / 40) * dz1), z);
        var dx3 = sigma * (y3 - x3);
        var dy3 = x3 * (rho - z3) - y3;
        var dz3 = x3 * y3 - beta * z3;
        (stages[6], stages[7], stages[8]) = (dx3, dy3, dz3);

        var x4 = Fma(h, Fma(dx3, Lane.Create(32.0 / 9), Fma(dx2, Lane.Create(-56.0 / 15), Lane.Create(44.0 / 45) * dx1)), x);
        var y4 = Fma(h, Fma(dy3, Lane.Create(32.0 / 9), Fma(dy2, Lane.Create(-56.0 / 15), Lane.Create(44.0 / 45) * dy1)), y);
        var z4 = Fma(h, Fma(dz3, Lane.Create(32.0 / 9), Fma(dz2, Lane.Create(-56.0 / 15), Lane.Create(44.0 / 45) * dz1)), z);
        var dx4 = sigma * (y4 - x4);
        var dy4 = x4 * (rho - z4) - y4;
        var dz4 = x4 * y4 - beta * z4;
        (stages[9], stages[10], stages[11]) = (dx4, dy4, dz4);

        var x5 = Fma(h, Fma(dx4, Lane.Create(-212.0 / 729), Fma(dx3, Lane.Create(64448.0 / 6561), Fma(dx2, Lane.Create(-25360.0 / 2187), Lane.Create(19372.0 / 6561) * dx1))), x);
        var y5 = Fma(h, Fma(dy4, Lane.Create(-212.0 / 729), Fma(dy3, Lane.Create(64448.0 / 6561), Fma(dy2, Lane.Create(-25360.0 / 2187), Lane.Create(19372.0 / 6561) * dy1))), y);
        var z5 = Fma(h, Fma(dz4, Lane.Create(-212.0 / 729), Fma(dz3, Lane.Create(64448.0 / 6561), Fma(dz2, Lane.Create(-25360.0 / 2187), Lane.Create(19372.0 / 6561) * dz1))), z);
        var dx5 = sigma * (y5 - x5);
        var dy5 = x5 * (rho - z5) - y5;
        var dz5 = x5 * y5 - beta * z5;
        (stages[12], stages[13], stages[14]) = (dx5, dy5, dz5);

        var x6 = Fma(h, Fma(dx5, Lane.Create(-5103.0 / 18656), Fma(dx4, Lane.Create(49.0 / 176), Fma(dx3, Lane.Create(46732.0 / 5247), Fma(dx2, Lane.Create(-355.0 / 33), Lane.Create(9017.0 / 3168) * dx1)))), x);
        var y6 = Fma(h, Fma(dy5, Lane.Create(-5103.0 / 18656), Fma(dy4, Lane.Create(49.0 / 176), Fma(dy3, Lane.Create(46732.0 / 5247), Fma(dy2, Lane.Create(-355.0 / 33), Lane.Create(9017.0 / 3168) * dy1)))), y);
        var z6 = Fma(h, Fma(dz5, Lane.Create(-5103.0 / 18656), Fma(dz4, Lane.Create(49.0 / 176), Fma(dz3, Lane.Create(46732.0 / 5247), Fma(dz2, Lane.Create(-355.0 / 33), Lane.Create(9017.0 / 3168) * dz1)))), z);
        var dx6 = sigma * (y6 - x6);
        var dy6 = x6 * (rho - z6) - y6;
        var dz6 = x6 * y6 - beta * z6;
        (stages[15], stages[16], stages[17]) = (dx6, dy6, dz6);

        var x7 = Fma(h, Fma(dx6, Lane.Create(11.0 / 84), Fma(dx5, Lane.Create(-2187.0 / 6784), Fma(dx4, Lane.Create(125.0 / 192), Fma(dx3, Lane.Create(500.0 / 1113), Lane.Create(35.0 / 384) * dx1)))), x);
        var y7 = Fma(h, Fma(dy6, Lane.Create(11.0 / 84), Fma(dy5, Lane.Create(-2187.0 / 6784), Fma(dy4, Lane.Create(125.0 / 192), Fma(dy3, Lane.Create(500.0 / 1113), Lane.Create(35.0 / 384) * dy1)))), y);
        var z7 = Fma(h, Fma(dz6, Lane.Create(11.0 / 84), Fma(dz5, Lane.Create(-2187.0 / 6784), Fma(dz4, Lane.Create(125.0 / 192), Fma(dz3, Lane.Create(500.0 / 1113), Lane.Create(35.0 / 384) * dz1)))), z);
        var dx7 = sigma * (y7 - x7);
        var dy7 = x7 * (rho - z7) - y7;
        var dz7 = x7 * y7 - beta * z7;
        (stages[18], stages[19], stages[20]) = (dx7, dy7, dz7);

        (after[0], after[1], after[2]) = (x7, y7, z7);
        var ex = h * (Fma(dx7, Lane.Create(-1.0 / 40), Fma(dx6, Lane.Create(22.0 / 525), Fma(dx5, Lane.Create(-17253.0 / 339200), Fma(dx4, Lane.Create(71.0 / 1920), Fma(dx3, Lane.Create(-71.0 / 16695), Lane.Create(71.0 / 57600) * dx1)))))) / Fma(rtol, Lane.MaxNative(Lane.Abs(x), Lane.Abs(x7)), atol);
        var ey = h * (Fma(dy7, Lane.Create(-1.0 / 40), Fma(dy6, Lane.Create(22.0 / 525), Fma(dy5, Lane.Create(-17253.0 / 339200), Fma(dy4, Lane.Create(71.0 / 1920), Fma(dy3, Lane.Create(-71.0 / 16695), Lane.Create(71.0 / 57600) * dy1)))))) / Fma(rtol, Lane.MaxNative(Lane.Abs(y), Lane.Abs(y7)), atol);
        var ez = h * (Fma(dz7, Lane.Create(-1.0 / 40), Fma(dz6, Lane.Create(22.0 / 525), Fma(dz5, Lane.Create(-17253.0 / 339200), Fma(dz4, Lane.Create(71.0 / 1920), Fma(dz3, Lane.Create(-71.0 / 16695), Lane.Create(71.0 / 57600) * dz1)))))) / Fma(rtol, Lane.MaxNative(Lane.Abs(z), Lane.Abs(z7)), atol);
        return (ex * ex + ey * ey + ez * ez) * Lane.Create(1.0 / 3);
    }

    /// <summary>Steps of rk4.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Advance(int steps, Lanes t, Lanes h, Span<Lanes> state, ReadOnlySpan<Lanes> parameters)
    {
        var half = h * Lane.Create(0.5);
        var (sixth, third) = (h * Lane.Create(1.0 / 6), h * Lane.Create(1.0 / 3));
        for (var step = 0; step < steps; step++)
            for (var (i, p) = (0, 0); i <= state.Length - 3 && p <= parameters.Length - 3; i += 3, p += 3)
            {
                var (x, y, z) = (state[i], state[i + 1], state[i + 2]);
                var (sigma, rho, beta) = (parameters[p], parameters[p + 1], parameters[p + 2]);
                var dx1 = sigma * (y - x);
                var dy1 = x * (rho - z) - y;
                var dz1 = x * y - beta * z;

                var x2 = Fma(half, dx1, x);
                var y2 = Fma(half, dy1, y);
                var z2 = Fma(half, dz1, z);
                var dx2 = sigma * (y2 - x2);
                var dy2 = x2 * (rho - z2) - y2;
                var dz2 = x2 * y2 - beta * z2;

                var x3 = Fma(half, dx2, x);
                var y3 = Fma(half, dy2, y);
                var z3 = Fma(half, dz2, z);
                var dx3 = sigma * (y3 - x3);
                var dy3 = x3 * (rho - z3) - y3;
                var dz3 = x3 * y3 - beta * z3;

                var x4 = Fma(h, dx3, x);
                var y4 = Fma(h, dy3, y);
                var z4 = Fma(h, dz3, z);
                var dx4 = sigma * (y4 - x4);
                var dy4 = x4 * (rho - z4) - y4;
                var dz4 = x4 * y4 - beta * z4;

                state[i] = Fma(sixth, dx1 + dx4, Fma(third, dx2 + dx3, x));
                state[i + 1] = Fma(sixth, dy1 + dy4, Fma(third, dy2 + dy3, y));
                state[i + 2] = Fma(sixth, dz1 + dz4, Fma(third, dz2 + dz3, z));
            }
    }

    private static Lanes Fma(Lanes a, Lanes b, Lanes c) => Lane.MultiplyAddEstimate(a, b, c);
}
