using DiffEqLang.Examples;
using DiffEqLang.Runtime;
using TorchSharp;
using static TorchSharp.torch;

// Fits the four rates of a predator-prey system to noisy observations, from a start that is 50% off in each. The
// horizon grows: over the whole span at once the loss has many minima, one for each period missed.
const int Observations = 101;
const double End = 10, Noise = 0.1;
double[] horizons = [2, 4, 7, End];
const int IterationsPerHorizon = 150;

manual_seed(0);
set_num_threads(1);

using var truth = new LotkaVolterra(device: CPU);
using var model = new LotkaVolterra(device: CPU);
string[] names = ["alpha", "beta", "gamma", "delta"];
double[] off = [1.5, 0.5, 0.5, 1.5];
for (var i = 0; i < names.Length; i++) model.SetValue(names[i], truth.Value(names[i]).detach() * off[i]);

var (seen, hidden) = Observe(truth);
var start = Curve(model).detach();
Print("start");

using (var progress = new TrainingProgress("lotka_volterra", horizons.Length * IterationsPerHorizon))
{
    for (var stage = 0; stage < horizons.Length; stage++)
    {
        var optimizer = optim.Adam(model.parameters(), 0.05);
        var schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, IterationsPerHorizon, 1e-3);
        var count = 1 + (int)Math.Round(horizons[stage] / End * (Observations - 1));
        for (var iteration = 1; iteration <= IterationsPerHorizon; iteration++)
        {
            using var scope = NewDisposeScope();
            optimizer.zero_grad();
            var solution = model.Solve(options: new SolveOptions { Start = 0, End = horizons[stage], Save = SaveAt.Grid(count) });
            solution.EnsureSuccess();
            var loss = (stack([solution.x, solution.y], -1) - seen.slice(0, 0, count, 1)).pow(2).mean();
            loss.backward();
            optimizer.step();
            schedule.step();
            progress.Report(stage * IterationsPerHorizon + iteration, loss.item<double>(), solution.Statistics.Accepted.Max());
        }
    }
}

Print("fitted");
LotkaVolterraPicture.Save("lotka_volterra.png", End, seen, hidden, start, Curve(model).detach());
Console.WriteLine("Wrote lotka_volterra.png.");
return names.Max(RelativeError) <= 0.05 ? 0 : 1;

// x and y at the observed times, [Observations, 2]: with noise, and without.
static (Tensor Seen, Tensor Hidden) Observe(LotkaVolterra truth)
{
    var exact = Curve(truth).detach();
    return (exact + Noise * randn_like(exact), exact);
}

static Tensor Curve(LotkaVolterra model)
{
    var solution = model.Solve(options: new SolveOptions { Start = 0, End = End, Save = SaveAt.Grid(Observations) });
    return stack([solution.x, solution.y], -1);
}

double RelativeError(string name)
{
    var (found, true_) = (model.Value(name).item<double>(), truth.Value(name).item<double>());
    return Math.Abs(found / true_ - 1);
}

void Print(string when)
{
    Console.WriteLine($"{when,-8}" + string.Concat(names.Select(
        n => $"  {n} {model.Value(n).item<double>():0.000} (true {truth.Value(n).item<double>():0.0}, off by {RelativeError(n):0.0%})")));
}
