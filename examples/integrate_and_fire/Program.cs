using DiffEqLang.Examples;
using DiffEqLang.Plots;
using DiffEqLang.Runtime;
using TorchSharp;
using static TorchSharp.torch;

// One neuron over time, then the rate of a population over its currents: every sample of a batch has spikes of its own.
using var model = new IntegrateAndFire(device: CPU);
var solution = model.Solve(options: new SolveOptions { Save = SaveAt.Grid(4001) });
solution.EnsureSuccess();
var spikes = solution.Events[0].Select(e => e.Time).ToArray();
var first = 10 * Math.Log(1.6 / 0.6);
Console.WriteLine($"{spikes.Length} spikes in 200 ms, the first at {spikes[0]:F9} (closed form {first:F9}).");

// Thirty neurons that start at different potentials, as one batch: after a while they fire as often as each other.
var starts = linspace(0, 0.95, 30, dtype: ScalarType.Float64);
var population = model.Solve(v: starts);
Console.WriteLine($"A batch of 30 has {population.Events.Min(e => e.Count)} to {population.Events.Max(e => e.Count)} spikes.");

// The current at which the first spike comes at 8 ms, by Newton's method on the event's time.
for (var iteration = 0; iteration < 8; iteration++)
{
    model.zero_grad();
    var time = model.Solve().EventTimes[0];
    time.backward();
    using var withoutGradient = no_grad();
    model.I.sub_((time.item<double>() - 8) / model.I.grad!.item<double>());
}

var (found, exact) = (model.I.item<double>(), 1 / (1 - Math.Exp(-0.8)));
Console.WriteLine($"The first spike comes at 8 ms with a current of {found:F9} (closed form {exact:F9}).");

var figure = new Figure("Leaky integrate-and-fire neurons that tire").AddRow(300);
var t = solution.Times.ToArray();
figure.AddPanel("t [ms]", "potential").Line(t, solution.v.ToArray(), "v", 0, width: 1.4f).Line(t, solution.w.ToArray(), "w, fatigue", 1);
figure.AddRow(300);
figure.AddPanel("t [ms]", "neuron").Points(
    [.. population.Events.SelectMany(own => own.Select(e => e.Time))],
    [.. population.Events.SelectMany((own, neuron) => own.Select(_ => (double)neuron))], null, 0, size: 3);
figure.Save("integrate_and_fire.png");
Console.WriteLine("Wrote integrate_and_fire.png.");
return Math.Abs(found - exact) < 1e-6 && Math.Abs(spikes[0] - first) < 1e-6 ? 0 : 1;
