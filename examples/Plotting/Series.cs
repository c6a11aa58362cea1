using static TorchSharp.torch;

namespace DiffEqLang.Examples;

/// <summary>Tensors as the numbers that a plot takes.</summary>
public static class Series
{
    /// <summary>Evenly spaced numbers from 0 to <paramref name="end"/>, both included.</summary>
    public static double[] Grid(double end, int count) => [.. Enumerable.Range(0, count).Select(i => end * i / (count - 1))];

    /// <summary>All elements, in order.</summary>
    public static double[] ToArray(this Tensor tensor) => tensor.detach().to(ScalarType.Float64).cpu().contiguous().data<double>().ToArray();

    /// <summary>Column i of [rows, columns].</summary>
    public static double[] Column(this Tensor tensor, long i) => tensor.select(1, i).ToArray();
}
