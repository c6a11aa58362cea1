using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using DiffEqLang.Deqc.InMemory;
using DiffEqLang.Deqc.Reporting;
using DiffEqLang.Runtime;

namespace DiffEqLang.Deqc.Solving;

/// <summary>One way to a gradient, and what it took.</summary>
/// <param name="Mode">How the gradient is computed.</param>
/// <param name="Target">On what.</param>
/// <param name="Result">The loss and its gradients; null where this way is closed to the model.</param>
/// <param name="Obstacle">Why it is closed; null where it is not.</param>
/// <param name="Seconds">Of one solve with its backward pass, the fastest of three.</param>
/// <param name="Bytes">By how much the process grew during it, at most.</param>
/// <param name="Difference">‖g - g₀‖ / ‖g₀‖, with g₀ the first way's.</param>
internal sealed record GradientWay(
    GradientMode Mode, SolveTarget Target, LossResult? Result, string? Obstacle, double Seconds, long Bytes, double Difference)
{
    /// <summary>As it is written in a solve block.</summary>
    public string Gradient => Mode.ToString().ToLowerInvariant();

    /// <summary>Likewise.</summary>
    public string On => Target.ToString().ToLowerInvariant();
}

/// <summary>All ways to one gradient, side by side.</summary>
internal static class GradientComparison
{
    private const int Runs = 3;

    /// <summary>Runs every mode on every target.</summary>
    public static IReadOnlyList<GradientWay> Run(LossGradient gradients, TimeSelection times, IReadOnlyList<string>? wanted)
    {
        gradients.RefuseUnknown(wanted);
        List<GradientWay> ways = [];
        foreach (var mode in Enum.GetValues<GradientMode>())
            foreach (var target in (SolveTarget[])[SolveTarget.Torch, SolveTarget.Simd])
                ways.Add(Measure(gradients, times, wanted, mode, target, ways.FirstOrDefault(way => way.Result is { Failure: null })));
        return ways;
    }

    private static GradientWay Measure(
        LossGradient gradients, TimeSelection times, IReadOnlyList<string>? wanted, GradientMode mode, SolveTarget target, GradientWay? first)
    {
        try
        {
            LossResult Compute() => gradients.Compute(times, mode, wanted, target);
            var result = Compute();    // compiles what is compiled just in time
            var bytes = Growth(() => Compute());
            var seconds = Enumerable.Range(0, Runs).Min(_ => Duration(() => Compute()));
            return new GradientWay(mode, target, result, null, seconds, bytes, first is null ? 0 : Difference(result, first.Result!));
        }
        catch (Exception obstacle) when (obstacle is InvalidOperationException or ArgumentException or CommandFailure)
        {
            return new GradientWay(mode, target, null, obstacle.Message, double.NaN, 0, double.NaN);
        }
    }

    private static double Duration(Action action)
    {
        var clock = Stopwatch.StartNew();
        action();
        return clock.Elapsed.TotalSeconds;
    }

    /// <summary>How far the process grows while something runs: looked at every millisecond, torch's memory among it.</summary>
    private static long Growth(Action action)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var before = Environment.WorkingSet;
        var most = before;
        using var ended = new ManualResetEventSlim();
        var watcher = new Thread(() =>
        {
            do most = Math.Max(most, Environment.WorkingSet);
            while (!ended.Wait(1));
        });
        watcher.Start();
        try
        {
            action();
        }
        finally
        {
            ended.Set();
            watcher.Join();
        }

        return most - before;
    }

    private static double Difference(LossResult result, LossResult first)
    {
        var (square, size) = (0.0, 0.0);
        foreach (var ((_, mine), (_, theirs)) in result.Gradients.Zip(first.Gradients))
            foreach (var (a, b) in mine.Values.Zip(theirs.Values))
                (square, size) = (square + (a - b) * (a - b), size + b * b);
        return result.Failure is null ? Math.Sqrt(square / size) : double.NaN;
    }

    /// <summary>A line for each way, and the warnings below.</summary>
    public static void WriteTable(IReadOnlyList<GradientWay> ways, Terminal terminal)
    {
        var (output, paint) = (terminal.Output, terminal.PaintOutput);
        output.WriteLine(paint.Bold($"{"gradient",-12} {"target",-7} {"time",10} {"memory",10} {"loss",14} {"difference",11}"));
        foreach (var way in ways)
        {
            var name = $"{way.Gradient,-12} {way.On,-7}";
            if (way.Result is null) output.WriteLine($"{name} {paint.Dim(way.Obstacle!)}");
            else if (way.Result.Failure is { } failure) output.WriteLine($"{name} {paint.Red(failure.Status)}  {failure.Message}");
            else output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{name} {way.Seconds * 1000,7:F1} ms {way.Bytes / 1048576.0,7:F1} MB {Number.Brief(way.Result.Loss),14} {way.Difference,11:0.0e+00}"));
        }

        foreach (var way in ways)
            foreach (var warning in way.Result?.Warnings ?? [])
                output.WriteLine($"{paint.Yellow("warning")}: {way.Gradient} on {way.On}: {warning.Message}");
    }

    /// <summary>One object: the ways in an array, each with its gradients.</summary>
    public static void WriteJson(IReadOnlyList<GradientWay> ways, bool single, TextWriter output) => JsonNumbers.WriteObject(output, json =>
    {
        json.WriteStartArray("ways");
        foreach (var way in ways) Write(json, way, single);
        json.WriteEndArray();
    });

    private static void Write(Utf8JsonWriter json, GradientWay way, bool single)
    {
        json.WriteStartObject();
        json.WriteString("gradient", way.Gradient);
        json.WriteString("target", way.On);
        if (way.Result is null) json.WriteString("obstacle", way.Obstacle);
        else if (way.Result.Failure is { } failure)
        {
            json.WriteString("status", failure.Status);
            json.WriteString("message", failure.Message);
        }
        else
        {
            json.WriteNumber("seconds", Math.Round(way.Seconds, 6));
            json.WriteNumber("bytes", way.Bytes);
            json.WritePropertyName("difference");
            json.WriteNumber(way.Difference, single: false);
            json.WritePropertyName("loss");
            json.WriteNumber(way.Result.Loss, single);
            json.WriteStartObject("gradients");
            foreach (var (name, value) in way.Result.Gradients)
            {
                json.WritePropertyName(name);
                json.WriteNumbers([.. value.Shape], value.Values, single);
            }

            json.WriteEndObject();
        }

        json.WriteEndObject();
    }
}
