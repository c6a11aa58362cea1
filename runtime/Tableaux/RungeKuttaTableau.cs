using System.Security.Cryptography;

namespace DiffEqLang.Tableaux;

/// <summary>
/// The coefficients of a Runge-Kutta method, after Butcher: what both the runtime's engine and compiled
/// steps read. Whatever can be derived is derived, and what is given is checked on construction.
/// </summary>
/// <remarks>
/// One step from (t, y) over h:  kᵢ = f(t + cᵢ h, y + h Σⱼ aᵢⱼ kⱼ),  y₁ = y + h Σᵢ bᵢ kᵢ.  Indices start at 0. Stage 0 is always
/// f(t, y), also of methods that give it no weight: the first guess of Newton's iteration, error estimates and dense output use it.
/// A row that reaches its diagonal makes its stage implicit, one that reaches beyond couples it to later ones (<see cref="Groups"/>).
/// </remarks>
public sealed class RungeKuttaTableau
{
    private const double Rounding = 1e-11;

    private string? _identity;

    /// <param name="name">As written in <c>method = ...</c>.</param>
    /// <param name="order">Of the solution that is carried on.</param>
    /// <param name="a">The rows of A below the first (which is empty): row i has i entries, more where its stage is implicit.</param>
    /// <param name="b">The weights of the solution, one a stage.</param>
    /// <param name="citation">The paper, and the place in it.</param>
    /// <param name="error">The error estimate, where the method has one.</param>
    /// <param name="dense">The continuous extension; cubic Hermite where null.</param>
    /// <param name="parts">What each stage moves; all of the state where null.</param>
    /// <param name="drifts">Which part of the right-hand side each stage evaluates, the first all of it; all do where null.</param>
    /// <exception cref="ArgumentException">The coefficients contradict each other.</exception>
    public RungeKuttaTableau(
        string name, int order, double[][] a, double[] b, string citation, ErrorEstimate? error = null, DenseOutput? dense = null,
        StatePart[]? parts = null, DriftPart[]? drifts = null)
        : this(name, order, a, b, citation, error, dense, parts, drifts, null)
    {
    }

    /// <summary>A Rosenbrock method; stage 0, f(t, y), is added to the stages given.</summary>
    /// <param name="name">As written in <c>method = ...</c>.</param>
    /// <param name="order">Of the solution that is carried on.</param>
    /// <param name="a">The rows of A, the first of them empty: row i has i entries.</param>
    /// <param name="m">The weights of the solution.</param>
    /// <param name="lower">The weights of the solution that the error is estimated by.</param>
    /// <param name="lowerOrder">Of the lower of the two.</param>
    /// <param name="citation">The paper, and the place in it.</param>
    /// <param name="rosenbrock">What such a method has beside these, over the same stages.</param>
    /// <exception cref="ArgumentException">The coefficients contradict each other.</exception>
    public static RungeKuttaTableau OfRosenbrock(
        string name, int order, double[][] a, double[] m, double[] lower, int lowerOrder, string citation, RosenbrockCoefficients rosenbrock) =>
        new(
            name, order, [.. a.Select(row => (double[])[0, .. row])], [0, .. m], citation,
            new ErrorEstimate(lowerOrder, [0, .. m.Zip(lower, (of, other) => of - other), 0]), null, null, null, rosenbrock.WithFirstStage());

    private RungeKuttaTableau(
        string name, int order, double[][] a, double[] b, string citation, ErrorEstimate? error, DenseOutput? dense, StatePart[]? parts,
        DriftPart[]? drifts, RosenbrockCoefficients? rosenbrock)
    {
        (Name, Order, B, Citation, Error, Rosenbrock) = (name, order, b, citation, error, rosenbrock);
        IsFirstSameAsLast = rosenbrock is null && drifts is null && b.Length > 1
            && Enumerable.Range(0, b.Length).All(i => b[i] == (i < a[^1].Length ? a[^1][i] : 0));
        EndStage = IsFirstSameAsLast ? b.Length - 1 : b.Length;
        double[][] end = IsFirstSameAsLast ? [] : [b];
        A = [[], .. a, .. end, .. dense?.ExtraRows ?? []];
        Parts = [.. A.Select((_, i) => i < parts?.Length ? parts[i] : StatePart.Whole)];
        IsPartitioned = parts is not null;
        Drifts = [.. A.Select((_, i) => i < drifts?.Length ? drifts[i] : DriftPart.Whole)];
        IsSplit = drifts is not null;
        C = rosenbrock is null ? [.. A.Select((row, i) => row.Where((_, j) => Parts[j] == Read(i) && Drifts[j] != DriftPart.Implicit).Sum())] : [.. rosenbrock.Nodes, 1];
        Groups = [.. StageGroup.Of(A, EndStage, rosenbrock is not null)];
        Dense = dense?.Weights ?? Hermite();
        Validate();
    }

