using System.Diagnostics;
using System.Globalization;

namespace DiffEqLang.Examples;

/// <summary>
/// Shows how training goes: a bar with loss and solver steps on a terminal, a plain line now and then where the output
/// is redirected (a bar would vanish there).
/// </summary>
public sealed class TrainingProgress : IDisposable
{
    private const int PlainLines = 10;
    private static readonly TimeSpan s_redraw = TimeSpan.FromMilliseconds(80);

    private readonly string _name;
    private readonly int _iterations;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly bool _interactive = !Console.IsOutputRedirected;
    private TimeSpan _drawn = TimeSpan.MinValue;

    /// <param name="name">What is trained.</param>
    /// <param name="iterations">How many reports will come.</param>
    public TrainingProgress(string name, int iterations) => (_name, _iterations) = (name, iterations);

    /// <summary>Tells the state of training after an iteration, the first being 1.</summary>
    /// <param name="iteration">The iteration that has just ended.</param>
    /// <param name="loss">Its loss.</param>
    /// <param name="steps">The solver's accepted steps.</param>
    public void Report(int iteration, double loss, long steps)
    {
        var last = iteration == _iterations;
        if (_interactive)
        {
            if (!last && _clock.Elapsed - _drawn < s_redraw) return;
            _drawn = _clock.Elapsed;
            Console.Write($"\r{Line(iteration, loss, steps)} {Bar(iteration)}\u001b[K");
        }
        else if (last || iteration % Math.Max(1, _iterations / PlainLines) == 0)
        {
            Console.WriteLine(Line(iteration, loss, steps));
        }
    }

    /// <summary>Ends the bar's line.</summary>
    public void Dispose()
    {
        if (_interactive) Console.WriteLine();
    }

    private string Line(int iteration, double loss, long steps) => string.Create(
        CultureInfo.InvariantCulture,
        $"{_name}  {iteration,5}/{_iterations}  loss {loss:0.00000}  steps {steps,3}  {_clock.Elapsed.TotalSeconds,5:0.0} s");

    private string Bar(int iteration)
    {
        const int width = 30;
        var done = (int)((long)width * iteration / _iterations);
        return $"[{new string('━', done)}{new string(' ', width - done)}]";
    }
}
