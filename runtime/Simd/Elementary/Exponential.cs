using System.Runtime.CompilerServices;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// The exponential and what is made of it: exp(x) = 2ⁿ (1 + p) with n the integer nearest to x/log 2 and p = exp(r) - 1 of the
/// rest r, |r| at most log(2)/2. Cody and Waite (1980), Software Manual for the Elementary Functions, ch. 6.
/// </summary>
internal static class Exponential<T, P>
    where T : struct, ILanes<T>
    where P : IPrecision<T>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    private static T SignBit
    {
        [MethodImpl(Inline)]
        get => T.Of(-0.0);
    }

    /// <summary>exp(x).</summary>
    [MethodImpl(Inline)]
    public static T Exp(T x)
    {
        var p = ReduceQuickly(T.Max(-P.ExpBound, T.Min(P.ExpBound, x)), out var n);
        return T.Scale(T.Of(1) + p, n);
    }

    /// <summary>exp(x) - 1 = 2ⁿ (p + (1 - 2⁻ⁿ)), where the difference is exact or 2⁻ⁿ too small to matter.</summary>
    [MethodImpl(Inline)]
    public static T Expm1(T x)
    {
        var clamped = T.Max(-P.ExpDominates, T.Min(P.ExpBound, x));
        var p = Reduce(clamped, out var n, out _);
        var inverse = PowerOfTwo.FromRounded<T, P>(T.Max(-(P.ExpDominates + P.ExpDominates), -n) + P.Rounder);
        return T.Scale(p + (T.Of(1) - inverse), n) | (x & SignBit);
    }

    /// <summary>
    /// tanh(x) = u/(1 + u) with u = (exp(2|x|) - 1)/2, as m - m m/(1 + u) with m the smaller of u and 1: equal for either, and the
    /// quotient's error counts by m u/(1 + u) of itself alone.
    /// </summary>
    [MethodImpl(Inline)]
    public static T Tanh(T x)
    {
        var u = HalfExpm1OfDouble(T.Min(P.ExpDominates, T.Abs(x)));
        var m = T.Min(T.Of(1), u);
        var sum = T.Of(-1) - u;
        var quotient = m / sum;
        // Where products round on their own, what the sum's rounding lost is too much, and divides by it too.
        if (!T.IsFused) quotient -= quotient * (m + (sum + T.Max(T.Of(1), u)));
        return T.MultiplyAdd(m, quotient, m) | (x & SignBit);
    }

    /// <summary>sinh(x): a polynomial up to 1, e - 1/(4e) with e = exp(|x|)/2 beyond.</summary>
    [MethodImpl(Inline)]
    public static T Sinh(T x)
    {
        var a = T.Abs(x);
        var z = a * a;
        var small = T.MultiplyAdd(a * z, P.Sinh(z), a);
        var e = HalfExp(a);
        var large = e - T.Of(0.25) / e;
        return T.Select(T.LessThan(T.Of(1), a), large, small) | (x & SignBit);
    }

    /// <summary>cosh(x) = e + 1/(4e) with e = exp(|x|)/2.</summary>
    [MethodImpl(Inline)]
    public static T Cosh(T x)
    {
        var e = HalfExp(T.Abs(x));
        return e + T.Of(0.25) / e;
    }

    /// <summary>1/(1 + exp(-x)), from e = exp(-|x|): 1/(1 + e), or e/(1 + e) for negative x.</summary>
    [MethodImpl(Inline)]
    public static T Sigmoid(T x)
    {
        var isNegative = T.LessThan(x, T.Of(0));
        var p = Logistic(x, isNegative, out var n, out var denominator);
        var numerator = T.Of(1) + p;
        return PowerOfTwo.ScaleDown<T, P>(numerator / denominator, n);
    }

    /// <summary>x/(1 + exp(-x)), as <see cref="Sigmoid"/>; NaN at -infinity.</summary>
    [MethodImpl(Inline)]
    public static T Silu(T x)
    {
        var isNegative = T.LessThan(x, T.Of(0));
        var p = Logistic(x, isNegative, out var n, out var denominator);
        var bounded = T.Max(-P.ExpBound, x);
        var numerator = T.MultiplyAdd(T.Min(P.ExpBound, bounded), p, bounded);
        var value = T.Scale(numerator / denominator, n);
        return T.Select(T.Equal(x, T.Of(double.NegativeInfinity)), T.Of(double.NaN), value);
    }

    /// <summary>exp(-|x|).</summary>
    [MethodImpl(Inline)]
    public static T ExpOfNegative(T x)
    {
        var p = Reduce(T.Max(-P.ExpBound, -T.Abs(x)), out var n, out _);
        return PowerOfTwo.ScaleDown<T, P>(T.Of(1) + p, n);
    }

    /// <summary>The logistic function as 2ⁿ (1 + p)/denominator, where n and p are 0 for positive x but for rounding.</summary>
    [MethodImpl(Inline)]
    private static T Logistic(T x, T isNegative, out T n, out T denominator)
    {
        var p = Reduce(T.Max(-P.ExpBound, -T.Abs(x)), out n, out var rounded);
        var power = PowerOfTwo.FromRounded<T, P>(T.Max(P.Rounder - (P.ExpDominates + P.ExpDominates), rounded));
        n &= isNegative;
        var e = power * (T.Of(1) + p);
        denominator = T.Of(1) + e;
        // What the sum's rounding lost divides by it too: 1/(1 + e) is about 1 - e/2.
        var lost = e - (denominator - T.Of(1));
        return (p & isNegative) - lost * T.MultiplyAdd(T.Of(-0.5), e, T.Of(1));
    }

    /// <summary>exp(r) - 1 for the rest r of x = n log 2 + r, and n, and n plus <see cref="IPrecision{T}.Rounder"/>.</summary>
    [MethodImpl(Inline)]
    public static T Reduce(T x, out T n, out T rounded)
    {
        rounded = Nearest(x, out n);
        var high = T.NegatedMultiplyAdd(n, P.Ln2High, x);
        var r = T.NegatedMultiplyAdd(n, P.Ln2Low, high);
        var lost = T.NegatedMultiplyAdd(n, P.Ln2Low, high - r);
        return T.MultiplyAdd(r * r, P.Exp(r), lost) + r;
    }

    /// <summary>
    /// (exp(2a) - 1)/2 for a of at least 0 that 2ⁿ does not overflow at: 2ⁿ p + (2ⁿ - 1)/2 with p the same of the rest r. n is not the
    /// nearest integer but the one below, nearly, so that neither term is negative and nothing cancels.
    /// </summary>
    [MethodImpl(Inline)]
    private static T HalfExpm1OfDouble(T a)
    {
        var rounded = T.MultiplyAdd(a, T.Of(2 / 0.693147180559945309417), T.Of(-0.49)) + P.Rounder;
        var r = T.NegatedMultiplyAdd(rounded - P.Rounder, T.Of(0.693147180559945309417 / 2), a);
        var p = T.MultiplyAdd(r * r, P.ExpOfDouble(r), r);
        var power = PowerOfTwo.FromRounded<T, P>(rounded);
        return T.MultiplyAdd(power, p, T.MultiplyAdd(power, T.Of(0.5), T.Of(-0.5)));
    }

    /// <summary><see cref="Reduce"/> in three steps less, without what the rounding of r loses: half a unit of r's last place.</summary>
    [MethodImpl(Inline)]
    private static T ReduceQuickly(T x, out T n)
    {
        Nearest(x, out n);
        var r = T.NegatedMultiplyAdd(n, P.Ln2Low, T.NegatedMultiplyAdd(n, P.Ln2High, x));
        return T.MultiplyAdd(r * r, P.Exp(r), r);
    }

    /// <summary>The integer n nearest to x/log 2, and the same plus <see cref="IPrecision{T}.Rounder"/>.</summary>
    [MethodImpl(Inline)]
    private static T Nearest(T x, out T n)
    {
        var rounded = PowerOfTwo.RoundedProduct<T, P>(x, T.Of(1 / 0.693147180559945309417));
        n = rounded - P.Rounder;
        return rounded;
    }

    [MethodImpl(Inline)]
    private static T HalfExp(T x)
    {
        var p = Reduce(T.Min(P.ExpBound, x), out var n, out _);
        return T.Scale(T.Of(1) + p, n - T.Of(1));
    }
}
