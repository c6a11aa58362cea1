using System.CommandLine;
using System.Runtime.InteropServices;
using DiffEqLang.Deqc.InMemory;
using DiffEqLang.Deqc.Reporting;
using DiffEqLang.Deqc.Solving;
using DiffEqLang.Runtime;

namespace DiffEqLang.Deqc.Verbs;

/// <summary><c>deqc doctor</c>: whether this machine can compute, and with what.</summary>
public sealed class Doctor : Verb
{
    // x' = -x from 1: the solution is known at every time.
    private const string DecayModel = """
        model Decay {
          state x
          dx/dt = -x
          init x = 1
          solve { t = 0 .. 1, method = dopri5(rtol = 1e-8, atol = 1e-10), device = cpu }
        }
        """;

    private const double SelfTestTolerance = 1e-6;

    /// <inheritdoc/>
    public override string Summary => "checks that this machine can compute, and says what it found";

    /// <inheritdoc/>
    public override int Position => 9;

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples => [new("deqc doctor", "libraries, devices, and a small solve as a test")];

    /// <inheritdoc/>
    protected override IReadOnlyList<Argument> Arguments => [];

    /// <inheritdoc/>
    protected override IReadOnlyList<Option> Options => [];

    /// <inheritdoc/>
    public override ExitCode Execute(ParseResult arguments, Terminal terminal)
    {
        WriteVersions(terminal);
        var report = NativeLibraries.Report();
        WriteLibraries(report, terminal);
        if (!report.Usable) return ExitCode.FileFailed;
        WriteDevices(terminal);
        return SelfTest(terminal);
    }

    private static void WriteVersions(Terminal terminal)
    {
        Heading(terminal, "Versions");
        Row(terminal, "deqc", CommandLine.Version);
        Row(terminal, "TorchSharp", typeof(TorchSharp.torch).Assembly.GetName().Version?.ToString(3) ?? "unknown");
        Row(terminal, ".NET", RuntimeInformation.FrameworkDescription);
        Row(terminal, "system", $"{RuntimeInformation.OSDescription.Trim()}, {RuntimeInformation.RuntimeIdentifier}, {Environment.ProcessorCount} processors");
    }

    private static void WriteLibraries(NativeReport report, Terminal terminal)
    {
        Heading(terminal, "Native libraries");
        if (!report.Handled) Row(terminal, report.Platform, "loaded by TorchSharp itself on this platform");
        foreach (var library in report.Libraries)
            Row(terminal, library.Name, library.Loaded ? library.Path! : terminal.PaintOutput.Red(library.Error ?? "not found"));
        if (report.PatchedVersion is { } version) Row(terminal, "adapted copy", $"{report.PatchedCopy} (this system's libstdc++ lacks {version}, which is never used)");
        foreach (var hint in report.Hints) terminal.Output.WriteLine($"  {terminal.PaintOutput.Yellow("hint")}: {hint}");
    }

    private static void WriteDevices(Terminal terminal)
    {
        Heading(terminal, "Devices");
        Row(terminal, "cpu", $"{TorchSharp.torch.get_num_threads()} threads");
        var cuda = TorchSharp.torch.cuda.is_available() ? TorchSharp.torch.cuda.device_count() : 0;
        Row(terminal, "cuda", cuda == 0 ? "none found by this libtorch" : $"{cuda} device{(cuda == 1 ? "" : "s")}");
        Row(terminal, "mps", TorchSharp.torch.mps_is_available() ? "available" : "none found by this libtorch");
    }

    private static ExitCode SelfTest(Terminal terminal)
    {
        Heading(terminal, "Self-test");
        var request = new SolveRequest { Assignments = Assignments.Parse([], []) };
        using var model = LoadedModel.Load(ModelFile.OfText("decay.deq", DecayModel), request, terminal)
            ?? throw new InvalidOperationException("The model of the self-test does not compile.");
        var run = new ModelSolve(model, request).Run(TimeSelection.Parse(null, null, null, 2), 1);
        var error = Math.Abs(run.States[0].Values[^1] - Math.Exp(-1));
        var passed = run.Succeeded && error < SelfTestTolerance;
        Row(terminal, "dx/dt = -x", $"error {Number.Brief(error)} after {run.Accepted} steps, {(passed ? terminal.PaintOutput.Green("as it should be") : terminal.PaintOutput.Red("too large"))}");
        return passed ? ExitCode.Done : ExitCode.SolveFailed;
    }

    private static void Heading(Terminal terminal, string title) => terminal.Output.WriteLine(terminal.PaintOutput.Bold(title));

    private static void Row(Terminal terminal, string name, string value) => terminal.Output.WriteLine($"  {terminal.PaintOutput.Cyan(name.PadRight(22))} {value}");
}
