using DiffEqLang.Tableaux;

namespace DiffEqLang.Runtime;

/// <summary>
/// Chooses order and step of every lane, from the errors of steps of the present size at the present order and at those beside it: the
/// order that allows the longest step. Knows the times of past values, and no tensors.
/// </summary>
/// <remarks>
/// Shampine and Reichelt (1997), sec. 2. Both rest until k + 1 steps of one size and order have been taken, as the errors beside the present
/// order are known only then, and for less than a fifth of a gain, as changes cost factorizations and accuracy.
/// </remarks>
internal sealed class OrderControl
{
    private const double LeastGain = 1.2, MostGrowth = 10, LeastGrowth = 0.2;

    private readonly MultistepMethod _method;
    private readonly int _most;
    private readonly double[][] _times;         // of past values, the present one first
    private readonly int[] _order, _steps, _equal, _failures;    // steps since a start, of one size and order, and failed in a row
    private readonly double[] _step, _before;   // of the attempt, and of the accepted one before it
    private readonly double[][] _errors;        // at one order below, at the present one, and at one above

    /// <param name="method">The method.</param>
    /// <param name="most">The highest order.</param>
    /// <param name="lanes">How many lanes there are.</param>
    /// <param name="span">From where they start.</param>
    public OrderControl(MultistepMethod method, int most, int lanes, SolveSpan span)
    {
        (_method, _most) = (method, most);
        (_order, _steps, _equal, _failures) = (new int[lanes], new int[lanes], new int[lanes], new int[lanes]);
        (_step, _before) = (new double[lanes], new double[lanes]);
        _errors = [.. Enumerable.Range(0, lanes).Select(_ => new double[3])];
        _times = new double[lanes][];
        for (var lane = 0; lane < lanes; lane++) Restart(lane, span.Of(lane).Start);
    }

    /// <summary>Whether a lane that has not ended knows one value of its solution alone.</summary>
    public bool AnyStarts => Array.Exists(_times, times => times.Length == 1);

    /// <summary>All that is known of a lane; NaN for the times of past values that it does not have.</summary>
    public double[] Memory(int lane)
    {
        var missing = _method.PastCount(_most) - _times[lane].Length;
        return
        [
            _order[lane], _steps[lane], _equal[lane], _failures[lane], _step[lane], _before[lane], .. _errors[lane],
            .. _times[lane], .. Enumerable.Repeat(double.NaN, missing),
        ];
    }

    /// <summary>Lets a lane go on from there.</summary>
    public void Recall(int lane, double[] memory)
    {
        (_order[lane], _steps[lane], _equal[lane], _failures[lane]) = ((int)memory[0], (int)memory[1], (int)memory[2], (int)memory[3]);
        (_step[lane], _before[lane], _errors[lane]) = (memory[4], memory[5], memory[6..9]);
        _times[lane] = [.. memory.Skip(9).Take(_method.PastCount(_most)).TakeWhile(time => !double.IsNaN(time))];
    }

    /// <summary>The formula of a lane's next step.</summary>
    public LaneFormula Formula(int lane, double step)
    {
        var count = _method.PastCount(_most);
        if (step == 0) return new LaneFormula(_method, 0, 0, [], count, false);
        var times = _times[lane];
        _step[lane] = step;
        var isStart = times.Length == 1 && _method.IsImplicit;
        double[] places = isStart ? [0, -1] : [.. times.Select(time => (time - times[0]) / step)];
        return new LaneFormula(_method, _order[lane], step, places, count, isStart);
    }

    /// <summary>Takes note of the errors of an attempt, in units of the tolerance; zero where one is not known.</summary>
    public void Note(int lane, double below, double present, double above) =>
        (_errors[lane][0], _errors[lane][1], _errors[lane][2]) = (below, present, above);

    /// <summary>By what factor the next step of a lane is longer; changes its order.</summary>
    public double Factor(int lane, bool isAccepted, double error) => isAccepted ? AfterAccepted(lane) : AfterRejected(lane, error);

    /// <summary>Takes note that a lane has moved, and where the values lie that it can use from now on.</summary>
    public void Move(int lane, LaneFormula formula, double time)
    {
        var before = _times[lane];
        _steps[lane]++;
        double[] known = formula.IsStart ? [before[0], before[0] - formula.Step] : before;
        _times[lane] = [time, .. known.Take(_method.PastCount(_most) - 1)];
    }

    /// <summary>Takes the highest order that a lane's past allows: where steps do not follow the error.</summary>
    public void Raise(int lane) => _order[lane] = Math.Min(_most, _method.OrderAfter(_steps[lane]));

    /// <summary>Begins anew behind a jump of the solution, which its past says nothing about.</summary>
    public void Restart(int lane, double time) =>
        (_times[lane], _order[lane], _steps[lane], _equal[lane], _failures[lane]) = ([time], 1, 0, 0, 0);

    private double AfterAccepted(int lane)
    {
        var order = _order[lane];
        _failures[lane] = 0;
        if (Math.Abs(_step[lane] - _before[lane]) > 1e-6 * Math.Abs(_step[lane])) _equal[lane] = 0;
        _before[lane] = _step[lane];
        if (++_equal[lane] <= order) return 1;
        var (below, present, above) = (Allowed(lane, -1, 1.3), Allowed(lane, 0, 1.2), order < _most ? Allowed(lane, 1, 1.4) : 0);
        var best = Math.Max(present, Math.Max(below, above));
        if (best is > 0.9 and < LeastGain) return 1;
        if (best > present) Change(lane, best == above ? 1 : -1);
        _equal[lane] = 0;
        return Math.Clamp(best, LeastGrowth, MostGrowth);
    }

    private double AfterRejected(int lane, double error)
    {
        _equal[lane] = 0;
        _failures[lane]++;
        if (!double.IsFinite(error)) return 0.25;
        var (below, present) = (Allowed(lane, -1, 1.3), Allowed(lane, 0, 1.2));
        // What fails again and again is no smooth solution: order 1 measures a jump as large as it is. Shampine and Gordon (1975), ch. 7.
        if (_failures[lane] > 2) Change(lane, 1 - _order[lane]);
        else if (below > present) Change(lane, -1);
        return Math.Clamp(Math.Max(below, present), LeastGrowth, 0.9);
    }

    private void Change(int lane, int by) => _order[lane] = Math.Max(1, _order[lane] + by);

    /// <summary>How much longer a step would just meet the tolerance at the present order or one beside it; 0 where that cannot be told.</summary>
    private double Allowed(int lane, int beside, double safety)
    {
        var (order, error) = (_order[lane] + beside, _errors[lane][beside + 1]);
        return order < 1 || error == 0 && beside != 0 ? 0 : 1 / (safety * Math.Pow(Math.Max(error, 1e-12), 1.0 / (order + 1)));
    }
}
