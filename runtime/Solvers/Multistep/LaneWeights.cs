using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>Weighted sums over values of all lanes, [values, lanes, width], each lane with weights of its own.</summary>
internal static class LaneWeights
{
    /// <summary>Some sums at once: [sums, lanes, width] as views of one tensor.</summary>
    /// <param name="values">[values, lanes, width].</param>
    /// <param name="weights">Of each sum, the weights of each lane.</param>
    public static Tensor[] Sums(Tensor values, params ReadOnlySpan<double[][]> weights)
    {
        var (sums, lanes, count) = (weights.Length, (int)values.size(1), (int)values.size(0));
        var flat = new double[lanes * sums * count];
        for (var sum = 0; sum < sums; sum++)
            for (var lane = 0; lane < lanes; lane++)
                weights[sum][lane].CopyTo(flat, (lane * sums + sum) * count);
        using var matrix = HostVector.ToDevice(flat, [lanes, sums, count], values.dtype, values.device);
        return matrix.bmm(values.transpose(0, 1)).unbind(1);
    }

    /// <summary>One number a lane, in the shape of weights of values: [lanes, 1].</summary>
    public static Tensor Column(double[] numbers, Tensor like) => HostVector.ToDevice(numbers, [numbers.Length, 1], like.dtype, like.device);

    /// <summary>The weights themselves, for products with values: [values, lanes, 1].</summary>
    public static Tensor Transposed(double[][] weights, Tensor like)
    {
        var (lanes, count) = (weights.Length, weights[0].Length);
        var flat = new double[lanes * count];
        for (var lane = 0; lane < lanes; lane++)
            for (var i = 0; i < count; i++)
                flat[i * lanes + lane] = weights[lane][i];
        return HostVector.ToDevice(flat, [count, lanes, 1], like.dtype, like.device);
    }
}
