namespace DiffEqLang.Deqc.Solving;

/// <summary>What <c>--set</c> and <c>--init</c> give, by name; <c>init(x)</c> stands apart.</summary>
internal sealed class Assignments
{
    private readonly Dictionary<string, NumberArray> values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, NumberArray> initials = new(StringComparer.Ordinal);
    private readonly HashSet<string> used = new(StringComparer.Ordinal);

    /// <summary>Reads <c>name=value</c> of <c>--set</c> and <c>--init</c>; <c>--set init(x)=...</c> is the same as <c>--init x=...</c>.</summary>
    public static Assignments Parse(IEnumerable<string> set, IEnumerable<string> init)
    {
        var result = new Assignments();
        foreach (var text in set)
        {
            var (name, value) = Split("--set", text);
            if (name.StartsWith("init(", StringComparison.Ordinal) && name.EndsWith(')')) result.AddInitial(name[5..^1].Trim(), value);
            else result.Add(name, value);
        }

        foreach (var text in init)
        {
            var (name, value) = Split("--init", text);
            result.AddInitial(name, value);
        }

        return result;
    }

    /// <summary>The values that are not initial ones.</summary>
    public IReadOnlyDictionary<string, NumberArray> Values => values;

    /// <summary>The initial values, by state.</summary>
    public IReadOnlyDictionary<string, NumberArray> Initials => initials;

    /// <summary>The values of these names alone.</summary>
    public Assignments Among(IReadOnlyCollection<string> names)
    {
        var result = new Assignments();
        foreach (var (name, value) in values.Where(pair => names.Contains(pair.Key))) result.Add(name, value);
        return result;
    }

    /// <summary>One more value.</summary>
    /// <exception cref="CommandFailure">It has one.</exception>
    public void Add(string name, NumberArray value) => Add(values, name, name, value);

    /// <summary>A value by name, which then counts as used.</summary>
    public NumberArray? Take(string name)
    {
        used.Add(name);
        return values.GetValueOrDefault(name);
    }

    /// <summary>An initial value by state, which then counts as used.</summary>
    public NumberArray? TakeInitial(string state)
    {
        used.Add($"init({state})");
        return initials.GetValueOrDefault(state);
    }

    /// <summary>Refuses names that the model does not have.</summary>
    public void RefuseUnused(string model, IReadOnlyCollection<string> known)
    {
        foreach (var name in values.Keys.Concat(initials.Keys.Select(state => $"init({state})")))
        {
            if (!used.Contains(name))
                throw CommandFailure.Usage($"model {model} has nothing named '{name}' to set{CommandLine.DidYouMean(name, known)} (it has {string.Join(", ", known)})");
        }
    }

    private void AddInitial(string state, NumberArray value) => Add(initials, state, $"init({state})", value);

    private void Add(Dictionary<string, NumberArray> into, string key, string name, NumberArray value)
    {
        if (!into.TryAdd(key, value)) throw CommandFailure.Usage($"'{name}' is set twice");
    }

    private static (string Name, NumberArray Value) Split(string option, string text)
    {
        var equals = text.IndexOf('=');
        if (equals <= 0) throw CommandFailure.Usage($"{option} {text}: write {option} name=value");
        var name = text[..equals].Trim().Normalize();
        try
        {
            return (name, NumberArray.Parse(text[(equals + 1)..]));
        }
        catch (FormatException problem)
        {
            throw CommandFailure.Usage($"{option} {name}: {problem.Message}; write a number or a list such as [1, 2]");
        }
    }
}
