using System.Runtime.CompilerServices;

namespace DiffEqLang.Runtime.Simd;

/// <summary>float32.</summary>
/// <remarks>
/// The polynomials are near-minimax in the relative error: Lawson's weighted least squares at Chebyshev points with 60 digits, the
/// coefficients rounded one after another, from the lowest power on, and the others fitted again.
/// </remarks>
internal readonly struct Float32<T> : IPrecision<T>
    where T : struct, ILanes<T>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <inheritdoc/>
    public static int MantissaBits
    {
        [MethodImpl(Inline)]
        get => 23;
    }

    /// <inheritdoc/>
    public static int ExponentBias
    {
        [MethodImpl(Inline)]
        get => 127;
    }

    /// <inheritdoc/>
    public static double UlpsOfOne
    {
        [MethodImpl(Inline)]
        get => 1 << 23;
    }

    /// <inheritdoc/>
    public static double LargestPower
    {
        [MethodImpl(Inline)]
        get => 1.7014118346046923e38;
    }

    /// <inheritdoc/>
    public static double Rounder
    {
        [MethodImpl(Inline)]
        get => (3 << 22) + 127;
    }

    /// <inheritdoc/>
    public static double Quadrants
    {
        [MethodImpl(Inline)]
        get => 3 << 22;
    }

    /// <inheritdoc/>
    public static int SecondBitToSign
    {
        [MethodImpl(Inline)]
        get => 30;
    }

    /// <inheritdoc/>
    public static double SmallestNormal
    {
        [MethodImpl(Inline)]
        get => 1.1754943508222875e-38;
    }

    /// <inheritdoc/>
    public static double ExpBound
    {
        [MethodImpl(Inline)]
        get => 115;
    }

    /// <inheritdoc/>
    public static double ExpDominates
    {
        [MethodImpl(Inline)]
        get => 20;
    }

    /// <inheritdoc/>
    public static double SquareDominates
    {
        [MethodImpl(Inline)]
        get => 1e5;
    }

    /// <inheritdoc/>
    public static double SumOverflows
    {
        [MethodImpl(Inline)]
        get => 1e37;
    }

    /// <inheritdoc/>
    public static double TrigonometricBound
    {
        [MethodImpl(Inline)]
        get => 1e5;
    }

    /// <inheritdoc/>
    public static double Ln2High
    {
        [MethodImpl(Inline)]
        get => 6.9313812256e-01;
    }

    /// <inheritdoc/>
    public static double Ln2Low
    {
        [MethodImpl(Inline)]
        get => 9.0580006145e-06;
    }

    /// <inheritdoc/>
    public static double HalfPi1
    {
        [MethodImpl(Inline)]
        get => 1.5707963705062866;
    }

    /// <inheritdoc/>
    public static double HalfPi2
    {
        [MethodImpl(Inline)]
        get => -4.371138828673793e-08;
    }

    /// <inheritdoc/>
    public static double HalfPi3
    {
        [MethodImpl(Inline)]
        get => -1.7151245100058819e-15;
    }

    /// <inheritdoc/>
    public static double Splitter
    {
        [MethodImpl(Inline)]
        get => (1 << 12) + 1;
    }

    /// <inheritdoc/>
    public static double MillsCentre
    {
        [MethodImpl(Inline)]
        get => 2.875;
    }

    /// <inheritdoc/>
    public static double MillsWeight
    {
        [MethodImpl(Inline)]
        get => 1.25;
    }

    /// <inheritdoc/>
    public static double NormalBound
    {
        [MethodImpl(Inline)]
        get => 15;
    }

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static T Exp(T r) => Horner<T>.Of(
        r, 0.5, 0.166666672, 0.0416664816, 0.00833318941, 0.00139333564, 0.000199611357);

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static T Log(T z) => Horner<T>.Of(
        z, 0.666667759, 0.399775714, 0.298713505);

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static T Sinh(T z) => Horner<T>.Of(
        z, 0.166666672, 0.00833331235, 0.000198423892, 2.78548509e-06);

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static T Sin(T z) => Horner<T>.Of(
        z, -0.166666552, 0.0083321901, -0.000195184082);

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static T Cos(T z) => Horner<T>.Of(
        z, 0.0416666456, -0.00138873106, 2.44325383e-05);

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static T Asin(T z) => Horner<T>.Of(
        z, 0.166667536, 0.074952513, 0.0454762541, 0.0241504423, 0.0422155969);

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static T Atan(T z) => Horner<T>.Of(
        z, -0.333333164, 0.19998531, -0.14244464, 0.105997249, -0.0609139055);

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static T Erf(T z) => Horner<T>.Of(
        z, 0.128379166, -0.376126289, 0.112836182, -0.026855126, 0.00519073335, -0.000803074974,
        7.92030041e-05);

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static T Mills(T t)
    {
        var sum = Horner<T>.Of(
            t, -0.000192707201, 0.00288098096, 9.69087432e-06, -0.000507415971, -7.02357429e-05, 7.56596492e-05,
            2.66569605e-05);
        return Horner<T>.Onto(
            sum, t, 0.519592106, -0.148625299, 0.0089977067, 0.0358246118, -0.0190663207);
    }
}