    /// <summary>An explicit method from a text in JSON, checked up to the conditions of the order that it states.</summary>
    /// <param name="json">
    /// An object with <c>name</c>, <c>order</c>, <c>a</c> (a row for each stage, that of the first empty) and <c>b</c>; where they
    /// are there, <c>b_hat</c> for the error and <c>error_order</c> (one less than the order), <c>dense</c> (for each stage the
    /// coefficients of θ, θ², ...) and <c>dense_order</c>, <c>c</c> (which then must be the sums of the rows) and <c>citation</c>.
    /// Numbers may be fractions as text: <c>"1/6"</c>.
    /// </param>
    /// <exception cref="FormatException">The text is something else, or a condition of order does not hold; the message says which.</exception>
    public static RungeKuttaTableau FromJson(string json) => TableauReader.Read(json);

    /// <summary>As written in <c>method = ...</c>.</summary>
    public string Name { get; }

    /// <summary>The name, and where the method is not one of the <see cref="Catalogue"/> the hash of its coefficients: what a compiled step is for.</summary>
    public string Identity => _identity ??= ReferenceEquals(Catalogue.Find(Name), this) ? Name : $"{Name} {Fingerprint()}";

    /// <summary>The order of the solution that is carried on.</summary>
    public int Order { get; }

    /// <summary>
    /// The rows of A: those of the method, then f(t + h, y₁) where that is not the last of them, then the extra stages of
    /// the dense output. Row i has i entries, more where its stage is implicit.
    /// </summary>
    public IReadOnlyList<double[]> A { get; }

    /// <summary>The weights of the solution over the method's own stages.</summary>
    public IReadOnlyList<double> B { get; }

    /// <summary>
    /// The nodes, one for every row of <see cref="A"/>: its sum (Kutta's condition), of a method in parts over the stages that moved what
    /// the stage reads, of a split one over those that evaluate fᴱ.
    /// </summary>
    public IReadOnlyList<double> C { get; }

    /// <summary>What each row of <see cref="A"/> moves: the stage is zero on the other entries of the state.</summary>
    public IReadOnlyList<StatePart> Parts { get; }

    /// <summary>Whether stages move parts of the state: the method of a <see cref="SymplecticComposition"/>.</summary>
    public bool IsPartitioned { get; }

    /// <summary>Which part of the right-hand side each row of <see cref="A"/> evaluates.</summary>
    public IReadOnlyList<DriftPart> Drifts { get; }

    /// <summary>Whether stages evaluate parts of the right-hand side: the method of an <see cref="AdditiveMethod"/>.</summary>
    public bool IsSplit { get; }

    /// <summary>The error estimate; null for a method that only takes fixed steps.</summary>
    public ErrorEstimate? Error { get; }

    /// <summary>
    /// The dense output: y(t + θh) = y + h Σᵢ kᵢ Σₚ Dense[i][p] θᵖ⁺¹ over all rows of <see cref="A"/>, θ in [0, 1].
    /// </summary>
    public IReadOnlyList<double[]> Dense { get; }

    /// <summary>The paper, and the place in it.</summary>
    public string Citation { get; }

    /// <summary>The stages after the first, in the order that they are evaluated in: one at a time, or those together that depend on each other.</summary>
    public IReadOnlyList<StageGroup> Groups { get; }

    /// <summary>Whether a step solves equations.</summary>
    public bool IsImplicit => Groups.Any(group => group.Kind != StageKind.Explicit);

    /// <summary>What a Rosenbrock method has beside the other coefficients; null for one of Runge and Kutta.</summary>
    public RosenbrockCoefficients? Rosenbrock { get; }

    /// <summary>
    /// Whether the last stage is evaluated at the new solution, so that it serves as the first of the next step. Implicit methods of
    /// this kind are called stiffly accurate.
    /// </summary>
    public bool IsFirstSameAsLast { get; }

    /// <summary>
    /// Why steps do not end on algebraic constraints and keep their order there; null where they do: every stage solves equations, and
    /// the last is the new solution. Of Rosenbrock's methods those whose weights are the row of the last stage, and one.
    /// Hairer and Wanner (1996), Solving Ordinary Differential Equations II, VI.1 and VI.4.
    /// </summary>
    public string? ObstacleToConstraints
    {
        get
        {
            if (!IsImplicit) return "it is explicit, and constraints are equations to be solved";
            var isStifflyAccurate = Rosenbrock is null
                ? IsFirstSameAsLast && Groups.All(group => group.Kind == StageKind.Implicit || group.First > EndStage)
                : B[^1] == 1 && A[B.Count - 1].SequenceEqual(B.Take(B.Count - 1));
            return isStifflyAccurate ? null : "it is not stiffly accurate, so that its steps do not end on the constraints";
        }
    }

    /// <summary>The index of the stage f(t + h, y₁): the number of evaluations that a step needs before y₁ is known.</summary>
    public int EndStage { get; }

    /// <summary>The weights of y(t + θh) over all rows of <see cref="A"/>.</summary>
    public double[] DenseWeights(double theta) => [.. Dense.Select(row => Horner(row, theta) * theta)];

    /// <summary>d/dθ of <see cref="DenseWeights"/>; the derivative of the dense output by time, without the factor h.</summary>
    public double[] DenseSlopes(double theta) =>
        [.. Dense.Select(row => Horner([.. row.Select((value, power) => value * (power + 1))], theta))];

