using DiffEqLang.Runtime.Simd;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// The base of every generated model: a module whose parameters are registered, so that optimizers, state_dict and
/// to(...) work, and which solves its equations.
/// </summary>
/// <remarks>
/// A parameter bounded by an interval is registered as <c>name_unconstrained</c>, the number that an optimizer moves;
/// <see cref="Value"/> gives its value. Parameters are looked up by name each time, because to(dtype) replaces them.
/// </remarks>
public abstract class DifferentialModel : nn.Module
{
    private readonly List<string> _parameterNames = [];
    private readonly List<string> _constantNames = [];
    private readonly Dictionary<string, Tensor> _constants = [];
    private readonly Dictionary<string, Interval> _bounds = [];
    private Device _device;
    private ScalarType _dtype;

    /// <param name="name">Of the model.</param>
    /// <param name="layout">Its states.</param>
    /// <param name="defaults">What its solve block says.</param>
    /// <param name="device">Where its parameters live; the solve block's choice, or the CPU, where null.</param>
    /// <param name="dtype">float32 or float64; the solve block's choice, or float32, where null.</param>
    protected DifferentialModel(string name, StateLayout layout, SolveDefaults defaults, Device? device, ScalarType? dtype)
        : base(WithLibtorch(name))
    {
        (Layout, Defaults) = (layout, defaults);
        _device = device ?? Devices.Select(defaults.Device ?? "cpu");
        _dtype = dtype ?? defaults.Dtype ?? ScalarType.Float32;
        if (_dtype is not (ScalarType.Float32 or ScalarType.Float64))
            throw new ArgumentException($"A model computes in float32 or float64, not {_dtype}.", nameof(dtype));
    }

    // Before nn.Module's constructor, whose own exception blames a package that is there.
    private static string WithLibtorch(string name)
    {
        NativeLibraries.Require();
        return name;
    }

    /// <summary>Where each state lies in the packed vector.</summary>
    public StateLayout Layout { get; }

    /// <summary>What the model's solve block says.</summary>
    public SolveDefaults Defaults { get; }

    /// <summary>Where the parameters live; states must be there too.</summary>
    public Device Device => AnyParameter()?.device ?? _device;

    /// <summary>The parameters' dtype; states must have it too.</summary>
    public ScalarType Dtype => AnyParameter()?.dtype ?? _dtype;

    /// <summary>The parameters, in the order of their declarations.</summary>
    public IReadOnlyList<string> ParameterNames => _parameterNames;

    /// <summary>The constants, in the order of their declarations.</summary>
    public IReadOnlyList<string> ConstantNames => _constantNames;

    /// <summary>The outputs, in the order of their declarations.</summary>
    public virtual IReadOnlyList<string> OutputNames => [];

    /// <summary>
    /// The value of a parameter, inside its bounds where it has them, or of a constant; gradients flow to parameters.
    /// </summary>
    /// <exception cref="ArgumentException">There is neither of that name.</exception>
    public Tensor Value(string name)
    {
        if (_constants.TryGetValue(name, out var constant)) return constant;
        var parameter = Registered(name);
        return _bounds.TryGetValue(name, out var bounds) ? bounds.Constrain(parameter) : parameter;
    }

    /// <summary>Sets a parameter, in place: an optimizer that holds it goes on with the new value.</summary>
    /// <exception cref="ArgumentException">No such parameter, another shape, outside the bounds, or not finite.</exception>
    public void SetValue(string name, Tensor value)
    {
        var parameter = Registered(name);
        CheckShape($"Parameter {name}", parameter.shape, value);
        using var guard = no_grad();
        using var scope = NewDisposeScope();
        parameter.copy_(Unconstrained(name, value));
    }

    /// <summary>Sets a constant, for the solves that follow; a number fills its shape.</summary>
    /// <exception cref="ArgumentException">There is no constant of that name.</exception>
    public void SetConstant(string name, double value)
    {
        using var guard = no_grad();
        using Scalar number = value;
        Constant(name).fill_(number);
    }

    /// <summary>Sets a constant, for the solves that follow.</summary>
    /// <exception cref="ArgumentException">There is no constant of that name, or it has another shape.</exception>
    public void SetConstant(string name, Tensor value)
    {
        var constant = Constant(name);
        CheckShape($"Constant {name}", constant.shape, value);
        using var guard = no_grad();
        constant.copy_(value);
    }

    /// <summary>Solves from initial states by name, [..., shape]; a state left out starts from its <c>init</c>.</summary>
    /// <exception cref="ArgumentException">A name, shape, value or option does not fit.</exception>
    /// <exception cref="InvalidOperationException">A state has neither a value here nor an <c>init</c>.</exception>
    public Solution Solve(IReadOnlyDictionary<string, Tensor>? initial = null, SolveOptions? options = null)
    {
        var names = Layout.Slots.Select(slot => slot.Name).ToList();
        foreach (var name in initial?.Keys ?? [])
            if (!names.Contains(name))
                throw new ArgumentException($"{GetName()} has no state '{name}'.{Spelling.Suggest(name, names)}", nameof(initial));
        return SolvePacked([.. names.Select(name => initial?.GetValueOrDefault(name))], options);
    }

