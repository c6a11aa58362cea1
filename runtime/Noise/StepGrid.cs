namespace DiffEqLang.Runtime.Noise;

/// <summary>
/// The steps of a fixed-step solve: cells of one length from the start on, cut where a time that must be reached lies
/// inside one, and at the end.
/// </summary>
/// <remarks>
/// Cutting, rather than moving the grid, keeps the Brownian path's own grid and so the path itself, whatever is saved.
/// </remarks>
internal sealed class StepGrid
{
    /// <summary>A time this close to the grid, in steps, counts as on it.</summary>
    private const double Tolerance = 1e-9;

    private readonly SortedDictionary<long, List<double>> _cuts = [];

    /// <param name="start">The first time.</param>
    /// <param name="end">The last time, at or after the first.</param>
    /// <param name="step">The length of a whole step.</param>
    /// <param name="stops">Times between that a step must end on, ascending.</param>
    /// <exception cref="ArgumentException">There are more steps than an array holds.</exception>
    public StepGrid(double start, double end, double step, ReadOnlySpan<double> stops)
    {
        if ((end - start) / step > Array.MaxLength / 2)
            throw new ArgumentException(
                $"From {start} to {end} in steps of {step} are more steps than fit in memory; take a larger dt.", nameof(step));
        Step = step;
        foreach (var stop in stops) AddStop(stop - start);
        var (last, rest) = Locate(end - start);
        if (rest > 0) AddStop(end - start);
        Cells = rest > 0 ? last + 1 : last;
        (Times, FirstStepOfCell) = Lay(start, end, rest > 0);
    }

    /// <summary>The length of a whole step.</summary>
    public double Step { get; }

    /// <summary>The cells touched.</summary>
    public long Cells { get; }

    /// <summary>The ends of the steps, the start first.</summary>
    public double[] Times { get; }

    /// <summary>The number of steps.</summary>
    public int Steps => Times.Length - 1;

    /// <summary>The number of the step that each cell begins with, and at the end the number of steps.</summary>
    public int[] FirstStepOfCell { get; }

    /// <summary>The length of a step.</summary>
    public double Length(int step) => IsWhole(step) ? Step : Times[step + 1] - Times[step];

    /// <summary>Whether a step is a whole cell.</summary>
    public bool IsWhole(int step) => _cuts.Count == 0 || !_cuts.ContainsKey(CellOf(step));

    /// <summary>Whether any cell of a range is cut.</summary>
    public bool HasCuts(long firstCell, long endCell) =>
        _cuts.Count > 0
        && (FirstStepOfCell[endCell] - FirstStepOfCell[firstCell] != endCell - firstCell || Cuts(endCell - 1).Count > 0);

    /// <summary>Where a cell is cut, as fractions of it in (0, 1), ascending; empty for most.</summary>
    public IReadOnlyList<double> Cuts(long cell) => _cuts.Count > 0 && _cuts.TryGetValue(cell, out var cuts) ? cuts : [];

    /// <summary>The number of steps done when a time of the grid is reached.</summary>
    public int StepsUntil(double time)
    {
        var place = Array.BinarySearch(Times, time);
        if (place >= 0) return place;
        var after = Math.Min(~place, Steps);
        return after > 0 && time - Times[after - 1] < Times[after] - time ? after - 1 : after;
    }

    private int CellOf(int step)
    {
        var place = Array.BinarySearch(FirstStepOfCell, step);
        return place >= 0 ? place : ~place - 1;
    }

    private void AddStop(double sinceStart)
    {
        var (cell, rest) = Locate(sinceStart);
        if (rest == 0) return;
        if (!_cuts.TryGetValue(cell, out var cuts)) _cuts[cell] = cuts = [];
        if (cuts.Count == 0 || cuts[^1] < rest) cuts.Add(rest);
    }

    /// <summary>The cell of a time and the fraction of it that has passed; 0 where the time is on the grid.</summary>
    private (long Cell, double Fraction) Locate(double sinceStart)
    {
        var position = sinceStart / Step;
        var nearest = Math.Round(position);
        // The position itself is rounded by a few units in its last place.
        if (Math.Abs(position - nearest) <= Tolerance + 4 * Math.Abs(Math.BitIncrement(position) - position))
            return ((long)nearest, 0);
        var cell = Math.Floor(position);
        return ((long)cell, position - cell);
    }

    private (double[] Times, int[] FirstSteps) Lay(double start, double end, bool endIsCut)
    {
        var times = new List<double>((int)Cells + 1) { start };
        var first = new int[Cells + 1];
        for (var cell = 0; cell < Cells; cell++)
        {
            first[cell] = times.Count - 1;
            foreach (var cut in Cuts(cell)) times.Add(start + (cell + cut) * Step);
            if (cell < Cells - 1 || !endIsCut) times.Add(start + (cell + 1) * Step);
        }

        first[Cells] = times.Count - 1;
        times[^1] = end;
        return ([.. times], first);
    }
}
