using DiffEqLang.Runtime.Noise;

namespace DiffEqLang.Runtime;

/// <summary>
/// Random numbers for the initial values of parameters. Each tensor drawn has its own stretch of numbers, so
/// that a seed gives the same values on every device and in every dtype (rounded), whatever the tensors before it hold.
/// </summary>
/// <param name="seed">Chooses the numbers.</param>
public sealed class ParameterRandom(ulong seed)
{
    private ulong _tensors;

    /// <summary>The next tensor's elements, standard normal.</summary>
    internal double[] Normals(long count) => Draw(count, CounterDomain.Normals);

    /// <summary>The next tensor's elements, uniform on (0, 1).</summary>
    internal double[] Uniforms(long count) => Draw(count, CounterDomain.Uniforms);

    private delegate void Source(ulong seed, long group, int domain, ulong index, Span<double> numbers);

    private double[] Draw(long count, Source source)
    {
        var numbers = new double[count];
        var index = _tensors++;
        Span<double> group = stackalloc double[BrownianPath.GroupSize];
        for (var start = 0L; start < count; start += BrownianPath.GroupSize)
        {
            source(seed, start / BrownianPath.GroupSize, CounterDomain.Parameters, index, group);
            var rest = numbers.AsSpan((int)start);
            group[..Math.Min(group.Length, rest.Length)].CopyTo(rest);
        }

        return numbers;
    }
}