    /// <summary>The initial values that the model's <c>init</c> lines give, by state, [shape]. Gradients flow to parameters.</summary>
    public IReadOnlyDictionary<string, Tensor> DeclaredInitialState() =>
        Layout.Slots.Zip(InitialState())
            .Where(pair => pair.Second is not null)
            .ToDictionary(pair => pair.First.Name, pair => pair.Second!);

    /// <summary>
    /// The right-hand side f(t, x), [..., N] -> [..., N], as plain torch: gradients flow through it. In a model with delays the state is
    /// followed by the delayed ones, as <see cref="OdeEquations.Delays"/> lists them.
    /// </summary>
    public Tensor Drift(Tensor t, Tensor state) => Bind().Drift(t, state);

    /// <summary>An output's value, from times and packed states with any leading axes; gradients flow through it.</summary>
    /// <exception cref="ArgumentException">There is no output of that name.</exception>
    public virtual Tensor Output(string name, Tensor t, Tensor state) =>
        throw new ArgumentException($"{GetName()} has no output '{name}'.{Spelling.Suggest(name, OutputNames)}", nameof(name));

    /// <summary>Writes the parameters, as registered, to a safetensors file.</summary>
    public void Save(string path) => Safetensors.Write(
        path,
        named_parameters().ToDictionary(entry => entry.name, entry => (Tensor)entry.parameter),
        new Dictionary<string, string> { ["format"] = "pt", ["model"] = GetName() });

    /// <summary>Reads the parameters back, in place, keeping device and dtype.</summary>
    /// <exception cref="InvalidDataException">The file is damaged, or its names or shapes are not this model's.</exception>
    public void Load(string path)
    {
        using var scope = NewDisposeScope();
        var stored = Safetensors.Read(path).Tensors;
        var own = named_parameters().ToDictionary(entry => entry.name, entry => entry.parameter);
        var differences = own.Keys.Except(stored.Keys).Select(name => $"{name} is missing")
            .Concat(stored.Keys.Except(own.Keys).Select(name => $"{name} is not in the model"))
            .Concat(own.Where(entry => stored.ContainsKey(entry.Key) && !stored[entry.Key].shape.SequenceEqual(entry.Value.shape))
                .Select(entry => $"{entry.Key} is {Text(stored[entry.Key].shape)}, the model's {Text(entry.Value.shape)}"))
            .ToList();
        if (differences.Count > 0)
            throw new InvalidDataException($"{path} does not hold the parameters of {GetName()}: {string.Join("; ", differences)}.");
        using var guard = no_grad();
        foreach (var (name, parameter) in own) parameter.copy_(stored[name]);
    }

    /// <summary>Registers a parameter. Called in the constructor, in the order of the declarations.</summary>
    protected void AddParameter(string name, Tensor initial) =>
        AddParameter(name, initial, new Interval(double.NegativeInfinity, double.PositiveInfinity));

    /// <summary>Registers a parameter kept inside an interval.</summary>
    /// <exception cref="ArgumentException">The initial value lies outside.</exception>
    protected void AddParameter(string name, Tensor initial, Interval bounds)
    {
        _parameterNames.Add(name);
        if (bounds.IsBounded) _bounds.Add(name, bounds);
        using var scope = NewDisposeScope();
        var start = Unconstrained(name, initial.detach()).to(_dtype).to(_device).clone();
        var parameter = new Parameter(start.DetachFromDisposeScope());
        parameter.DetachFromDisposeScope();
        register_parameter(RegisteredName(name), parameter);
    }

    /// <summary>Adds a constant. It moves with the module but is no part of what is trained or stored.</summary>
    protected void AddConstant(string name, Tensor value)
    {
        _constantNames.Add(name);
        using var scope = NewDisposeScope();
        _constants.Add(name, value.detach().to(_dtype).to(_device).clone().DetachFromDisposeScope());
    }

    /// <summary>The equations with the values that parameters and constants have now. Called once a solve.</summary>
    protected abstract OdeEquations Bind();

    /// <summary>The same for SIMD registers; null where the model has no such code.</summary>
    protected virtual SimdBinding? BindSimd() => null;

    /// <summary>Each state's <c>init</c>, of its shape; null where it has none. Differentiable in parameters.</summary>
    protected abstract IReadOnlyList<Tensor?> InitialState();

