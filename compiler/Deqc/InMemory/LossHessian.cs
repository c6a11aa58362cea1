using DiffEqLang.Deqc.Solving;
using DiffEqLang.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Deqc.InMemory;

/// <summary>The second derivatives of a loss.</summary>
/// <param name="Variables">What it is differentiated by, number by number: <c>k</c>, <c>W[0, 1]</c>, <c>init(x)</c>.</param>
/// <param name="Values">Row by row.</param>
/// <param name="Difference">‖H - D‖ / ‖H‖, with D the central differences of the gradient, both by the numbers that an optimizer moves.</param>
internal sealed record HessianResult(IReadOnlyList<string> Variables, double[] Values, double Difference);

/// <summary>Differentiates a loss of the final state twice, by parameters and by initial values that are not computed from those.</summary>
internal sealed class LossHessian(LoadedModel model, LossGradient gradients)
{
    /// <summary>A Hessian is printed, and costs as many solves as it has rows.</summary>
    private const int MostVariables = 256;

    /// <summary>Solves, goes back once, and once again for every row; solves twice a row for the differences.</summary>
    /// <param name="times">The span of time.</param>
    /// <param name="wanted">Names of parameters and <c>init(x)</c>; all where null.</param>
    /// <exception cref="CommandFailure">The solve fails, has no second derivatives, or there are too many variables.</exception>
    public HessianResult Compute(TimeSelection times, IReadOnlyList<string>? wanted)
    {
        using var scope = NewDisposeScope();
        gradients.RefuseUnknown(wanted);
        var variables = Variables().Where(variable => wanted is null || wanted.Contains(variable.Name)).ToList();
        string[] labels = [.. variables.SelectMany(variable => variable.Labels())];
        if (labels.Length > MostVariables)
            throw CommandFailure.Usage($"--hessian: there are {labels.Length} variables, and a matrix of at most {MostVariables} rows is printed: choose some with --wrt");
        var gradient = Gradient(times, variables, isDifferentiatedAgain: true);
        double[][] rows = [.. Enumerable.Range(0, labels.Length).Select(i => Row(gradient, variables, i))];
        double[][] columns = [.. Enumerable.Range(0, labels.Length).Select(i => Column(times, variables, i))];
        return new HessianResult(labels, ByValue(rows, ModelSolve.Numbers(gradient), variables), Difference(rows, columns));
    }

    /// <summary>The parameters as they are stored, and the initial values that nothing is computed for.</summary>
    private IEnumerable<Variable> Variables()
    {
        foreach (var name in model.Instance.ParameterNames)
        {
            var stored = model.Instance.named_parameters().Single(p => p.name == name || p.name == $"{name}_unconstrained").parameter;
            yield return new Variable(name, stored, () => model.Instance.Value(name));
        }

        foreach (var (state, value) in gradients.IndependentInitialStates())
            yield return new Variable($"init({state})", value, () => value);
    }

    /// <summary>d loss / d stored numbers, one after another.</summary>
    private Tensor Gradient(TimeSelection times, IReadOnlyList<Variable> variables, bool isDifferentiatedAgain) => LoadedModel.Guarded(() =>
    {
        var initial = variables.Where(variable => !variable.IsParameter).ToDictionary(variable => variable.StateName, variable => variable.Stored);
        var loss = gradients.LossFrom(times, initial);
        if (!loss.requires_grad) return zeros([variables.Sum(variable => variable.Stored.numel())]);
        var found = autograd.grad(
            [loss], [.. variables.Select(variable => variable.Stored)],
            retain_graph: isDifferentiatedAgain, create_graph: isDifferentiatedAgain, allow_unused: true);
        GradientFault.ThrowIfAny();
        return cat([.. variables.Zip(found, (variable, part) => (IsNothing(part) ? zeros_like(variable.Stored) : part).reshape(-1))]);
    });

    private static double[] Row(Tensor gradient, IReadOnlyList<Variable> variables, int row) => LoadedModel.Guarded(() =>
    {
        using var scope = NewDisposeScope();
        if (!gradient.requires_grad) return new double[gradient.numel()];
        var found = autograd.grad([gradient[row]], [.. variables.Select(variable => variable.Stored)], retain_graph: true, allow_unused: true);
        GradientFault.ThrowIfAny();
        return variables.Zip(found, (variable, part) => ModelSolve.Numbers(IsNothing(part) ? zeros_like(variable.Stored) : part)).SelectMany(part => part).ToArray();
    });

