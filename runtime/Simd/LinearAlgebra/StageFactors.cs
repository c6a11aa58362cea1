using System.Runtime.CompilerServices;
using DiffEqLang.Tableaux;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// The factors of γ - hJ and of α - iβ - hJ (<see cref="StageSpectrum"/>), each lane its own, by one <see cref="EliminationPlan"/> with pivots on the
/// diagonal.
/// </summary>
/// <remarks>
/// No pivots are searched for: the factors serve Newton's iteration, which mends what they lose to rounding, and a filter of errors, which needs a
/// digit. Where growing entries spoil them, the iteration does not converge, and with the next, smaller step the diagonal weighs more.
/// </remarks>
/// <param name="plan">The order of elimination.</param>
/// <param name="spectrum">γ, α and β.</param>
internal sealed class StageFactors<T>(EliminationPlan plan, StageSpectrum spectrum)
    where T : struct, ILanes<T>
{
    private const MethodImplOptions Optimized = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    private readonly T _γ = T.Of(spectrum.Real), _α = T.Of(spectrum.Alpha), _β = T.Of(spectrum.Beta);
    private readonly RegisterBuffer<T> _single = new(plan.Entries), _real = new(plan.Entries), _imaginary = new(plan.Entries);

    /// <summary>Factorizes both matrices.</summary>
    /// <param name="h">The step.</param>
    /// <param name="jacobian">The entries of J that the plan's pattern has, or all N², row by row.</param>
    [MethodImpl(Optimized)]
    public void Factorize(T h, ReadOnlySpan<T> jacobian)
    {
        Load(h, jacobian);
        var single = _single.Span;
        var real = _real.Span;
        var imaginary = _imaginary.Span;
        var (diagonals, lower, uppers) = (plan.Diagonal, plan.Lower, plan.Upper);
        var targets = plan.Targets.AsSpan();
        for (var step = 0; step < diagonals.Length; step++)
        {
            var diagonal = diagonals[step];
            var (a, b) = (real[diagonal], imaginary[diagonal]);
            var scale = T.Of(1) / T.MultiplyAdd(a, a, b * b);
            var (pivot, pivotRe, pivotIm) = (T.Of(1) / single[diagonal], a * scale, -b * scale);
            (single[diagonal], real[diagonal], imaginary[diagonal]) = (pivot, pivotRe, pivotIm);
            var upper = uppers[step];
            foreach (var (_, place) in lower[step])
            {
                var factor = single[place] * pivot;
                var (factorRe, factorIm) = (real[place], imaginary[place]);
                Multiply(pivotRe, pivotIm, ref factorRe, ref factorIm);
                (single[place], real[place], imaginary[place]) = (factor, factorRe, factorIm);
                for (var j = 0; j < upper.Length; j++)
                {
                    var (source, target) = (upper[j].Place, targets[j]);
                    single[target] = T.NegatedMultiplyAdd(factor, single[source], single[target]);
                    Subtract(factorRe, factorIm, real[source], imaginary[source], ref real[target], ref imaginary[target]);
                }

                targets = targets[upper.Length..];
            }
        }
    }

    /// <summary>Replaces b by x of (γ - hJ) x = b, and c by y of (α - iβ - hJ) y = c; infinite or NaN in lanes where there is none.</summary>
    /// <param name="b">[N].</param>
    /// <param name="c">The real part of c: [N].</param>
    /// <param name="cIm">Its imaginary part.</param>
    [MethodImpl(Optimized)]
    public void Solve(Span<T> b, Span<T> c, Span<T> cIm)
    {
        var single = _single.Span;
        var real = _real.Span;
        var imaginary = _imaginary.Span;
        var (pivots, diagonals, lower, upper) = (plan.Pivots, plan.Diagonal, plan.Lower, plan.Upper);
        for (var step = 0; step < pivots.Length; step++)
        {
            var pivot = pivots[step];
            var (x, y, yIm) = (b[pivot], c[pivot], cIm[pivot]);
            foreach (var (row, place) in lower[step])
            {
                b[row] = T.NegatedMultiplyAdd(single[place], x, b[row]);
                Subtract(real[place], imaginary[place], y, yIm, ref c[row], ref cIm[row]);
            }
        }

        for (var step = pivots.Length - 1; step >= 0; step--)
        {
            var (pivot, diagonal) = (pivots[step], diagonals[step]);
            var (x, y, yIm) = (b[pivot], c[pivot], cIm[pivot]);
            foreach (var (column, place) in upper[step])
            {
                x = T.NegatedMultiplyAdd(single[place], b[column], x);
                Subtract(real[place], imaginary[place], c[column], cIm[column], ref y, ref yIm);
            }

            Multiply(real[diagonal], imaginary[diagonal], ref y, ref yIm);
            (b[pivot], c[pivot], cIm[pivot]) = (x * single[diagonal], y, yIm);
        }
    }

    /// <summary>Replaces b by x of (γ - hJ) x = b alone.</summary>
    [MethodImpl(Optimized)]
    public void Solve(Span<T> b)
    {
        var single = _single.Span;
        for (var step = 0; step < plan.Pivots.Length; step++)
        {
            var x = b[plan.Pivots[step]];
            foreach (var (row, place) in plan.Lower[step]) b[row] = T.NegatedMultiplyAdd(single[place], x, b[row]);
        }

        for (var step = plan.Pivots.Length - 1; step >= 0; step--)
        {
            var x = b[plan.Pivots[step]];
            foreach (var (column, place) in plan.Upper[step]) x = T.NegatedMultiplyAdd(single[place], b[column], x);
            b[plan.Pivots[step]] = x * single[plan.Diagonal[step]];
        }
    }

    /// <summary>The matrices themselves, with zeros where entries will be filled in.</summary>
    [MethodImpl(Inline)]
    private void Load(T h, ReadOnlySpan<T> jacobian)
    {
        var single = _single.Span;
        var real = _real.Span;
        var imaginary = _imaginary.Span;
        imaginary.Clear();
        var sources = plan.Sources;
        var isSparse = jacobian.Length == sources.Length;
        for (var i = 0; i < sources.Length; i++) single[i] = real[i] = -h * jacobian[isSparse ? i : sources[i]];
        for (var i = sources.Length; i < single.Length; i++) single[i] = real[i] = default;
        foreach (var i in plan.DiagonalOf) (single[i], real[i], imaginary[i]) = (single[i] + _γ, real[i] + _α, -_β);
    }

    /// <summary>z *= a.</summary>
    [MethodImpl(Inline)]
    private static void Multiply(T a, T aIm, ref T z, ref T zIm)
    {
        var real = T.NegatedMultiplyAdd(aIm, zIm, a * z);
        zIm = T.MultiplyAdd(aIm, z, a * zIm);
        z = real;
    }

    /// <summary>sum -= a b.</summary>
    [MethodImpl(Inline)]
    private static void Subtract(T a, T aIm, T b, T bIm, ref T sum, ref T sumIm)
    {
        sum = T.MultiplyAdd(aIm, bIm, T.NegatedMultiplyAdd(a, b, sum));
        sumIm = T.NegatedMultiplyAdd(aIm, b, T.NegatedMultiplyAdd(a, bIm, sumIm));
    }
}
