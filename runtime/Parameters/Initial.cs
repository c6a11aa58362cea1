using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// Initial values of parameters: float64 tensors on the CPU, which the model rounds to its dtype and brings to its device.
/// </summary>
/// <remarks>A weight is [out, in, ...]; fan-in and fan-out are counted as PyTorch does.</remarks>
public static class Initial
{
    /// <summary>Every element the same.</summary>
    public static Tensor Constant(double value, long[] shape) => full(shape, value, ScalarType.Float64, CPU);

    /// <summary>The elements as listed, row-major.</summary>
    /// <exception cref="ArgumentException">Their number does not fit the shape.</exception>
    public static Tensor Values(double[] elements, long[] shape)
    {
        if (elements.Length != Count(shape))
            throw new ArgumentException(
                $"Shape [{string.Join(", ", shape)}] has {Count(shape)} elements; {elements.Length} were given.", nameof(elements));
        return tensor(elements, ScalarType.Float64, CPU).reshape(shape);
    }

    /// <summary>Normal with a mean and a standard deviation.</summary>
    public static Tensor Normal(double mean, double standardDeviation, long[] shape, ParameterRandom random) =>
        Values([.. random.Normals(Count(shape)).Select(x => mean + standardDeviation * x)], shape);

    /// <summary>Uniform on (low, high).</summary>
    public static Tensor Uniform(double low, double high, long[] shape, ParameterRandom random) =>
        Values([.. random.Uniforms(Count(shape)).Select(x => low + (high - low) * x)], shape);

    /// <summary>
    /// Uniform with variance 2 / (fan-in + fan-out): Glorot and Bengio (2010), Understanding the difficulty of training
    /// deep feedforward neural networks, eq. 16.
    /// </summary>
    public static Tensor XavierUniform(long[] shape, ParameterRandom random) =>
        Symmetric(Math.Sqrt(6.0 / FanSum(shape)), shape, random);

    /// <summary>Normal with the variance of <see cref="XavierUniform"/>.</summary>
    public static Tensor XavierNormal(long[] shape, ParameterRandom random) =>
        Normal(0, Math.Sqrt(2.0 / FanSum(shape)), shape, random);

    /// <summary>
    /// Uniform with variance 2 / fan-in, for rectifiers: He, Zhang, Ren and Sun (2015), Delving deep into rectifiers, eq. 10.
    /// </summary>
    public static Tensor KaimingUniform(long[] shape, ParameterRandom random) =>
        Symmetric(Math.Sqrt(6.0 / Fans(shape).In), shape, random);

    /// <summary>Normal with the variance of <see cref="KaimingUniform"/>.</summary>
    public static Tensor KaimingNormal(long[] shape, ParameterRandom random) =>
        Normal(0, Math.Sqrt(2.0 / Fans(shape).In), shape, random);

    /// <summary>Uniform in ±1/√fan-in: what torch.nn.Linear does for its weight and its bias.</summary>
    public static Tensor Linear(long fanIn, long[] shape, ParameterRandom random) =>
        Symmetric(1 / Math.Sqrt(fanIn), shape, random);

    /// <summary>
    /// A uniformly distributed (semi-)orthogonal matrix, the axes after the first taken as one: the Q of a normal
    /// matrix, its columns' signs set by R. Mezzadri (2007), How to generate random matrices from the classical compact
    /// groups, Notices of the AMS 54.
    /// </summary>
    public static Tensor Orthogonal(long[] shape, ParameterRandom random)
    {
        RequireMatrix(shape);
        using var scope = NewDisposeScope();
        var (rows, columns) = (shape[0], Count(shape) / Math.Max(1, shape[0]));
        var normal = Values(random.Normals(rows * columns), [rows, columns]);
        var (q, r) = linalg.qr(rows < columns ? normal.t() : normal);
        var signed = q * r.diagonal().sign();
        return (rows < columns ? signed.t() : signed).contiguous().reshape(shape).MoveToOuterDisposeScope();
    }

    private static Tensor Symmetric(double bound, long[] shape, ParameterRandom random) =>
        Uniform(-bound, bound, shape, random);

    private static long FanSum(long[] shape)
    {
        var (fanIn, fanOut) = Fans(shape);
        return fanIn + fanOut;
    }

    private static (long In, long Out) Fans(long[] shape)
    {
        RequireMatrix(shape);
        var receptiveField = Count(shape[2..]);
        return (shape[1] * receptiveField, shape[0] * receptiveField);
    }

    private static void RequireMatrix(long[] shape)
    {
        if (shape.Length < 2)
            throw new ArgumentException(
                $"This initial value counts inputs and outputs, so it needs a shape of two axes or more, not [{string.Join(", ", shape)}]; use normal or uniform.",
                nameof(shape));
    }

    private static long Count(ReadOnlySpan<long> shape)
    {
        var count = 1L;
        foreach (var n in shape) count *= n;
        return count;
    }
}
