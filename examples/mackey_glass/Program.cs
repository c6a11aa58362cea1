using DiffEqLang.Examples;
using DiffEqLang.Runtime;
using TorchSharp;
using static TorchSharp.torch;

// Follows the blood cells over 600 days, chaotic with a delay of 17; then finds the delay and both rates from 61 noisy counts of the first
// 60 days, from a start that is off in all three. The gradient by the delay is that of the solution, like any other parameter's.
const int IterationsPerHorizon = 80;
const double Noise = 0.01;
int[] horizons = [20, 40, 60];     // days

manual_seed(0);
set_num_threads(1);

using var truth = new MackeyGlass(device: CPU);
using var model = new MackeyGlass(device: CPU);
string[] names = ["beta", "gamma", "tau"];
double[] off = [0.8, 1.3, 0.8];
for (var i = 0; i < names.Length; i++) model.SetValue(names[i], truth.Value(names[i]).detach() * off[i]);

var attractor = truth.Solve(options: new SolveOptions { Save = SaveAt.Grid(3001) }).x.detach();
var hidden = Days(truth, horizons[^1]).x.detach();
var seen = hidden + Noise * randn_like(hidden);
var start = Days(model, horizons[^1]).x.detach();
Print("start");

using (var progress = new TrainingProgress("mackey_glass", horizons.Length * IterationsPerHorizon))
{
    for (var stage = 0; stage < horizons.Length; stage++)
    {
        var optimizer = optim.Adam(model.parameters(), 0.15);
        var schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, IterationsPerHorizon, 1e-3);
        for (var iteration = 1; iteration <= IterationsPerHorizon; iteration++)
        {
            using var scope = NewDisposeScope();
            optimizer.zero_grad();
            var solution = Days(model, horizons[stage]);
            var loss = (solution.x - seen.slice(0, 0, solution.x.size(0), 1)).pow(2).mean();
            loss.backward();
            optimizer.step();
            schedule.step();
            progress.Report(stage * IterationsPerHorizon + iteration, loss.item<double>(), solution.Statistics.Accepted.Max());
        }
    }
}

Print("fitted");
MackeyGlassPicture.Save("mackey_glass.png", attractor, seen, hidden, start, Days(model, horizons[^1]).x.detach());
Console.WriteLine("Wrote mackey_glass.png.");
return names.Max(RelativeError) <= 0.05 ? 0 : 1;

// The cells day by day: x is [days + 1].
static MackeyGlass.Trajectory Days(MackeyGlass model, int days)
{
    var solution = model.Solve(options: new SolveOptions { Start = 0, End = days, Save = SaveAt.Grid(days + 1) });
    solution.EnsureSuccess();
    return solution;
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
