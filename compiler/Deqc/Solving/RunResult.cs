namespace DiffEqLang.Deqc.Solving;

/// <summary>Values of one state or output over time.</summary>
/// <param name="Name">As the model has it.</param>
/// <param name="Shape">Of one sample at one time.</param>
/// <param name="Values">[times, paths, shape], row-major.</param>
internal sealed record Series(string Name, IReadOnlyList<long> Shape, double[] Values)
{
    /// <summary>Elements of one sample at one time.</summary>
    public int Size { get; } = (int)Shape.Aggregate(1L, (product, n) => product * n);

    /// <summary><c>x</c>, <c>y[0]</c>, <c>A[1,2]</c>: the name of an element.</summary>
    public string ElementName(int element)
    {
        if (Shape.Count == 0) return Name;
        var indices = new long[Shape.Count];
        long rest = element;
        for (var axis = Shape.Count - 1; axis >= 0; axis--)
        {
            indices[axis] = rest % Shape[axis];
            rest /= Shape[axis];
        }

        return $"{Name}[{string.Join(",", indices)}]";
    }
}

/// <summary>An event that has happened.</summary>
/// <param name="Name">As the model writes it: <c>falling(h)</c>.</param>
/// <param name="Path">In which of the paths.</param>
/// <param name="Time">When.</param>
/// <param name="Before">The states before it, one time and path each.</param>
/// <param name="After">The states after it.</param>
internal sealed record Happening(string Name, int Path, double Time, IReadOnlyList<Series> Before, IReadOnlyList<Series> After);

/// <summary>What <c>deqc run</c> found, as plain numbers: every form of output is made from it.</summary>
internal sealed record RunResult
{
    /// <summary>The model's name.</summary>
    public required string Model { get; init; }

    /// <summary>The first sentence of its documentation, or its name.</summary>
    public required string Title { get; init; }

    /// <summary>The name of the status: of the first path that failed, else of the first.</summary>
    public required string Status { get; init; }

    /// <summary>Whether every path reached its end.</summary>
    public required bool Succeeded { get; init; }

    /// <summary>What happened, for a person.</summary>
    public required string Message { get; init; }

    /// <summary>The times reported.</summary>
    public required double[] Times { get; init; }

    /// <summary>How many paths the values hold.</summary>
    public required int Paths { get; init; }

    /// <summary>The states, in order.</summary>
    public required IReadOnlyList<Series> States { get; init; }

    /// <summary>The outputs, in order.</summary>
    public required IReadOnlyList<Series> Outputs { get; init; }

    /// <summary>The events, path by path in the order in which they happened; null where the model has none.</summary>
    public required IReadOnlyList<Happening>? Events { get; init; }

    /// <summary>By which method each path was solved, from when on; empty where the method does not change.</summary>
    public required IReadOnlyList<IReadOnlyList<(double Time, string Method)>> Methods { get; init; }

    /// <summary>Accepted steps, of all paths.</summary>
    public required long Accepted { get; init; }

    /// <summary>Rejected steps, of all paths.</summary>
    public required long Rejected { get; init; }

    /// <summary>Evaluations of the right-hand side, for all paths at once.</summary>
    public required long Evaluations { get; init; }

    /// <summary>Jacobians, for all paths at once.</summary>
    public required long Jacobians { get; init; }

    /// <summary>Factorizations of matrices, for all paths at once.</summary>
    public required long Factorizations { get; init; }

    /// <summary>Wall-clock time of the solve.</summary>
    public required double Seconds { get; init; }

    /// <summary>Whether the numbers are float32 ones, whose shortest form is shorter.</summary>
    public required bool SinglePrecision { get; init; }
}