    /// <summary>The part that the derivative of a stage's part depends on, where that is one.</summary>
    private StatePart Read(int stage) => (IsPartitioned, Parts[stage]) switch
    {
        (false, _) => StatePart.Whole,
        (true, StatePart.Positions) => StatePart.Momenta,
        (true, _) => StatePart.Positions,
    };

    private static double Horner(ReadOnlySpan<double> coefficients, double x)
    {
        var value = 0.0;
        for (var i = coefficients.Length - 1; i >= 0; i--) value = value * x + coefficients[i];
        return value;
    }

    /// <summary>
    /// The cubic through both ends with their slopes: y + θ²(3 - 2θ)(y₁ - y) + θ(1 - θ)² h f₀ + θ²(θ - 1) h f₁.
    /// Hairer, Nørsett and Wanner (1993), Solving Ordinary Differential Equations I, II.6.7.
    /// </summary>
    private double[][] Hermite()
    {
        var weights = new double[EndStage + 1][];
        for (var i = 0; i <= EndStage; i++)
        {
            var b = i < B.Count ? B[i] : 0;
            var (first, last) = (i == 0 ? 1 : 0, i == EndStage ? 1 : 0);
            weights[i] = [first, 3 * b - 2 * first - last, -2 * b + first + last];
        }

        return weights;
    }

    private void Validate()
    {
        Require(
            A.Select((row, i) => row.Length == i || (i > 0 && i < B.Count && row.Length > i && row.Length <= B.Count)).All(fits => fits),
            "row i of A must have i entries, more where its stage is implicit");
        Require(SumsOf(B).All(sum => Math.Abs(sum - 1) < Rounding), "the weights b must sum to 1");
        Require(Math.Abs(C[EndStage] - 1) < Rounding, "the end stage must lie at the end");
        Require(Dense.Count == A.Count, "the dense output must weigh every stage");
        Require(Error is null || Error.Estimates.All(e => e.Length == EndStage + 1 && SumsOf(e).All(sum => Math.Abs(sum) < Rounding)),
            "error weights must cover the stages up to the end stage and sum to 0");
        var atEnd = DenseWeights(1);
        Require(Enumerable.Range(0, A.Count).All(i => Math.Abs(atEnd[i] - (i < B.Count ? B[i] : 0)) < 100 * Rounding),
            "the dense output must end at the solution");
    }

    private string Fingerprint()
    {
        double[][] all = [.. A, [.. B], .. Error?.Estimates ?? []];
        var bytes = all.SelectMany(row => row.Prepend(row.Length)).SelectMany(BitConverter.GetBytes);
        return Convert.ToHexStringLower(SHA256.HashData([.. bytes]).AsSpan(0, 8));
    }

    /// <summary>
    /// What weights make of slopes that are all one, for every part of the state or of the right-hand side: their sum, for slopes of Runge
    /// and Kutta's kind.
    /// </summary>
    private IEnumerable<double> SumsOf(IReadOnlyList<double> weights)
    {
        double SumWhere(Func<int, bool> isCounted) =>
            Enumerable.Range(0, weights.Count).Where(isCounted).Sum(i => weights[i] * (i < B.Count ? Rosenbrock?.OfConstantSlope[i] ?? 1 : 1));
        return IsSplit
            ? [SumWhere(i => Drifts[i] != DriftPart.Implicit), SumWhere(i => Drifts[i] != DriftPart.Explicit)]
            : Parts.Take(B.Count).Distinct().Select(part => SumWhere(i => Parts[i] == part));
    }

    private void Require(bool condition, string what)
    {
        if (!condition) throw new ArgumentException($"Tableau {Name}: {what}.");
    }
}

/// <summary>How a method estimates its local error from its stages: err = h Σᵢ eᵢ kᵢ.</summary>
/// <param name="Order">Of the lower of the two solutions compared; the estimate falls as h to the power Order + 1.</param>
/// <param name="Estimates">
/// The weights e = b - b̂, over the stages up to f(t + h, y₁). Where two are given, as for DOP853, they are combined as
/// ‖e₀‖² / √(‖e₀‖² + 0.01 ‖e₁‖²): Hairer, Nørsett and Wanner (1993), II.10.17.
/// </param>
public sealed record ErrorEstimate(int Order, params double[][] Estimates)
{
    /// <summary>
    /// The γ of (I - hγJ)⁻¹, by which the estimate of a method for stiff equations is multiplied, so that it does not grow with the
    /// stiffness: Shampine (1984), Error estimators for stiff differential equations, SIAM J. Sci. Stat. Comput. 5. Null: it is not.
    /// </summary>
    public double? Filter { get; init; }
}

/// <summary>A method's own continuous extension.</summary>
/// <param name="Weights">Over all stages, extra ones included: powers θ, θ², ...</param>
/// <param name="ExtraRows">The rows of A of stages that only the dense output needs.</param>
public sealed record DenseOutput(double[][] Weights, double[][] ExtraRows);
