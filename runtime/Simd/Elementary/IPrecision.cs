namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// What the elementary functions know of float32 and float64: the format, constants in parts, and the polynomials that
/// approximate each function on its reduced interval. The algorithms are the same for both.
/// </summary>
internal interface IPrecision<T>
    where T : struct, ILanes<T>
{
    /// <summary>The bits of a number behind its exponent.</summary>
    static abstract int MantissaBits { get; }

    /// <summary>The same as a number.</summary>
    static abstract T MantissaLength { get; }

    /// <summary>2^MantissaBits: its last bit counts ones.</summary>
    static abstract T UlpsOfOne { get; }

    /// <summary>2^ExponentBias, the largest power of two.</summary>
    static abstract T LargestPower { get; }

    /// <summary>2^MantissaBits + ExponentBias, the exponent's bits behind UlpsOfOne's.</summary>
    static abstract T BiasedUlpsOfOne { get; }

    /// <summary>1.5 · 2^MantissaBits + ExponentBias: what is added to it is rounded to an integer.</summary>
    static abstract T Rounder { get; }

    /// <summary>2^(-2 MantissaBits), which a normal number may be raised and lowered by again.</summary>
    static abstract T Lowered { get; }

    /// <summary>The rounder + 2 MantissaBits.</summary>
    static abstract T RaisingRounder { get; }

    /// <summary>1.5 · 2^MantissaBits: as the rounder, and integers end up in the last bits as they are.</summary>
    static abstract T Quadrants { get; }

    /// <summary>The shift that takes a number's second last bit to its sign.</summary>
    static abstract int SecondBitToSign { get; }

    /// <summary>The smallest normal number.</summary>
    static abstract T SmallestNormal { get; }

    /// <summary>Where exp surely overflows and, negated, vanishes.</summary>
    static abstract T ExpBound { get; }

    /// <summary>Beyond it 1 is lost beside exp(x), and x² beside x.</summary>
    static abstract T ExpDominates { get; }

    /// <summary>From here on sqrt(x² ± 1) is x.</summary>
    static abstract T SquareDominates { get; }

    /// <summary>Above it a sum of two numbers may overflow.</summary>
    static abstract T SumOverflows { get; }

    /// <summary>Up to here arguments of trigonometric functions are reduced by <see cref="HalfPi1"/> to <see cref="HalfPi3"/>.</summary>
    static abstract T TrigonometricBound { get; }

    /// <summary>The leading bits of log 2: its product with an exponent is exact.</summary>
    static abstract T Ln2High { get; }

    /// <summary>log 2 - Ln2High.</summary>
    static abstract T Ln2Low { get; }

    /// <summary>π/2, rounded.</summary>
    static abstract T HalfPi1 { get; }

    /// <summary>π/2 - HalfPi1, rounded.</summary>
    static abstract T HalfPi2 { get; }

    /// <summary>What is left of π/2, rounded.</summary>
    static abstract T HalfPi3 { get; }

    /// <summary>2^⌈bits/2⌉ + 1: Dekker's, which splits a number in two halves.</summary>
    static abstract T Splitter { get; }

    /// <summary>π, rounded.</summary>
    static abstract T Pi1 { get; }

    /// <summary>π - Pi1, rounded.</summary>
    static abstract T Pi2 { get; }

    /// <summary>The k of <see cref="Mills"/>.</summary>
    static abstract T MillsCentre { get; }

    /// <summary>The w of <see cref="Mills"/>, which makes it flat at 0: √(π/2), nearly.</summary>
    static abstract T MillsWeight { get; }

    /// <summary>Beyond it the normal distribution's tail vanishes.</summary>
    static abstract T NormalBound { get; }

    /// <summary>Beyond it erf(x) is 1.</summary>
    static abstract T ErfBound { get; }

    /// <summary>(exp(r) - 1 - r)/r² for |r| up to log(2)/2.</summary>
    static abstract T Exp(T r);

    /// <summary>((exp(2r) - 1)/2 - r)/r² for r from 0 to log(2)/2, and 0.004 beyond both.</summary>
    static abstract T ExpOfDouble(T r);

    /// <summary>(log((1 + s)/(1 - s))/s - 2)/s² by z = s², for s up to (√2 - 1)/(√2 + 1).</summary>
    static abstract T Log(T z);

    /// <summary>(sinh(x)/x - 1)/x² by z = x², for x up to 1.</summary>
    static abstract T Sinh(T z);

    /// <summary>(sin(r)/r - 1)/r² by z = r², for r up to π/4.</summary>
    static abstract T Sin(T z);

    /// <summary>(cos(r) - 1 + r²/2)/r⁴ by z = r², for r up to π/4.</summary>
    static abstract T Cos(T z);

    /// <summary>(asin(x)/x - 1)/x² by z = x², for x up to 1/2.</summary>
    static abstract T Asin(T z);

    /// <summary>(atan(t)/t - 1)/t² by z = t², for t up to √2 - 1.</summary>
    static abstract T Atan(T z);

    /// <summary>erf(x)/x - 1 by z = x², for x up to 1.</summary>
    static abstract T Erf(T z);

    /// <summary>
    /// exp(a²/2) Φ(-a) (a + w), Mills' ratio of the normal distribution but for the factor √(2π), by t = (a - k)/(a + k) for a up to
    /// where it vanishes.
    /// </summary>
    static abstract T Mills(T t);
}
