using System.Collections.Immutable;
using System.Reflection;
using DiffEqLang.Contracts;
using DiffEqLang.Deqc.Reporting;
using DiffEqLang.Deqc.Solving;
using DiffEqLang.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Deqc.InMemory;

/// <summary>A model compiled in memory, created, and given the values of the command line.</summary>
internal sealed class LoadedModel : IDisposable
{
    private readonly ModelAssembly assembly;
    private readonly SolveRequest request;

    private LoadedModel(ModelAssembly assembly, string name, SolveRequest request)
    {
        (this.assembly, this.request, Name) = (assembly, request, name);
        var type = assembly.TypeOf(name);
        Title = FirstSentence(assembly.SummaryOf(type)) ?? name;
        Instance = Create(type);
        SetParameters();
        SetConstants();
        Initial = InitialValues();
        request.Assignments.RefuseUnused(name, [.. KnownNames()]);
    }

    /// <summary>As the .deq file has it.</summary>
    public string Name { get; }

    /// <summary>The first sentence of its documentation, or its name.</summary>
    public string Title { get; }

    /// <summary>The generated class.</summary>
    public DifferentialModel Instance { get; }

    /// <summary>The initial values that the command line gives, by state.</summary>
    public IReadOnlyDictionary<string, Tensor> Initial { get; }

    /// <summary>The element type of the computation.</summary>
    public ScalarType Dtype => request.SinglePrecision ? ScalarType.Float32 : ScalarType.Float64;

    /// <summary>Compiles and creates a model; null where it has errors, which are then printed.</summary>
    /// <exception cref="CommandFailure">The file has several models and none was chosen, or a value does not fit.</exception>
    public static LoadedModel? Load(ModelFile file, SolveRequest request, Terminal terminal, params ImmutableArray<(string, string)> extraOutputs)
    {
        var options = new CompileOptions
        {
            Model = request.Model,
            Dims = Dims(file, request.Assignments),
            ExtraOutputs = extraOutputs,
            Target = request.Target,
            SecondDerivatives = request.SecondDerivatives,
            Dtype = request.SinglePrecision ? "float32" : "float64",
            Method = request.Method,
        };
        var result = file.Compile(options);
        file.Report(result.Diagnostics, terminal);
        if (!result.Succeeded) return null;
        var names = result.Files.Select(generated => generated.Model).Distinct().ToList();
        if (names.Count == 0) throw CommandFailure.Usage(request.Model is { } asked ? $"--model {asked}: the file has no model of that name" : "the file has no model");
        if (names.Count > 1) throw CommandFailure.Usage($"the file has several models: choose one with --model ({string.Join(", ", names)})");
        return new LoadedModel(ModelAssembly.Compile(result.Files), names[0], request);
    }

    /// <summary>A tensor of given numbers for a state or a parameter: a single number fills the shape.</summary>
    /// <exception cref="CommandFailure">The shape is another.</exception>
    public Tensor TensorOf(string name, NumberArray value, IReadOnlyList<long> shape)
    {
        using var numbers = tensor(value.Values, [.. value.Shape], ScalarType.Float64);
        var fits = value.Shape.Count == 0 || value.Shape.SequenceEqual(shape);
        if (!fits) throw CommandFailure.Usage($"'{name}' has the shape {ShapeText(shape)}, the value given is {ShapeText(value.Shape)}");
        return numbers.expand([.. shape]).to(Dtype).to(Instance.Device).clone();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Instance.Dispose();
        assembly.Dispose();
    }

    private DifferentialModel Create(Type type)
    {
        var constructor = type.GetConstructors().Single();
        var values = constructor.GetParameters().Select(ConstructorValue).ToArray();
        return Guarded(() => (DifferentialModel)constructor.Invoke(BindingFlags.DoNotWrapExceptions, null, values, null));
    }

    private object? ConstructorValue(ParameterInfo parameter) => parameter.Name switch
    {
        "device" => Guarded(() => Devices.Select(request.Device)),
        "dtype" => Dtype,
        "seed" => request.Seed,
        var name when request.Assignments.Take(name!) is { Shape.Count: 0 } size => Convert.ChangeType(size.Values[0], parameter.ParameterType),
        _ when parameter.HasDefaultValue => parameter.DefaultValue,
        var name => throw CommandFailure.Usage($"model {Name} leaves the size '{name}' to the caller: give --set {name}=..."),
    };

    private void SetParameters()
    {
        foreach (var name in Instance.ParameterNames)
        {
            if (request.Assignments.Take(name) is not { } value) continue;
            var shape = Instance.Value(name).shape;
            Guarded(() => Instance.SetValue(name, TensorOf(name, value, shape)));
        }
    }

    private void SetConstants()
    {
        foreach (var name in Instance.ConstantNames)
        {
            if (request.Assignments.Take(name) is not { } value) continue;
            var shape = Instance.Value(name).shape;
            Guarded(() => Instance.SetConstant(name, TensorOf(name, value, shape)));
        }
    }

    private Dictionary<string, Tensor> InitialValues()
    {
        var initial = new Dictionary<string, Tensor>();
        foreach (var slot in Instance.Layout.Slots)
        {
            if (request.Assignments.TakeInitial(slot.Name) is { } value) initial.Add(slot.Name, TensorOf($"init({slot.Name})", value, slot.Shape));
        }

        return initial;
    }

    private IEnumerable<string> KnownNames() =>
        [.. Instance.ParameterNames, .. Instance.ConstantNames, .. Instance.Layout.Slots.Select(slot => $"init({slot.Name})")];

    // A dim counts as set from here on; where the file leaves it open, the constructor takes it again.
    private static ImmutableDictionary<string, long> Dims(ModelFile file, Assignments assignments)
    {
        if (assignments.Values.Count == 0) return ImmutableDictionary<string, long>.Empty;
        return file.DimNames()
            .Where(assignments.Values.ContainsKey)
            .ToImmutableDictionary(name => name, name => WholeNumber(name, assignments.Take(name)!));
    }

    private static long WholeNumber(string dim, NumberArray value) =>
        value.Shape.Count == 0 && double.IsInteger(value.Values[0]) && value.Values[0] is > 0 and <= int.MaxValue
            ? (long)value.Values[0]
            : throw CommandFailure.Usage($"--set {dim}: '{dim}' is a size; write a positive whole number");

    private static string? FirstSentence(string? summary)
    {
        if (summary is null) return null;
        var end = summary.IndexOf(". ", StringComparison.Ordinal);
        return (end < 0 ? summary : summary[..end]).TrimEnd('.');
    }

    private static string ShapeText(IReadOnlyList<long> shape) => shape.Count == 0 ? "R" : $"R[{string.Join(", ", shape)}]";

    private static void Guarded(Action act) => Guarded(() =>
    {
        act();
        return true;
    });

    /// <summary>What the runtime refuses because of a value that the user gave is the user's to mend.</summary>
    public static T Guarded<T>(Func<T> act)
    {
        try
        {
            return act();
        }
        catch (Exception refusal) when (refusal is ArgumentException or InvalidOperationException or NotSupportedException)
        {
            throw CommandFailure.Usage(refusal.Message.Split(" (Parameter '")[0]);
        }
    }
}
