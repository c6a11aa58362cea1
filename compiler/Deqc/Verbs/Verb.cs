using System.CommandLine;
using System.Reflection;
using DiffEqLang.Deqc.Reporting;

namespace DiffEqLang.Deqc.Verbs;

/// <summary>A line of a verb's help that can be copied and run.</summary>
public sealed record Example(string Line, string Explanation);

/// <summary>
/// One verb of the command. A new verb is a new file in this folder: a class named as the verb, capitalised,
/// is found by that name, so that running one verb does not load the others.
/// </summary>
public abstract class Verb
{
    /// <summary>The word on the command line: the class's name in lower case.</summary>
    public string Name => GetType().Name.ToLowerInvariant();

    /// <summary>One line for the list of verbs.</summary>
    public abstract string Summary { get; }

    /// <summary>Its place in the list of verbs.</summary>
    public abstract int Position { get; }

    /// <summary>Lines to copy.</summary>
    public abstract IReadOnlyList<Example> Examples { get; }

    /// <summary>Its arguments, in order.</summary>
    protected abstract IReadOnlyList<Argument> Arguments { get; }

    /// <summary>Its options, in the order of the help.</summary>
    protected abstract IReadOnlyList<Option> Options { get; }

    /// <summary>Does it.</summary>
    /// <exception cref="CommandFailure">It cannot be done.</exception>
    public abstract ExitCode Execute(ParseResult arguments, Terminal terminal);

    /// <summary>As System.CommandLine parses it.</summary>
    public Command ToCommand()
    {
        var command = new Command(Name, Summary);
        foreach (var argument in Arguments) command.Add(argument);
        foreach (var option in Options) command.Add(option);
        return command;
    }

    /// <summary>The verb of this name, or null.</summary>
    public static Verb? Find(string name)
    {
        if (name.Length == 0 || name.Any(c => c is < 'a' or > 'z')) return null;
        var type = typeof(Verb).Assembly.GetType($"{typeof(Verb).Namespace}.{char.ToUpperInvariant(name[0])}{name[1..]}");
        return type is { IsAbstract: false } && type.IsSubclassOf(typeof(Verb)) ? (Verb)Activator.CreateInstance(type)! : null;
    }

    /// <summary>All verbs, in the order of the help.</summary>
    public static IReadOnlyList<Verb> All() =>
        [.. Assembly.GetExecutingAssembly().GetTypes()
            .Where(type => type.IsSubclassOf(typeof(Verb)) && !type.IsAbstract)
            .Select(type => (Verb)Activator.CreateInstance(type)!)
            .OrderBy(verb => verb.Position)];

    /// <summary>An option that takes a value, shown as <paramref name="placeholder"/> in the help.</summary>
    protected static Option<T> Value<T>(string name, string placeholder, string description) =>
        new(name) { Description = description, HelpName = placeholder };

    /// <summary>An option that may be given several times, one value each.</summary>
    protected static Option<string[]> Values(string name, string placeholder, string description) =>
        new(name) { Description = description, HelpName = placeholder, Arity = ArgumentArity.OneOrMore, AllowMultipleArgumentsPerToken = false };

    /// <summary>An option that is there or not.</summary>
    protected static Option<bool> Flag(string name, string description) =>
        new(name) { Description = description, Arity = ArgumentArity.Zero };
}
