using System.Globalization;
using System.Text;
using System.Text.Json;
using DiffEqLang.Deqc.Reporting;

namespace DiffEqLang.Deqc.Solving;

/// <summary>The forms in which a run is written as text.</summary>
internal static class RunReports
{
    /// <summary>The most elements whose final values a person is shown.</summary>
    private const int MostFinalValues = 24;

    /// <summary>The most events that a person is shown.</summary>
    private const int MostEvents = 12;

    /// <summary>The JSON object of the language page: first axis time, then path where there are several.</summary>
    public static void WriteJson(RunResult run, TextWriter output) => JsonNumbers.WriteObject(output, json =>
    {
        json.WriteString("model", run.Model);
        json.WriteString("status", run.Status);
        if (!run.Succeeded) json.WriteString("message", run.Message);
        json.WritePropertyName("t");
        json.WriteNumbers([run.Times.Length], run.Times);
        WriteSeries(json, "states", run, run.States);
        WriteSeries(json, "outputs", run, run.Outputs);
        if (run.Events is { } events) WriteEvents(json, run, events);
        if (run.Methods.Count > 0) WriteMethods(json, run);
        json.WriteStartObject("statistics");
        json.WriteNumber("accepted", run.Accepted);
        json.WriteNumber("rejected", run.Rejected);
        json.WriteNumber("evaluations", run.Evaluations);
        if (run.Factorizations > 0)
        {
            json.WriteNumber("jacobians", run.Jacobians);
            json.WriteNumber("factorizations", run.Factorizations);
        }

        json.WriteEndObject();
        json.WritePropertyName("seconds");
        json.WriteNumber(Math.Round(run.Seconds, 6));
    });

    /// <summary>One row a time (and path), one column an element.</summary>
    public static string Csv(RunResult run)
    {
        Series[] series = [.. run.States, .. run.Outputs];
        var text = new StringBuilder(run.Paths > 1 ? "t,path" : "t");
        foreach (var one in series)
        {
            for (var element = 0; element < one.Size; element++) text.Append(',').Append(Quote(one.ElementName(element)));
        }

        text.Append('\n');
        for (var row = 0; row < run.Times.Length * run.Paths; row++)
        {
            text.Append(Format(run.Times[row / run.Paths], single: false));
            if (run.Paths > 1) text.Append(',').Append(row % run.Paths);
            foreach (var one in series)
            {
                foreach (var value in one.Values.AsSpan(row * one.Size, one.Size)) text.Append(',').Append(Format(value, run.SinglePrecision));
            }

            text.Append('\n');
        }

        return text.ToString();
    }

    /// <summary>A few lines for a person: how it went and where it ended.</summary>
    public static void WriteSummary(RunResult run, Terminal terminal)
    {
        var (output, paint) = (terminal.Output, terminal.PaintOutput);
        var status = run.Succeeded ? paint.Green(run.Status) : paint.Red(run.Status);
        output.WriteLine($"{paint.Bold(run.Model)}  {status}  {run.Message}".TrimEnd());
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  t = {Number.Brief(run.Times[0])} .. {Number.Brief(run.Times[^1])}   {Paths(run)}{run.Accepted:N0} steps, {run.Rejected:N0} rejected, {run.Evaluations:N0} evaluations{Matrices(run)}   {Duration(run.Seconds)}"));
        if (run.Methods.Count > 0) output.WriteLine($"  {MethodsInWords(run)}");
        if (run.Events is { } events) WriteEvents(terminal, run, events);
        Series[] series = [.. run.States, .. run.Outputs];
        var rows = series.SelectMany(one => Enumerable.Range(0, one.Size).Select(element => FinalValue(run, one, element))).ToList();
        var width = rows.Select(row => row.Name.Length).DefaultIfEmpty().Max();
        foreach (var (name, value) in rows.Take(MostFinalValues)) output.WriteLine($"  {paint.Cyan(name.PadRight(width))} = {value}");
        if (rows.Count > MostFinalValues) output.WriteLine(paint.Dim($"  and {rows.Count - MostFinalValues} more; --json or -o file.csv gives all"));
    }

    /// <summary>Each path's methods, with the times from which on.</summary>
    private static void WriteMethods(Utf8JsonWriter json, RunResult run)
    {
        json.WriteStartArray("methods");
        foreach (var ofPath in run.Methods)
        {
            if (run.Paths > 1) json.WriteStartArray();
            foreach (var (time, method) in ofPath)
            {
                json.WriteStartObject();
                json.WritePropertyName("t");
                json.WriteNumbers([], [time]);
                json.WriteString("method", method);
                json.WriteEndObject();
            }

            if (run.Paths > 1) json.WriteEndArray();
        }

        json.WriteEndArray();
    }

