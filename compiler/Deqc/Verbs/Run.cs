using System.CommandLine;
using DiffEqLang.Deqc.Files;
using DiffEqLang.Deqc.InMemory;
using DiffEqLang.Deqc.Reporting;
using DiffEqLang.Deqc.Solving;
using DiffEqLang.Plots;

namespace DiffEqLang.Deqc.Verbs;

/// <summary><c>deqc run FILE</c>: compiles in memory and solves.</summary>
public sealed class Run : Verb
{
    /// <summary>Times reported where nothing asks for others: the two ends for JSON, enough for a table, or for a smooth curve.</summary>
    private const int PointsOfJson = 2, PointsOfTable = 101, PointsOfPicture = 2001;

    private readonly Argument<string> file = new("FILE") { Description = "the model" };
    private readonly SolveArguments solve = new();
    private readonly Option<string?> at = Value<string?>("--at", "T1,T2,...", "exactly these times; the solve starts where the solve block says, or at the first");
    private readonly Option<int?> points = Value<int?>("--points", "N", "so many evenly spaced times, both ends included");
    private readonly Option<int> paths = new("--paths") { HelpName = "N", Description = "so many solutions at once, of a stochastic model with as many noises", DefaultValueFactory = _ => 1 };
    private readonly Option<string?> output = new("--output", "-o") { HelpName = "FILE", Description = "write the solution as .csv, .json, .png or .svg" };
    private readonly Option<string?> checkpoint = Value<string?>("--checkpoint", "FILE", "write where the solve has ended, to go on from later");
    private readonly Option<string?> resume = Value<string?>("--resume", "FILE", "go on from there, with the same --set and --seed, up to the end of --t");
    private readonly Option<bool> json = Flag("--json", "print one JSON object and nothing else");

    /// <inheritdoc/>
    public override string Summary => "solves a model, prints or draws the solution";

    /// <inheritdoc/>
    public override int Position => 3;

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("deqc run lorenz.deq --t 0..20 -o lorenz.png", "a picture"),
        new("deqc run lorenz.deq --set rho=14 --init x=2 --json", "with other values, for a program"),
        new("deqc run prices.deq --paths 1000 --seed 7 -o prices.csv", "a thousand paths, as a table"),
        new("deqc run orbit.deq --t 0..100 --checkpoint orbit.state", "a solve that --t 0..200 --resume orbit.state goes on with"),
    ];

    /// <inheritdoc/>
    protected override IReadOnlyList<Argument> Arguments => [file];

    /// <inheritdoc/>
    protected override IReadOnlyList<Option> Options => [.. solve.Options, at, points, paths, checkpoint, resume, output, json];

    /// <inheritdoc/>
    public override ExitCode Execute(ParseResult arguments, Terminal terminal)
    {
        var request = solve.Read(arguments);
        var target = arguments.GetValue(output);
        var form = FormOf(target);
        var count = arguments.GetValue(paths);
        if (count < 1) throw CommandFailure.Usage($"--paths {count}: at least 1");
        var times = TimeSelection.Parse(solve.Span(arguments), arguments.GetValue(at), arguments.GetValue(points), DefaultPoints(form));
        using var model = LoadedModel.Load(ModelFile.Read(arguments.GetRequiredValue(file)), request, terminal);
        if (model is null) return ExitCode.ModelErrors;
        var run = Solve(new ModelSolve(model, request), times, count, arguments);
        if (target is not null) OutputFiles.Write(new OutputFile(target, Render(run, form)));
        if (arguments.GetValue(json)) RunReports.WriteJson(run, terminal.Output);
        else RunReports.WriteSummary(run, terminal);
        foreach (var written in arguments.GetValue(json) ? [] : (string?[])[target, arguments.GetValue(checkpoint)])
            if (written is not null)
                terminal.Output.WriteLine($"  {written} written");
        return run.Succeeded ? ExitCode.Done : ExitCode.SolveFailed;
    }

    private RunResult Solve(ModelSolve model, TimeSelection times, int count, ParseResult arguments)
    {
        var kept = arguments.GetValue(checkpoint);
        if (arguments.GetValue(resume) is not { } from) return model.Run(times, count, kept);
        if (count > 1 || solve.Read(arguments).Assignments.Initials.Count > 0)
            throw CommandFailure.Usage($"--resume {from} goes on from the states in that file: leave --paths and --init out");
        return model.Resume(from, times, kept);
    }

    private static string? FormOf(string? target) => target is null ? null : Path.GetExtension(target).ToLowerInvariant() switch
    {
        ".csv" or ".json" or ".png" or ".svg" => Path.GetExtension(target).ToLowerInvariant(),
        _ => throw CommandFailure.Usage($"-o {target}: the ending decides the form; write .csv, .json, .png or .svg"),
    };

    private static int DefaultPoints(string? form) => form switch
    {
        ".csv" => PointsOfTable,
        ".png" or ".svg" => PointsOfPicture,
        _ => PointsOfJson,
    };

    // Pictures in a method of their own: the plotting library is loaded only where one is drawn.
    private static byte[] Render(RunResult run, string? form)
    {
        if (form is ".png" or ".svg") return Draw(run, form);
        if (form is ".csv") return OutputFile.OfText("", RunReports.Csv(run)).Content;
        using var text = new StringWriter { NewLine = "\n" };
        RunReports.WriteJson(run, text);
        return OutputFile.OfText("", text.ToString()).Content;
    }

    private static byte[] Draw(RunResult run, string form)
    {
        var figure = RunFigure.Of(run);
        return form is ".png" ? figure.ToPng() : figure.ToSvg();
    }
}
