using System.Diagnostics;

namespace DiffEqLang.Benchmarks;

/// <summary>Times of repeated runs of one thing, in seconds.</summary>
internal sealed record Measurement(string Name, double[] Seconds)
{
    public double Median => Seconds.Order().ElementAt(Seconds.Length / 2);

    /// <summary>The least: what neighbours on a shared machine disturb least.</summary>
    public double Least => Seconds.Min();

    /// <summary>Runs <paramref name="action"/> until half a second has passed uncounted, then counted times.</summary>
    /// <param name="name">What the table shows.</param>
    /// <param name="action">One run.</param>
    /// <param name="count">How many runs count.</param>
    /// <param name="warmUp">For how long to run before, in seconds: tiered compilation needs some.</param>
    public static Measurement Of(string name, Action action, int count = 31, double warmUp = 1.5)
    {
        var clock = Stopwatch.StartNew();
        do action();
        while (clock.Elapsed.TotalSeconds < warmUp);

        var seconds = new double[count];
        for (var i = 0; i < count; i++)
        {
            clock.Restart();
            action();
            seconds[i] = clock.Elapsed.TotalSeconds;
        }

        return new Measurement(name, seconds);
    }

    /// <summary>
    /// As <see cref="Of"/>, in seconds of the processor, the warm-up too: what neighbours on a shared machine leave alone.
    /// </summary>
    public static Measurement OfProcessor(string name, Action action, int count = 31, double warmUp = 5)
    {
        var begun = Environment.CpuUsage.TotalTime;
        do action();
        while ((Environment.CpuUsage.TotalTime - begun).TotalSeconds < warmUp);

        var seconds = new double[count];
        for (var i = 0; i < count; i++)
        {
            var start = Environment.CpuUsage.TotalTime;
            action();
            seconds[i] = (Environment.CpuUsage.TotalTime - start).TotalSeconds;
        }

        return new Measurement(name, seconds);
    }

    /// <summary>Says how many times a reference's time this is, where there is one.</summary>
    public void PrintRatio(IReadOnlyDictionary<string, double> reference, string name)
    {
        if (reference.TryGetValue(name, out var seconds))
            Console.WriteLine($"{"",-58} {Median / seconds:0.00} times the C++, {Format(seconds)}");
    }

    /// <summary>Runs two things in turn, so that a change of the machine's speed meets both.</summary>
    public static (Measurement First, Measurement Second) InTurn(
        string firstName, Action first, string secondName, Action second, int count = 31)
    {
        Of(firstName, first, count: 1);
        Of(secondName, second, count: 1);
        var (a, b) = (new double[count], new double[count]);
        var clock = new Stopwatch();
        for (var i = 0; i < count; i++)
        {
            clock.Restart();
            first();
            a[i] = clock.Elapsed.TotalSeconds;
            clock.Restart();
            second();
            b[i] = clock.Elapsed.TotalSeconds;
        }

        return (new Measurement(firstName, a), new Measurement(secondName, b));
    }

    public void Print() =>
        Console.WriteLine($"{Name,-58} {Format(Median),12}   min {Format(Seconds.Min())}, max {Format(Seconds.Max())}");

    public static string Format(double seconds) => seconds switch
    {
        < 1e-3 => $"{seconds * 1e6:0.0} µs",
        < 1 => $"{seconds * 1e3:0.00} ms",
        _ => $"{seconds:0.00} s",
    };
}
