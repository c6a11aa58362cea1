using DiffEqLang.Runtime.Solvers.Stochastic;

namespace DiffEqLang.Runtime.Simd;

/// <summary>Tells how much of all tiles has been solved; never less than before, whatever threads they are on.</summary>
/// <param name="problem">What is solved.</param>
/// <param name="tiles">How many tiles there are.</param>
internal sealed class StochasticProgress(StochasticProblem problem, int tiles)
{
    private readonly Lock _lock = new();
    private readonly double[] _times = problem.Grid.Times;
    private double _time;    // of all tiles, one after another
    private long _steps;

    /// <summary>A tile has gone from one step to another.</summary>
    public void Report(int from, int to)
    {
        lock (_lock)
        {
            _time += _times[to] - _times[from];
            _steps += to - from;
            var fraction = Math.Min(1, _time / tiles / (_times[^1] - _times[0]));
            var reached = _times[0] + fraction * (_times[^1] - _times[0]);
            problem.Options.Progress!.Report(new SolveProgress(reached, fraction, _steps / tiles));
        }
    }
}