    /// <summary>
    /// Solves from an initial value of each state, in their order, [..., shape]; where null, from its <c>init</c>.
    /// </summary>
    protected abstract Solution SolvePacked(IReadOnlyList<Tensor?> initial, SolveOptions? options);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            foreach (var constant in _constants.Values) constant.Dispose();
        base.Dispose(disposing);
    }

    /// <inheritdoc/>
    protected override void _toEpilog(ScalarType? dtype, Device? device, bool non_blocking)
    {
        (_dtype, _device) = (dtype ?? _dtype, device ?? _device);
        // Before nn.Module does: it would set the property of the parameter's name, and those of generated models have no setter. What
        // was replaced is not disposed: solves that are alive go backwards through it.
        foreach (var (name, parameter) in named_parameters(recurse: false).ToList())
            if (ReplaceParameter(dtype, device, parameter, out var replaced))
                ConditionallyRegisterParameter(name, replaced);
        base._toEpilog(dtype, device, non_blocking);
        using var scope = NewDisposeScope();
        foreach (var (name, before) in _constants.ToList())
        {
            _constants[name] = before.to(_dtype).to(_device).clone().DetachFromDisposeScope();
            before.Dispose();
        }
    }

    /// <summary>What the caller asks, completed by the solve block.</summary>
    private protected SolveOptions Complete(SolveOptions? options)
    {
        var asked = options ?? new SolveOptions();
        return asked with
        {
            Method = asked.Method ?? Defaults.Method,
            Gradient = asked.Gradient ?? Defaults.Gradient,
            Checkpoints = asked.Checkpoints ?? (asked.Gradient is null ? Defaults.Checkpoints : null),
            Target = asked.Target ?? Defaults.Target,
        };
    }

    /// <summary>The span of a solve, of some length.</summary>
    private protected SolveSpan SpanOf(SolveOptions options) => SolveSpan.Of(options, Defaults.Start, Defaults.End).WithLength();

    /// <summary>The model's code for SIMD registers, where the solve from a packed state is to run on it.</summary>
    /// <exception cref="InvalidOperationException">It must, and cannot.</exception>
    private protected SimdBinding? ChooseSimd(Tensor initial, SolveOptions options, SolveSpan span)
    {
        if (options.Target == SolveTarget.Torch) return null;
        var binding = BindSimd();
        if (SimdSolve.Obstacle(this, binding, initial, options, span) is not { } obstacle) return binding;
        return options.Target == SolveTarget.Simd ? throw new InvalidOperationException(obstacle) : null;
    }

    /// <summary>The packed initial state, [..., N].</summary>
    private protected Tensor InitialOf(IReadOnlyList<Tensor?> given)
    {
        if (given.Count != Layout.Slots.Count)
            throw new ArgumentException($"{GetName()} has {Layout.Slots.Count} states; {given.Count} initial values were given.", nameof(given));
        var parts = new Tensor[given.Count];
        IReadOnlyList<Tensor?>? declared = null;
        for (var i = 0; i < parts.Length; i++)
            parts[i] = (given[i] is { } value ? Checked(Layout.Slots[i], value) : (declared ??= InitialState())[i])
                ?? throw new InvalidOperationException(
                    $"State {Layout.Slots[i].Name} of {GetName()} has no initial value: pass one to Solve, or declare `init {Layout.Slots[i].Name} = ...` in the model.");
        return Layout.Pack(parts);
    }

    /// <summary>The solution, which can then evaluate the model's outputs.</summary>
    private protected Solution WithOutputs(Solution solution)
    {
        solution.OutputOf = Output;
        return solution;
    }

    private Tensor Checked(StateSlot slot, Tensor value)
    {
        if (value.dtype != Dtype || value.device_type != Device.type || value.device_index != Device.index)
            throw new ArgumentException(
                $"The initial value of {slot.Name} is {value.dtype} on {value.device}; {GetName()} computes in {Dtype} on {Device}. Convert it with .to(model.Dtype).to(model.Device), or the model with .to(...).");
        if (!ContiguousMemory.IsFinite(value))
            throw new ArgumentException($"The initial value of {slot.Name} has NaN or infinity.");
        return value;
    }

    private Tensor Unconstrained(string name, Tensor value)
    {
        if (!_bounds.TryGetValue(name, out var bounds)) bounds = new Interval(double.NegativeInfinity, double.PositiveInfinity);
        bounds.Check(name, value);
        return bounds.Unconstrain(value.detach().to(ScalarType.Float64).cpu());
    }

    private Tensor Constant(string name) => _constants.TryGetValue(name, out var constant)
        ? constant
        : throw new ArgumentException($"{GetName()} has no constant '{name}'.{Spelling.Suggest(name, _constantNames)}", nameof(name));

    private protected Parameter Registered(string name) => _parameterNames.Contains(name)
        ? get_parameter(RegisteredName(name))!
        : throw new ArgumentException($"{GetName()} has no parameter '{name}'.{Spelling.Suggest(name, _parameterNames)}", nameof(name));

    private string RegisteredName(string name) => _bounds.ContainsKey(name) ? $"{name}_unconstrained" : name;

    private Parameter? AnyParameter() => _parameterNames.Count > 0 ? Registered(_parameterNames[0]) : null;

    private static void CheckShape(string what, long[] shape, Tensor value)
    {
        if (!value.shape.SequenceEqual(shape))
            throw new ArgumentException($"{what} has shape {Text(shape)}; the value given has {Text(value.shape)}.", nameof(value));
    }

    private static string Text(long[] shape) => $"[{string.Join(", ", shape)}]";
}
