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

    /// <summary>Attempted steps of dopri5.</summary>
    public override void Step(
        ReadOnlySpan<Lanes> times, ReadOnlySpan<Lanes> steps, ReadOnlySpan<Lanes> state, ReadOnlySpan<Lanes> parameters,
        Lanes rtol, Lanes atol, Span<Lanes> stages, Span<Lanes> after, Span<Lanes> squaredErrors)
    {
        var stride = stages.Length / squaredErrors.Length;
        for (var i = 0; i < squaredErrors.Length; i++)
            squaredErrors[i] = Step(
                steps[i], state.Slice(3 * i, 3), parameters.Slice(3 * i, 3), rtol, atol, stages.Slice(stride * i, stride), after.Slice(3 * i, 3));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static Lanes Step(
        Lanes h, ReadOnlySpan<Lanes> state, ReadOnlySpan<Lanes> parameters, Lanes rtol, Lanes atol, Span<Lanes> stages, Span<Lanes> after)
    {
        stages = stages[..21];
        var (x, y, z) = (state[0], state[1], state[2]);
        var (sigma, rho, beta) = (parameters[0], parameters[1], parameters[2]);
        var (dx, dy, dz) = (stages[0], stages[1], stages[2]);
        Lanes x1, y1, z1;    // the state at a stage, and the state after

        var weight = Lane.Create(1.0 / 5);
        var sumX = weight * dx;
        var sumY = weight * dy;
        var sumZ = weight * dz;
        x1 = Lane.MultiplyAddEstimate(h, sumX, x);
        y1 = Lane.MultiplyAddEstimate(h, sumY, y);
        z1 = Lane.MultiplyAddEstimate(h, sumZ, z);
        dx = sigma * (y1 - x1);
        dy = x1 * (rho - z1) - y1;
        dz = x1 * y1 - beta * z1;
        stages[3] = dx;
        stages[4] = dy;
        stages[5] = dz;

        weight = Lane.Create(3.0 / 40);
        sumX = weight * stages[0];
        sumY = weight * stages[1];
        sumZ = weight * stages[2];
        weight = Lane.Create(9.0 / 40);
        sumX = Lane.MultiplyAddEstimate(weight, dx, sumX);
        sumY = Lane.MultiplyAddEstimate(weight, dy, sumY);
        sumZ = Lane.MultiplyAddEstimate(weight, dz, sumZ);
        x1 = Lane.MultiplyAddEstimate(h, sumX, x);
        y1 = Lane.MultiplyAddEstimate(h, sumY, y);
        z1 = Lane.MultiplyAddEstimate(h, sumZ, z);
        dx = sigma * (y1 - x1);
        dy = x1 * (rho - z1) - y1;
        dz = x1 * y1 - beta * z1;
        stages[6] = dx;
        stages[7] = dy;
        stages[8] = dz;

        weight = Lane.Create(44.0 / 45);
        sumX = weight * stages[0];
        sumY = weight * stages[1];
        sumZ = weight * stages[2];
        weight = Lane.Create(-56.0 / 15);
        sumX = Lane.MultiplyAddEstimate(weight, stages[3], sumX);
        sumY = Lane.MultiplyAddEstimate(weight, stages[4], sumY);
        sumZ = Lane.MultiplyAddEstimate(weight, stages[5], sumZ);
        weight = Lane.Create(32.0 / 9);
        sumX = Lane.MultiplyAddEstimate(weight, dx, sumX);
        sumY = Lane.MultiplyAddEstimate(weight, dy, sumY);
        sumZ = Lane.MultiplyAddEstimate(weight, dz, sumZ);
        x1 = Lane.MultiplyAddEstimate(h, sumX, x);
        y1 = Lane.MultiplyAddEstimate(h, sumY, y);
        z1 = Lane.MultiplyAddEstimate(h, sumZ, z);
        dx = sigma * (y1 - x1);
        dy = x1 * (rho - z1) - y1;
        dz = x1 * y1 - beta * z1;
        stages[9] = dx;
        stages[10] = dy;
        stages[11] = dz;

        weight = Lane.Create(19372.0 / 6561);
        sumX = weight * stages[0];
        sumY = weight * stages[1];
        sumZ = weight * stages[2];
        weight = Lane.Create(-25360.0 / 2187);
        sumX = Lane.MultiplyAddEstimate(weight, stages[3], sumX);
        sumY = Lane.MultiplyAddEstimate(weight, stages[4], sumY);
        sumZ = Lane.MultiplyAddEstimate(weight, stages[5], sumZ);
        weight = Lane.Create(64448.0 / 6561);
        sumX = Lane.MultiplyAddEstimate(weight, stages[6], sumX);
        sumY = Lane.MultiplyAddEstimate(weight, stages[7], sumY);
        sumZ = Lane.MultiplyAddEstimate(weight, stages[8], sumZ);
        weight = Lane.Create(-212.0 / 729);
        sumX = Lane.MultiplyAddEstimate(weight, dx, sumX);
        sumY = Lane.MultiplyAddEstimate(weight, dy, sumY);
        sumZ = Lane.MultiplyAddEstimate(weight, dz, sumZ);
        x1 = Lane.MultiplyAddEstimate(h, sumX, x);
        y1 = Lane.MultiplyAddEstimate(h, sumY, y);
        z1 = Lane.MultiplyAddEstimate(h, sumZ, z);
        dx = sigma * (y1 - x1);
        dy = x1 * (rho - z1) - y1;
        dz = x1 * y1 - beta * z1;
        stages[12] = dx;
        stages[13] = dy;
        stages[14] = dz;

        weight = Lane.Create(9017.0 / 3168);
        sumX = weight * stages[0];
        sumY = weight * stages[1];
        sumZ = weight * stages[2];
        weight = Lane.Create(-355.0 / 33);
        sumX = Lane.MultiplyAddEstimate(weight, stages[3], sumX);
        sumY = Lane.MultiplyAddEstimate(weight, stages[4], sumY);
        sumZ = Lane.MultiplyAddEstimate(weight, stages[5], sumZ);
        weight = Lane.Create(46732.0 / 5247);
        sumX = Lane.MultiplyAddEstimate(weight, stages[6], sumX);
        sumY = Lane.MultiplyAddEstimate(weight, stages[7], sumY);
        sumZ = Lane.MultiplyAddEstimate(weight, stages[8], sumZ);
        weight = Lane.Create(49.0 / 176);
        sumX = Lane.MultiplyAddEstimate(weight, stages[9], sumX);
        sumY = Lane.MultiplyAddEstimate(weight, stages[10], sumY);
        sumZ = Lane.MultiplyAddEstimate(weight, stages[11], sumZ);
        weight = Lane.Create(-5103.0 / 18656);
        sumX = Lane.MultiplyAddEstimate(weight, dx, sumX);
        sumY = Lane.MultiplyAddEstimate(weight, dy, sumY);
        sumZ = Lane.MultiplyAddEstimate(weight, dz, sumZ);
        x1 = Lane.MultiplyAddEstimate(h, sumX, x);
        y1 = Lane.MultiplyAddEstimate(h, sumY, y);
        z1 = Lane.MultiplyAddEstimate(h, sumZ, z);
        dx = sigma * (y1 - x1);
        dy = x1 * (rho - z1) - y1;
        dz = x1 * y1 - beta * z1;
        stages[15] = dx;
        stages[16] = dy;
        stages[17] = dz;

        weight = Lane.Create(35.0 / 384);
        sumX = weight * stages[0];
        sumY = weight * stages[1];
        sumZ = weight * stages[2];
        weight = Lane.Create(500.0 / 1113);
        sumX = Lane.MultiplyAddEstimate(weight, stages[6], sumX);
        sumY = Lane.MultiplyAddEstimate(weight, stages[7], sumY);
        sumZ = Lane.MultiplyAddEstimate(weight, stages[8], sumZ);
        weight = Lane.Create(125.0 / 192);
        sumX = Lane.MultiplyAddEstimate(weight, stages[9], sumX);
        sumY = Lane.MultiplyAddEstimate(weight, stages[10], sumY);
        sumZ = Lane.MultiplyAddEstimate(weight, stages[11], sumZ);
        weight = Lane.Create(-2187.0 / 6784);
        sumX = Lane.MultiplyAddEstimate(weight, stages[12], sumX);
        sumY = Lane.MultiplyAddEstimate(weight, stages[13], sumY);
        sumZ = Lane.MultiplyAddEstimate(weight, stages[14], sumZ);
        weight = Lane.Create(11.0 / 84);
        sumX = Lane.MultiplyAddEstimate(weight, dx, sumX);
        sumY = Lane.MultiplyAddEstimate(weight, dy, sumY);
        sumZ = Lane.MultiplyAddEstimate(weight, dz, sumZ);
        x1 = Lane.MultiplyAddEstimate(h, sumX, x);
        y1 = Lane.MultiplyAddEstimate(h, sumY, y);
        z1 = Lane.MultiplyAddEstimate(h, sumZ, z);
        dx = sigma * (y1 - x1);
        dy = x1 * (rho - z1) - y1;
        dz = x1 * y1 - beta * z1;
        stages[18] = dx;
        stages[19] = dy;
        stages[20] = dz;

        after[0] = x1;
        after[1] = y1;
        after[2] = z1;

        weight = Lane.Create(71.0 / 57600);
        sumX = weight * stages[0];
        sumY = weight * stages[1];
        sumZ = weight * stages[2];
        weight = Lane.Create(-71.0 / 16695);
        sumX = Lane.MultiplyAddEstimate(weight, stages[6], sumX);
        sumY = Lane.MultiplyAddEstimate(weight, stages[7], sumY);
        sumZ = Lane.MultiplyAddEstimate(weight, stages[8], sumZ);
        weight = Lane.Create(71.0 / 1920);
        sumX = Lane.MultiplyAddEstimate(weight, stages[9], sumX);
        sumY = Lane.MultiplyAddEstimate(weight, stages[10], sumY);
        sumZ = Lane.MultiplyAddEstimate(weight, stages[11], sumZ);
        weight = Lane.Create(-17253.0 / 339200);
        sumX = Lane.MultiplyAddEstimate(weight, stages[12], sumX);
        sumY = Lane.MultiplyAddEstimate(weight, stages[13], sumY);
        sumZ = Lane.MultiplyAddEstimate(weight, stages[14], sumZ);
        weight = Lane.Create(22.0 / 525);
        sumX = Lane.MultiplyAddEstimate(weight, stages[15], sumX);
        sumY = Lane.MultiplyAddEstimate(weight, stages[16], sumY);
        sumZ = Lane.MultiplyAddEstimate(weight, stages[17], sumZ);
        weight = Lane.Create(-1.0 / 40);
        sumX = Lane.MultiplyAddEstimate(weight, dx, sumX);
        sumY = Lane.MultiplyAddEstimate(weight, dy, sumY);
        sumZ = Lane.MultiplyAddEstimate(weight, dz, sumZ);
        var errorX = h * sumX / Lane.MultiplyAddEstimate(rtol, Lane.MaxNative(Lane.Abs(x), Lane.Abs(x1)), atol);
        var errorY = h * sumY / Lane.MultiplyAddEstimate(rtol, Lane.MaxNative(Lane.Abs(y), Lane.Abs(y1)), atol);
        var errorZ = h * sumZ / Lane.MultiplyAddEstimate(rtol, Lane.MaxNative(Lane.Abs(z), Lane.Abs(z1)), atol);
        return (errorX * errorX + errorY * errorY + errorZ * errorZ) * Lane.Create(1.0 / 3);
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

                var x2 = Lane.MultiplyAddEstimate(half, dx1, x);
                var y2 = Lane.MultiplyAddEstimate(half, dy1, y);
                var z2 = Lane.MultiplyAddEstimate(half, dz1, z);
                var dx2 = sigma * (y2 - x2);
                var dy2 = x2 * (rho - z2) - y2;
                var dz2 = x2 * y2 - beta * z2;

                var x3 = Lane.MultiplyAddEstimate(half, dx2, x);
                var y3 = Lane.MultiplyAddEstimate(half, dy2, y);
                var z3 = Lane.MultiplyAddEstimate(half, dz2, z);
                var dx3 = sigma * (y3 - x3);
                var dy3 = x3 * (rho - z3) - y3;
                var dz3 = x3 * y3 - beta * z3;

                var x4 = Lane.MultiplyAddEstimate(h, dx3, x);
                var y4 = Lane.MultiplyAddEstimate(h, dy3, y);
                var z4 = Lane.MultiplyAddEstimate(h, dz3, z);
                var dx4 = sigma * (y4 - x4);
                var dy4 = x4 * (rho - z4) - y4;
                var dz4 = x4 * y4 - beta * z4;

                state[i] = Lane.MultiplyAddEstimate(sixth, dx1 + dx4, Lane.MultiplyAddEstimate(third, dx2 + dx3, x));
                state[i + 1] = Lane.MultiplyAddEstimate(sixth, dy1 + dy4, Lane.MultiplyAddEstimate(third, dy2 + dy3, y));
                state[i + 2] = Lane.MultiplyAddEstimate(sixth, dz1 + dz4, Lane.MultiplyAddEstimate(third, dz2 + dz3, z));
            }
    }
}
