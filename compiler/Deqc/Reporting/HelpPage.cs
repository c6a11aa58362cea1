using System.CommandLine;
using DiffEqLang.Deqc.Verbs;

namespace DiffEqLang.Deqc.Reporting;

/// <summary>A page of help: what it is for, how it is called, rows in two columns, lines to copy.</summary>
internal sealed class HelpPage
{
    private readonly List<Action<Terminal>> sections = [];

    /// <summary>The page of <c>deqc --help</c>.</summary>
    public static HelpPage OfCommand(IReadOnlyList<Verb> verbs) => new HelpPage()
        .Text("deqc compiles differential-equation models (.deq) to C# on TorchSharp.")
        .Usage("deqc VERB [arguments]")
        .Rows("Verbs", [.. verbs.Select(verb => (verb.Name, verb.Summary))])
        .Rows("Everywhere", [("-h, --help", "this page; deqc VERB --help for one verb"), ("--version", "the version")])
        .Examples(
        [
            new Example("deqc new pendulum", "a first model, pendulum.deq"),
            new Example("deqc run pendulum.deq -o pendulum.png", "solve it and draw it"),
            new Example("deqc explain pendulum.deq", "the system, its Jacobian and its adjoint"),
            new Example("deqc build pendulum.deq -o Generated", "the C# class, to check in and use"),
        ])
        .Text("Exit codes: 0 done, 1 the model has errors, 2 the command line is wrong, 3 the solve failed, 4 a file could not be read or written.");

    /// <summary>The page of <c>deqc VERB --help</c>.</summary>
    public static HelpPage OfVerb(Verb verb)
    {
        var command = verb.ToCommand();
        var page = new HelpPage().Text($"{char.ToUpperInvariant(verb.Summary[0])}{verb.Summary[1..]}.").Usage(UsageOf(command));
        if (command.Arguments.Count > 0)
            page.Rows("Arguments", [.. command.Arguments.Select(a => (a.HelpName ?? a.Name, a.Description ?? ""))]);
        var options = command.Options.Where(option => !option.Hidden).Select(option => (Heading(option), option.Description ?? ""));
        return page.Rows("Options", [.. options, ("-h, --help", "this page")]).Examples(verb.Examples);
    }

    /// <summary>Writes it to standard output.</summary>
    public void Write(Terminal terminal)
    {
        for (var i = 0; i < sections.Count; i++)
        {
            if (i > 0) terminal.Output.WriteLine();
            sections[i](terminal);
        }
    }

    private HelpPage Text(string text) => Add(terminal =>
    {
        foreach (var line in Wrap(text, terminal.Width)) terminal.Output.WriteLine(line);
    });

    private HelpPage Usage(string usage) => Add(terminal =>
        terminal.Output.WriteLine($"{terminal.PaintOutput.Bold("Usage")}  {usage}"));

    private HelpPage Rows(string title, IReadOnlyList<(string Left, string Right)> rows) => Add(terminal =>
    {
        terminal.Output.WriteLine(terminal.PaintOutput.Bold(title));
        var left = rows.Max(row => row.Left.Length) + 2;
        foreach (var (name, description) in rows)
        {
            var lines = Wrap(description, Math.Max(30, terminal.Width - left - 2)).ToList();
            terminal.Output.WriteLine($"  {terminal.PaintOutput.Cyan(name.PadRight(left))}{lines[0]}");
            foreach (var line in lines.Skip(1)) terminal.Output.WriteLine(new string(' ', left + 2) + line);
        }
    });

    private HelpPage Examples(IReadOnlyList<Example> examples) => Add(terminal =>
    {
        terminal.Output.WriteLine(terminal.PaintOutput.Bold("Examples"));
        foreach (var example in examples)
        {
            terminal.Output.WriteLine($"  {terminal.PaintOutput.Dim("# " + example.Explanation)}");
            terminal.Output.WriteLine($"  {example.Line}");
        }
    });

    private HelpPage Add(Action<Terminal> section)
    {
        sections.Add(section);
        return this;
    }

    private static string UsageOf(Command command)
    {
        var arguments = command.Arguments.Select(a => a.Arity.MaximumNumberOfValues > 1 ? $"{a.HelpName ?? a.Name}..." : a.HelpName ?? a.Name);
        return string.Join(' ', ["deqc", command.Name, .. arguments, "[options]"]);
    }

    private static string Heading(Option option)
    {
        var names = string.Join(", ", option.Aliases.Append(option.Name).Distinct().OrderBy(name => name.Length));
        return option.Arity.MaximumNumberOfValues == 0 ? names : $"{names} {option.HelpName}";
    }

    private static IEnumerable<string> Wrap(string text, int width)
    {
        var line = "";
        foreach (var word in text.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line;
                line = "";
            }

            line = line.Length == 0 ? word : $"{line} {word}";
        }

        yield return line;
    }
}
