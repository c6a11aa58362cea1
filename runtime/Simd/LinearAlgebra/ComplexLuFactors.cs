using System.Runtime.CompilerServices;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// The factors of a complex matrix a lane: as <see cref="LuFactors{T}"/>, with real and imaginary parts apart. The largest pivot is the one of
/// largest |Re| + |Im|, which is within a factor of √2 of the modulus.
/// </summary>
/// <param name="n">The rows.</param>
internal sealed class ComplexLuFactors<T>(int n)
    where T : struct, ILanes<T>
{
    private const MethodImplOptions Optimized = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;

    private readonly RegisterBuffer<T> _real = new(n * n), _imaginary = new(n * n);
    private readonly RowExchanges<T> _exchanges = new(n);

    /// <summary>The real part of the matrix to be factorized, [n, n]; afterwards of its factors.</summary>
    public Span<T> Real => _real.Span;

    /// <summary>The imaginary part.</summary>
    public Span<T> Imaginary => _imaginary.Span;

    /// <summary>Factorizes the matrix in place.</summary>
    [MethodImpl(Optimized)]
    public void Factorize()
    {
        var real = _real.Span;
        var imaginary = _imaginary.Span;
        for (var k = 0; k < n; k++)
        {
            var pivots = real.Slice(k * n, n)[k..];
            var pivotsIm = imaginary.Slice(k * n, n)[k..];
            for (var i = k + 1; i < n; i++)
            {
                var row = real.Slice(i * n, n)[k..];
                var rowIm = imaginary.Slice(i * n, n)[k..];
                var isLarger = T.LessThan(T.Abs(pivots[0]) + T.Abs(pivotsIm[0]), T.Abs(row[0]) + T.Abs(rowIm[0]));
                if (!_exchanges.Note(k, i, isLarger)) continue;
                RowExchanges<T>.Exchange(isLarger, pivots, row);
                RowExchanges<T>.Exchange(isLarger, pivotsIm, rowIm);
            }

            Invert(ref pivots[0], ref pivotsIm[0]);
            for (var i = k + 1; i < n; i++) Eliminate(pivots, pivotsIm, real.Slice(i * n, n)[k..], imaginary.Slice(i * n, n)[k..]);
        }
    }

    /// <summary>Replaces b, [n], by x of A x = b; infinite or NaN in lanes whose matrix is singular.</summary>
    /// <param name="right">The real part.</param>
    /// <param name="rightIm">The imaginary part.</param>
    [MethodImpl(Optimized)]
    public void Solve(Span<T> right, Span<T> rightIm)
    {
        var real = _real.Span;
        var imaginary = _imaginary.Span;
        for (var k = 0; k < n; k++)
        {
            _exchanges.Repeat(k, right);
            _exchanges.Repeat(k, rightIm);
            var (pivot, pivotIm) = (right[k], rightIm[k]);
            for (var i = k + 1; i < n; i++)
                Subtract(real[i * n + k], imaginary[i * n + k], pivot, pivotIm, ref right[i], ref rightIm[i]);
        }

        for (var i = n - 1; i >= 0; i--)
        {
            var row = real.Slice(i * n, n);
            var rowIm = imaginary.Slice(i * n, n);
            var (sum, sumIm) = (right[i], rightIm[i]);
            for (var j = i + 1; j < n; j++) Subtract(row[j], rowIm[j], right[j], rightIm[j], ref sum, ref sumIm);
            right[i] = T.NegatedMultiplyAdd(sumIm, rowIm[i], sum * row[i]);    // times the pivot's inverse
            rightIm[i] = T.MultiplyAdd(sumIm, row[i], sum * rowIm[i]);
        }
    }

    /// <summary>row -= row₀ · pivot row / pivot, the quotient kept in row₀. The pivot's inverse stands in its place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Eliminate(Span<T> pivots, Span<T> pivotsIm, Span<T> row, Span<T> rowIm)
    {
        var factor = T.NegatedMultiplyAdd(rowIm[0], pivotsIm[0], row[0] * pivots[0]);
        var factorIm = T.MultiplyAdd(rowIm[0], pivots[0], row[0] * pivotsIm[0]);
        (row[0], rowIm[0]) = (factor, factorIm);
        for (var j = 1; j < row.Length; j++) Subtract(factor, factorIm, pivots[j], pivotsIm[j], ref row[j], ref rowIm[j]);
    }

    /// <summary>sum -= a b.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Subtract(T a, T aIm, T b, T bIm, ref T sum, ref T sumIm)
    {
        sum = T.MultiplyAdd(aIm, bIm, T.NegatedMultiplyAdd(a, b, sum));
        sumIm = T.NegatedMultiplyAdd(aIm, b, T.NegatedMultiplyAdd(a, bIm, sumIm));
    }

    /// <summary>Replaces z by 1/z; by NaN where it is zero, so that a singular matrix spoils its lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Invert(ref T z, ref T zIm)
    {
        var scale = T.Of(1) / T.MultiplyAdd(z, z, zIm * zIm);
        (z, zIm) = (z * scale, -zIm * scale);
    }
}