    private static string MethodsInWords(RunResult run)
    {
        if (run.Paths > 1) return $"{run.Methods.Count(ofPath => ofPath.Count > 1):N0} of {run.Paths:N0} paths changed their method";
        var changes = run.Methods[0];
        var words = changes.Skip(1).Take(MostEvents).Select(change => $"from t = {Number.Brief(change.Time)} {change.Method}");
        return string.Join(", ", words.Prepend(changes[0].Method)) + (changes.Count > MostEvents + 1 ? $", and {changes.Count - MostEvents - 1} more changes" : "");
    }

    private static string Matrices(RunResult run) => run.Factorizations == 0
        ? ""
        : string.Create(CultureInfo.InvariantCulture, $", {run.Jacobians:N0} Jacobians, {run.Factorizations:N0} factorizations");

    private static (string Name, string Value) FinalValue(RunResult run, Series series, int element)
    {
        var last = Enumerable.Range(0, run.Paths)
            .Select(path => series.Values[((run.Times.Length - 1) * run.Paths + path) * series.Size + element])
            .ToList();
        if (run.Paths == 1) return (series.ElementName(element), Number.Brief(last[0]));
        var mean = last.Average();
        var deviation = Math.Sqrt(last.Sum(value => (value - mean) * (value - mean)) / (run.Paths - 1));
        return (series.ElementName(element), $"{Number.Brief(mean)} ± {Number.Brief(deviation)}");
    }

    private static void WriteEvents(Terminal terminal, RunResult run, IReadOnlyList<Happening> events)
    {
        var (output, paint) = (terminal.Output, terminal.PaintOutput);
        if (events.Count == 0) output.WriteLine("  no event happened");
        foreach (var one in events.Take(MostEvents))
            output.WriteLine($"  {paint.Cyan(one.Name)} at t = {Number.Brief(one.Time)}{(run.Paths > 1 ? $" in path {one.Path}" : "")}");
        if (events.Count > MostEvents) output.WriteLine(paint.Dim($"  and {events.Count - MostEvents} more events; --json gives all"));
    }

    private static void WriteEvents(Utf8JsonWriter json, RunResult run, IReadOnlyList<Happening> events)
    {
        json.WriteStartArray("events");
        foreach (var one in events)
        {
            json.WriteStartObject();
            json.WriteString("event", one.Name);
            if (run.Paths > 1) json.WriteNumber("path", one.Path);
            json.WritePropertyName("t");
            json.WriteNumber(one.Time);
            WriteStates(json, "before", one.Before, run.SinglePrecision);
            WriteStates(json, "after", one.After, run.SinglePrecision);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteStates(Utf8JsonWriter json, string name, IReadOnlyList<Series> states, bool single)
    {
        json.WriteStartObject(name);
        foreach (var state in states)
        {
            json.WritePropertyName(state.Name);
            json.WriteNumbers([.. state.Shape], state.Values, single);
        }

        json.WriteEndObject();
    }

    private static void WriteSeries(Utf8JsonWriter json, string name, RunResult run, IReadOnlyList<Series> series)
    {
        json.WriteStartObject(name);
        foreach (var one in series)
        {
            long[] shape = run.Paths > 1 ? [run.Times.Length, run.Paths, .. one.Shape] : [run.Times.Length, .. one.Shape];
            json.WritePropertyName(one.Name);
            json.WriteNumbers(shape, one.Values, run.SinglePrecision);
        }

        json.WriteEndObject();
    }

    private static string Paths(RunResult run) => run.Paths > 1 ? $"{run.Paths:N0} paths, mean ± standard deviation   " : "";

    private static string Duration(double seconds) =>
        (seconds < 1 ? $"{(seconds * 1000).ToString("F1", CultureInfo.InvariantCulture)} ms" : $"{seconds.ToString("F2", CultureInfo.InvariantCulture)} s");

    private static string Format(double value, bool single) =>
        single ? ((float)value).ToString("R", CultureInfo.InvariantCulture) : value.ToString("R", CultureInfo.InvariantCulture);

    private static string Quote(string name) => name.Contains(',') ? $"\"{name}\"" : name;
}
