using System.CommandLine;
using System.CommandLine.Parsing;
using DiffEqLang.Deqc.Reporting;
using DiffEqLang.Deqc.Verbs;

namespace DiffEqLang.Deqc;

/// <summary>From words to a verb and its exit code. Whatever goes wrong ends in one clear line.</summary>
public static class CommandLine
{
    private static readonly string[] HelpWords = ["--help", "-h", "-?", "/?", "help"];

    /// <summary>Runs deqc. Only this process's files and the terminal's writers are touched.</summary>
    /// <param name="arguments">The words after <c>deqc</c>.</param>
    /// <param name="terminal">Where results and messages go.</param>
    /// <returns>The exit code, as <see cref="ExitCode"/> lists them.</returns>
    public static int Run(IReadOnlyList<string> arguments, Terminal terminal)
    {
        terminal = Guarded(terminal);
        try
        {
            return (int)Dispatch(arguments, terminal);
        }
        catch (CommandFailure failure)
        {
            return (int)Fail(terminal, failure.Code, failure.Message);
        }
        catch (Exception mistake) when (Environment.GetEnvironmentVariable("DEQC_TRACE") != "1")
        {
            return (int)InternalError(terminal, mistake);
        }
    }

    // Where standard error is gone, nobody is left to be told of it: the exit code has to do.
    private static Terminal Guarded(Terminal terminal) => terminal with
    {
        Output = new GuardedWriter(
            terminal.Output,
            problem => throw CommandFailure.File($"standard output cannot be written: {problem.Message.TrimEnd('.')}"))
        { NewLine = terminal.Output.NewLine },
        Error = new GuardedWriter(terminal.Error, _ => { }) { NewLine = terminal.Error.NewLine },
    };

    private static ExitCode Dispatch(IReadOnlyList<string> arguments, Terminal terminal)
    {
        if (arguments.Count == 0 || HelpWords.Contains(arguments[0])) return Help(arguments, terminal);
        if (arguments[0] == "--version")
        {
            terminal.Output.WriteLine($"deqc {Version}");
            return ExitCode.Done;
        }

        var verb = Verb.Find(arguments[0]) ?? throw UnknownVerb(arguments[0]);
        if (arguments.Skip(1).TakeWhile(word => word != "--").Any(word => word is "--help" or "-h" or "-?"))
        {
            HelpPage.OfVerb(verb).Write(terminal);
            return ExitCode.Done;
        }

        return verb.Execute(Parse(verb, arguments), terminal);
    }

    private static ParseResult Parse(Verb verb, IReadOnlyList<string> arguments)
    {
        var parsed = verb.ToCommand().Parse([.. arguments.Skip(1)], new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
            throw CommandFailure.Usage($"{Explain(parsed)} (deqc {verb.Name} --help shows the options)");
        return parsed;
    }

    private static string Explain(ParseResult parsed)
    {
        var unknown = parsed.UnmatchedTokens.FirstOrDefault(word => word.StartsWith('-') && word.Length > 1);
        if (unknown is null) return Missing(parsed) ?? parsed.Errors[0].Message.TrimEnd('.');
        var known = parsed.CommandResult.Command.Options.Select(option => option.Name);
        return $"there is no option '{unknown}'{DidYouMean(unknown, known)}";
    }

    private static string? Missing(ParseResult parsed)
    {
        var argument = parsed.CommandResult.Command.Arguments.FirstOrDefault(a => a.Arity.MinimumNumberOfValues > 0 && parsed.GetResult(a) is null or { Tokens.Count: 0 });
        var option = parsed.CommandResult.Command.Options.FirstOrDefault(o => o.Required && parsed.GetResult(o) is null);
        return argument is not null ? $"{argument.Name} is missing" : option is not null ? $"{option.Name} {option.HelpName} is missing" : null;
    }

    private static ExitCode Help(IReadOnlyList<string> arguments, Terminal terminal)
    {
        if (arguments.Count > 1)
            HelpPage.OfVerb(Verb.Find(arguments[1]) ?? throw UnknownVerb(arguments[1])).Write(terminal);
        else
            HelpPage.OfCommand(Verb.All()).Write(terminal);
        return ExitCode.Done;
    }

    private static CommandFailure UnknownVerb(string word)
    {
        var verbs = Verb.All().Select(verb => verb.Name).ToList();
        var isFile = word.EndsWith(".deq", StringComparison.OrdinalIgnoreCase);
        var advice = isFile ? $"; a verb comes first: deqc check {word}" : DidYouMean(word, verbs);
        return CommandFailure.Usage($"there is no verb '{word}'{advice} (the verbs are {string.Join(", ", verbs)})");
    }

    internal static string DidYouMean(string word, IEnumerable<string> known)
    {
        var nearest = known.Select(name => (name, distance: EditDistance.Between(word, name))).DefaultIfEmpty().MinBy(c => c.distance);
        var isNear = nearest.distance <= Math.Max(1, word.Length / 3) && nearest.distance < word.Length;
        return nearest.name is not null && isNear ? $"; did you mean '{nearest.name}'?" : "";
    }

    internal static string Version =>
        typeof(CommandLine).Assembly.GetName().Version is { } version ? version.ToString(3) : "0";

    private static ExitCode Fail(Terminal terminal, ExitCode code, string message)
    {
        terminal.Error.WriteLine($"deqc: {terminal.PaintError.Red("error")}: {message.ReplaceLineEndings(" ")}");
        return code;
    }

    private static ExitCode InternalError(Terminal terminal, Exception mistake) =>
        Fail(
            terminal,
            ExitCode.InternalError,
            $"internal error: {mistake.GetType().Name}: {mistake.Message} "
            + "This is a mistake in deqc, not in your model; please report it with the model and this line. "
            + "DEQC_TRACE=1 prints the trace.");
}
