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
    public static T UlpsOfOne
    {
        [MethodImpl(Inline)]
        get => T.Of(1 << 23);
    }

    /// <inheritdoc/>
    public static T LargestPower
    {
        [MethodImpl(Inline)]
        get => T.Of(1.7014118346046923e38);
    }

    /// <inheritdoc/>
    public static T BiasedUlpsOfOne
    {
        [MethodImpl(Inline)]
        get => T.Of((1 << 23) + 127);
    }

    /// <inheritdoc/>
    public static T Rounder
    {
        [MethodImpl(Inline)]
        get => T.Of((3 << 22) + 127);
    }

    /// <inheritdoc/>
    public static T Lowered
    {
        [MethodImpl(Inline)]
        get => T.Of(1.4210854715202004e-14);
    }

    /// <inheritdoc/>
    public static T RaisingRounder
    {
        [MethodImpl(Inline)]
        get => T.Of((3 << 22) + 127 + 46);
    }

    /// <inheritdoc/>
    public static T Quadrants
    {
        [MethodImpl(Inline)]
        get => T.Of(3 << 22);
    }

    /// <inheritdoc/>
    public static int SecondBitToSign
    {
        [MethodImpl(Inline)]
        get => 30;
    }

    /// <inheritdoc/>
    public static T SmallestNormal
    {
        [MethodImpl(Inline)]
        get => T.Of(1.1754943508222875e-38);
    }

    /// <inheritdoc/>
    public static T ExpBound
    {
        [MethodImpl(Inline)]
        get => T.Of(115);
    }

    /// <inheritdoc/>
    public static T ExpDominates
    {
        [MethodImpl(Inline)]
        get => T.Of(20);
    }

    /// <inheritdoc/>
    public static T SquareDominates
    {
        [MethodImpl(Inline)]
        get => T.Of(1e5);
    }

    /// <inheritdoc/>
    public static T SumOverflows
    {
        [MethodImpl(Inline)]
        get => T.Of(1e37);
    }

    /// <inheritdoc/>
    public static T TrigonometricBound
    {
        [MethodImpl(Inline)]
        get => T.Of(1e5);
    }

    /// <inheritdoc/>
    public static T Ln2High
    {
        [MethodImpl(Inline)]
        get => T.Of(6.9313812256e-01);
    }

    /// <inheritdoc/>
    public static T Ln2Low
    {
        [MethodImpl(Inline)]
        get => T.Of(9.0580006145e-06);
    }

    /// <inheritdoc/>
    public static T HalfPi1
    {
        [MethodImpl(Inline)]
        get => T.Of(1.5707963705062866);
    }

    /// <inheritdoc/>
    public static T HalfPi2
    {
        [MethodImpl(Inline)]
        get => T.Of(-4.371138828673793e-08);
    }

    /// <inheritdoc/>
    public static T HalfPi3
    {
        [MethodImpl(Inline)]
        get => T.Of(-1.7151245100058819e-15);
    }

    /// <inheritdoc/>
    public static T Splitter
    {
        [MethodImpl(Inline)]
        get => T.Of((1 << 12) + 1);
    }

    /// <inheritdoc/>
    public static T MillsCentre
    {
        [MethodImpl(Inline)]
        get => T.Of(2.875);
    }

    /// <inheritdoc/>
    public static T MillsWeight
    {
        [MethodImpl(Inline)]
        get => T.Of(1.25);
    }

    /// <inheritdoc/>
    public static T NormalBound
    {
        [MethodImpl(Inline)]
        get => T.Of(15);
    }

    /// <inheritdoc/>
    public static T ErfBound
    {
        [MethodImpl(Inline)]
        get => T.Of(10);
    }

    /// <inheritdoc/>
    public static T Pi1
    {
        [MethodImpl(Inline)]
        get => T.Of(3.1415927410125732);
    }

    /// <inheritdoc/>
    public static T Pi2
    {
        [MethodImpl(Inline)]
        get => T.Of(-8.742277657347586e-08);
    }

    /// <inheritdoc/>
    public static T MantissaLength
    {
        [MethodImpl(Inline)]
        get => T.Of(23);
    }

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static T Exp(T r) => Horner<T>.ByPairs(
        r, 0.5, 0.166666672, 0.0416664816, 0.00833318941, 0.00139333564, 0.000199611357);

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static T ExpOfDouble(T r) => Horner<T>.Of(
        r, 1.00000167, 0.666594267, 0.33432892, 0.127497107, 0.0594305918);

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
