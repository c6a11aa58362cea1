using System.Runtime.CompilerServices;

namespace DiffEqLang.Runtime.Simd;

/// <summary>float64.</summary>
/// <remarks>
/// The polynomials are near-minimax in the relative error: Lawson's weighted least squares at Chebyshev points with 60 digits, the
/// coefficients rounded one after another, from the lowest power on, and the others fitted again.
/// </remarks>
internal readonly struct Float64<T> : IPrecision<T>
    where T : struct, ILanes<T>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <inheritdoc/>
    public static int MantissaBits
    {
        [MethodImpl(Inline)]
        get => 52;
    }

    /// <inheritdoc/>
    public static T UlpsOfOne
    {
        [MethodImpl(Inline)]
        get => T.Of(1L << 52);
    }

    /// <inheritdoc/>
    public static T LargestPower
    {
        [MethodImpl(Inline)]
        get => T.Of(8.98846567431158e307);
    }

    /// <inheritdoc/>
    public static T BiasedUlpsOfOne
    {
        [MethodImpl(Inline)]
        get => T.Of((1L << 52) + 1023);
    }

    /// <inheritdoc/>
    public static T Rounder
    {
        [MethodImpl(Inline)]
        get => T.Of((3L << 51) + 1023);
    }

    /// <inheritdoc/>
    public static T Lowered
    {
        [MethodImpl(Inline)]
        get => T.Of(4.930380657631324e-32);
    }

    /// <inheritdoc/>
    public static T RaisingRounder
    {
        [MethodImpl(Inline)]
        get => T.Of((3L << 51) + 1023 + 104);
    }

    /// <inheritdoc/>
    public static T Quadrants
    {
        [MethodImpl(Inline)]
        get => T.Of(3L << 51);
    }

    /// <inheritdoc/>
    public static int SecondBitToSign
    {
        [MethodImpl(Inline)]
        get => 62;
    }

    /// <inheritdoc/>
    public static T SmallestNormal
    {
        [MethodImpl(Inline)]
        get => T.Of(2.2250738585072014e-308);
    }

    /// <inheritdoc/>
    public static T ExpBound
    {
        [MethodImpl(Inline)]
        get => T.Of(760);
    }

    /// <inheritdoc/>
    public static T ExpDominates
    {
        [MethodImpl(Inline)]
        get => T.Of(44);
    }

    /// <inheritdoc/>
    public static T SquareDominates
    {
        [MethodImpl(Inline)]
        get => T.Of(1e9);
    }

    /// <inheritdoc/>
    public static T SumOverflows
    {
        [MethodImpl(Inline)]
        get => T.Of(1e307);
    }

    /// <inheritdoc/>
    public static T TrigonometricBound
    {
        [MethodImpl(Inline)]
        get => T.Of(1e9);
    }

    /// <inheritdoc/>
    public static T Ln2High
    {
        [MethodImpl(Inline)]
        get => T.Of(6.93147180369123816490e-01);
    }

    /// <inheritdoc/>
    public static T Ln2Low
    {
        [MethodImpl(Inline)]
        get => T.Of(1.90821492927058770002e-10);
    }

    /// <inheritdoc/>
    public static T HalfPi1
    {
        [MethodImpl(Inline)]
        get => T.Of(1.5707963267948966);
    }

    /// <inheritdoc/>
    public static T HalfPi2
    {
        [MethodImpl(Inline)]
        get => T.Of(6.123233995736766e-17);
    }

    /// <inheritdoc/>
    public static T HalfPi3
    {
        [MethodImpl(Inline)]
        get => T.Of(-1.4973849048591698e-33);
    }

    /// <inheritdoc/>
    public static T Splitter
    {
        [MethodImpl(Inline)]
        get => T.Of((1 << 27) + 1);
    }

    /// <inheritdoc/>
    public static T MillsCentre
    {
        [MethodImpl(Inline)]
        get => T.Of(5.625);
    }

    /// <inheritdoc/>
    public static T MillsWeight
    {
        [MethodImpl(Inline)]
        get => T.Of(1.25537109375);
    }

    /// <inheritdoc/>
    public static T NormalBound
    {
        [MethodImpl(Inline)]
        get => T.Of(39);
    }

    /// <inheritdoc/>
    public static T ErfBound
    {
        [MethodImpl(Inline)]
        get => T.Of(27);
    }

    /// <inheritdoc/>
    public static T Pi1
    {
        [MethodImpl(Inline)]
        get => T.Of(3.141592653589793);
    }

    /// <inheritdoc/>
    public static T Pi2
    {
        [MethodImpl(Inline)]
        get => T.Of(1.2246467991473532e-16);
    }

    /// <inheritdoc/>
    public static T MantissaLength
    {
        [MethodImpl(Inline)]
        get => T.Of(52);
    }

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static T Exp(T r)
    {
        var sum = Horner<T>.Of(
            r, 0.001388888888887294, 0.0001984126988657649, 2.4801587350438382e-05, 2.755724377557145e-06,
            2.755725040749254e-07, 2.5109182656028912e-08, 2.0922288283864062e-09);
        return Horner<T>.Onto(
            sum, r, 0.5, 0.16666666666666677, 0.041666666666666685, 0.00833333333332144);
    }

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static T ExpOfDouble(T r)
    {
        var sum = Horner<T>.Of(
            r, 0.1333333346402549, 0.044444424756354593, 0.012698591145408063, 0.0031735890572891935, 0.00070909842049739831,
            0.000133186042720237, 3.5055538532349806e-05);
        return Horner<T>.Onto(
            sum, r, 0.99999999999999689, 0.66666666666744112, 0.33333333328577786);
    }

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static T Log(T z) => Horner<T>.Of(
        z, 0.6666666666666726, 0.3999999999945713, 0.28571428734491333, 0.22222199275457077,
        0.181835319798084, 0.15314795225935324, 0.14789171217625055);

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static T Sinh(T z) => Horner<T>.Of(
        z, 0.16666666666666669, 0.008333333333332917, 0.00019841269841587475, 2.755731910911784e-06,
        2.5052130573622048e-08, 1.6056694637059842e-10, 7.77548528790808e-13);

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static T Sin(T z) => Horner<T>.Of(
        z, -0.16666666666666632, 0.00833333333332246, -0.0001984126982981891, 2.7557313689623938e-06,
        -2.5050757038259207e-08, 1.5896700431617735e-10);

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static T Cos(T z) => Horner<T>.Of(
        z, 0.0416666666666666, -0.001388888888887445, 2.480158728964445e-05, -2.755731439023434e-07,
        2.0875727465142656e-09, -1.1359824339769994e-11);

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static T Asin(T z)
    {
        var sum = Horner<T>.Of(
            z, 0.013980922703967823, 0.011398028085253677, 0.010785429081833794, 0.0036861621167454794,
            0.021758142261248895, -0.021072552462758118, 0.032675538682505965);
        sum = Horner<T>.Onto(
            sum, z, 0.07499999999970709, 0.044642857174796144, 0.03038194269589716, 0.022372215382863422,
            0.017351604111189304);
        return Horner<T>.Onto(
            sum, z, 0.1666666666666676);
    }

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static T Atan(T z)
    {
        var sum = Horner<T>.Of(
            z, -0.09090897773169576, 0.07692060448937597, -0.06663106267583838, 0.05847902302663475,
            -0.05039349404239195, 0.03806535331316001, -0.017907712139715804);
        return Horner<T>.Onto(
            sum, z, -0.333333333333332, 0.1999999999995376, -0.1428571428021113, 0.1111111078408424);
    }

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static T Erf(T z)
    {
        var sum = Horner<T>.Of(
            z, -0.0008548325803651168, 0.00012055290003609914, -1.49246462012873e-05, 1.6446339081703566e-06,
            -1.620037717582998e-07, 1.3685737609558218e-08, -7.732972152489022e-10);
        return Horner<T>.Onto(
            sum, z, 0.12837916709551256, -0.3761263890318343, 0.11283791670941434, -0.0268661706427337,
            0.005223977603309492);
    }

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static T Mills(T t)
    {
        var sum = Horner<T>.Of(
            t, 2.0258508829346335e-08, 3.8211295561217067e-08, -5.605722547066122e-09, -6.294852431064487e-09,
            3.670784888014861e-10, 9.463366038764318e-10, 1.9052099170479887e-10);
        sum = Horner<T>.Onto(
            sum, t, -7.442713470650886e-06, -3.5420092352737927e-06, 1.7712475924282672e-06, 1.1528172462777654e-07,
            -2.6482243898984547e-07);
        sum = Horner<T>.Onto(
            sum, t, -0.004463479826311522, 0.0014646488597932306, -0.00023379891456590352, -5.753099174878479e-05,
            4.5719399465818836e-05);
        sum = Horner<T>.Onto(
            sum, t, -0.020515218901535504, -0.006252938547723783, 0.01602295481075728, -0.014834992194037371,
            0.009470644761480103);
        return Horner<T>.Onto(
            sum, t, 0.47382598232442213, -0.1207512283415246, 0.06523083292255975);
    }
}
