using DiffEqLang.Examples;
using DiffEqLang.Plots;
using DiffEqLang.Runtime;
using TorchSharp;
using static TorchSharp.torch;

// Five periods of a rectifier: how smooth is the direct voltage, and what would a larger capacitor do for it?
const int Points = 2001, Period = 400;
using var model = new Rectifier(device: CPU);
var solution = model.Solve(options: new SolveOptions { Save = SaveAt.Grid(Points) });
solution.EnsureSuccess();

var ripple = Ripple(solution);
model.zero_grad();
ripple.backward();
var (gradient, difference) = (model.C.grad!.item<double>(), Difference());
Console.WriteLine($"The voltage ripples by {ripple.item<double>():F4} V around {solution.v[^Period..].mean().item<double>():F4} V.");
Console.WriteLine($"A larger capacitor changes that by {gradient:F6} V a microfarad (by differences {difference:F6}).");

var t = (solution.Times * 1000).ToArray();
var figure = new Figure("A half-wave rectifier").AddRow(330);
figure.AddPanel("t [ms]", "voltage [V]")
    .Line(t, solution.input.ToArray(), "alternating", 1, width: 1.4f)
    .Line(t, solution.v.ToArray(), "direct", 0)
    .Line(t, solution.d.ToArray(), "over the diode", 2, width: 1.4f);
figure.AddRow(150);
figure.AddPanel("t [ms]", "current [mA]").Line(t, (solution.charging * 1000).ToArray(), null, 3);
figure.Save("rectifier.png");
Console.WriteLine("Wrote rectifier.png.");
return Math.Abs(gradient / difference - 1) < 1e-3 ? 0 : 1;

// The root mean square of the last period's deviations from its mean, in volt.
static Tensor Ripple(Rectifier.Trajectory solution)
{
    var last = solution.v.narrow(0, Points - Period, Period);
    return last.var(unbiased: false).sqrt();
}

double Difference()
{
    const double Step = 0.05;
    return (RippleWith(model.C.item<double>() + Step) - RippleWith(model.C.item<double>() - Step)) / (2 * Step);
}

static double RippleWith(double capacitance)
{
    using var withoutGradient = no_grad();
    using var other = new Rectifier(device: CPU);
    other.SetValue("C", tensor(capacitance));
    return Ripple(other.Solve(options: new SolveOptions { Save = SaveAt.Grid(Points) })).item<double>();
}
