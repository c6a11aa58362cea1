using DiffEqLang.Examples;
using DiffEqLang.Plots;
using DiffEqLang.Runtime;
using TorchSharp;
using static TorchSharp.torch;

// A day of a thermostat: when does the heater run, and what does its setting cost?
using var model = new Thermostat(device: CPU);
var solution = model.Solve(options: new SolveOptions { Save = SaveAt.Grid(2401) });
solution.EnsureSuccess();

var switches = solution.Events[0];
Console.WriteLine($"The heater switches {switches.Count} times; first on at t = {switches[0].Time:F4} h, then off at {switches[1].Time:F4} h.");

// How long it runs, from the times of its events; a derivative by the lower threshold comes with them: of these heatings, which
// grow shorter and begin earlier as the thresholds come closer.
var times = solution.EventTimes;
var pairs = switches.Count / 2;
var running = (times.narrow(0, 0, 2 * pairs).view(pairs, 2) * tensor(new[] { -1.0, 1.0 })).sum();
model.zero_grad();
running.backward();
var (gradient, difference) = (model.low.grad!.item<double>(), Difference(pairs));
Console.WriteLine($"It runs {running.item<double>():F3} h in {pairs} heatings; by `low` the sum of these has the derivative {gradient:F5} h a degree (by differences {difference:F5}).");

var t = solution.Times.ToArray();
var figure = new Figure("A thermostat over a day").AddRow(330);
figure.AddPanel("t [h]", "temperature [°C]")
    .Line(t, solution.T.ToArray(), "room", 0)
    .Line(t, solution.outdoors.ToArray(), "outside", 1, width: 1.4f);
figure.AddRow(150);
figure.AddPanel("t [h]", "heater").Line(t, solution.on.ToArray(), null, 3);
figure.Save("thermostat.png");
Console.WriteLine("Wrote thermostat.png.");
return Math.Abs(gradient / difference - 1) < 1e-5 ? 0 : 1;

double Difference(int pairs)
{
    const double Step = 1e-5;
    return (Running(model.low.item<double>() + Step, pairs) - Running(model.low.item<double>() - Step, pairs)) / (2 * Step);
}

static double Running(double low, int pairs)
{
    using var other = new Thermostat(device: CPU);
    other.SetValue("low", tensor(low));
    double[] times = [.. other.Solve().Events[0].Select(e => e.Time)];
    return Enumerable.Range(0, pairs).Sum(i => times[2 * i + 1] - times[2 * i]);
}