    /// <summary>The central difference of the gradient by one stored number.</summary>
    private double[] Column(TimeSelection times, IReadOnlyList<Variable> variables, int column)
    {
        using var scope = NewDisposeScope();
        var (variable, place) = Locate(variables, column);
        var number = variable.Stored.detach().view(-1).narrow(0, place, 1);
        var before = number.ToDouble();
        var step = Math.Cbrt(finfo(number.dtype).eps) * Math.Max(1, Math.Abs(before));
        var ahead = GradientAt(before + step);
        var behind = GradientAt(before - step);
        Move(before);
        return [.. ahead.Zip(behind, (a, b) => (a - b) / (2 * step))];

        double[] GradientAt(double value)
        {
            Move(value);
            return ModelSolve.Numbers(Gradient(times, variables, isDifferentiatedAgain: false));
        }

        void Move(double to)
        {
            using Scalar value = to;
            number.fill_(value);
        }
    }

    private static (Variable Variable, int Place) Locate(IReadOnlyList<Variable> variables, int number)
    {
        foreach (var variable in variables)
        {
            if (number < variable.Stored.numel()) return (variable, number);
            number -= (int)variable.Stored.numel();
        }

        throw new ArgumentOutOfRangeException(nameof(number));
    }

    // What is stored is u with value v(u), elementwise: d²L/du² = v' (d²L/dv²) v' + dL/dv v''.
    private static double[] ByValue(double[][] rows, double[] gradient, IReadOnlyList<Variable> variables)
    {
        var derivatives = variables.SelectMany(variable => variable.DerivativesOfValue()).ToArray();
        return [.. rows.SelectMany((row, i) => row.Select((entry, j) =>
        {
            var curvature = i == j ? gradient[i] / derivatives[i].First * derivatives[i].Second : 0;
            return (entry - curvature) / (derivatives[i].First * derivatives[j].First);
        }))];
    }

    private static double Difference(double[][] rows, double[][] columns)
    {
        var (square, size) = (0.0, 0.0);
        for (var i = 0; i < rows.Length; i++)
            for (var j = 0; j < rows.Length; j++)
                (square, size) = (square + Math.Pow(rows[i][j] - columns[j][i], 2), size + rows[i][j] * rows[i][j]);
        return square == 0 ? 0 : Math.Sqrt(square / size);
    }

    private static bool IsNothing(Tensor? gradient) => gradient is null || gradient.IsInvalid;

    /// <summary>A parameter or an initial value.</summary>
    /// <param name="Name">As the command line has it.</param>
    /// <param name="Stored">The numbers that an optimizer moves.</param>
    /// <param name="Value">What they stand for.</param>
    private sealed record Variable(string Name, Tensor Stored, Func<Tensor> Value)
    {
        public bool IsParameter { get; } = !Name.StartsWith("init(", StringComparison.Ordinal);

        public string StateName => Name["init(".Length..^1];

        /// <summary>The name of every number.</summary>
        public IEnumerable<string> Labels()
        {
            var shape = Stored.shape;
            for (var i = 0L; i < Stored.numel(); i++)
                yield return shape.Length == 0 ? Name : $"{Name}[{string.Join(", ", Place(i, shape))}]";
        }

        /// <summary>dv/du and d²v/du² of every number.</summary>
        public IEnumerable<(double First, double Second)> DerivativesOfValue()
        {
            if (Value() is not { is_leaf: false } value) return Enumerable.Repeat((1.0, 0.0), (int)Stored.numel());
            var first = autograd.grad([value.sum()], [Stored], retain_graph: true, create_graph: true)[0];
            var second = first.requires_grad ? autograd.grad([first.sum()], [Stored])[0] : zeros_like(Stored);
            return ModelSolve.Numbers(first).Zip(ModelSolve.Numbers(second));
        }

        private static IEnumerable<long> Place(long index, long[] shape)
        {
            var place = new long[shape.Length];
            for (var axis = shape.Length - 1; axis >= 0; axis--) (index, place[axis]) = Math.DivRem(index, shape[axis]);
            return place;
        }
    }
}
