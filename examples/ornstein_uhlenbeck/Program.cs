using DiffEqLang.Examples;
using DiffEqLang.Runtime;
using TorchSharp;
using static TorchSharp.torch;

// 10,000 paths of an Ornstein-Uhlenbeck process against its exact mean and variance; then the same process with wrong
// parameters is trained on those moments, by gradients through the SDE solve.
const int Paths = 10_000, TrainingPaths = 2_000, Times = 41, Iterations = 200;
const double End = 2, Start = 3;

manual_seed(0);
set_num_threads(1);

using var model = new OrnsteinUhlenbeck(device: CPU);
double Parameter(string name) => model.Value(name).item<double>();
var (theta, mu, sigma) = (Parameter("theta"), Parameter("mu"), Parameter("sigma"));

var paths = Simulate(model, Paths, seed: 1).detach();
var agrees = CompareWithExact();

var (mean, variance) = (paths.mean([1L]), paths.var(1));
model.SetValue("theta", tensor(1.4));
model.SetValue("mu", tensor(0.5));
model.SetValue("sigma", tensor(1.0));
Train();

double[] errors = [Error("theta", theta), Error("mu", mu), Error("sigma", sigma)];
OrnsteinUhlenbeckPicture.Save("ornstein_uhlenbeck.png", End, paths, t => Mean(t), t => Variance(t));
Console.WriteLine("Wrote ornstein_uhlenbeck.png.");
return agrees && errors.Max() <= 0.1 ? 0 : 1;

static Tensor Simulate(OrnsteinUhlenbeck model, int count, ulong seed) =>
    model.Solve(
        x: full(count, Start, dtype: ScalarType.Float64),
        options: new SolveOptions { Start = 0, End = End, Save = SaveAt.Grid(Times), Seed = seed }).x;

double Mean(double t) => mu + (Start - mu) * Math.Exp(-theta * t);

double Variance(double t) => sigma * sigma / (2 * theta) * (1 - Math.Exp(-2 * theta * t));

// Mean and variance of the paths at the end, in standard errors from the exact ones.
bool CompareWithExact()
{
    var last = paths[-1];
    var (exactMean, exactVariance) = (Mean(End), Variance(End));
    var meanOff = (last.mean().item<double>() - exactMean) / Math.Sqrt(exactVariance / Paths);
    var varianceOff = (last.var().item<double>() - exactVariance) / (exactVariance * Math.Sqrt(2.0 / (Paths - 1)));
    Console.WriteLine($"mean      {last.mean().item<double>():0.0000}, exact {exactMean:0.0000}: {meanOff:+0.0;-0.0} standard errors");
    Console.WriteLine($"variance  {last.var().item<double>():0.0000}, exact {exactVariance:0.0000}: {varianceOff:+0.0;-0.0} standard errors");
    return Math.Abs(meanOff) <= 3 && Math.Abs(varianceOff) <= 3;
}

// The moments of fresh paths against the observed ones, weighed so that both count alike.
void Train()
{
    var optimizer = optim.Adam(model.parameters(), 0.05);
    var schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, Iterations, 1e-3);
    using var progress = new TrainingProgress("ornstein_uhlenbeck", Iterations);
    for (var iteration = 1; iteration <= Iterations; iteration++)
    {
        using var scope = NewDisposeScope();
        optimizer.zero_grad();
        var x = Simulate(model, TrainingPaths, seed: 1_000 + (ulong)iteration);
        var loss = (x.mean([1L]) - mean).pow(2).mean() + 10 * (x.var(1) - variance).pow(2).mean();
        loss.backward();
        optimizer.step();
        schedule.step();
        progress.Report(iteration, loss.item<double>(), steps: (long)(End / 0.005));
    }
}

double Error(string name, double exact)
{
    var error = Math.Abs(Parameter(name) / exact - 1);
    Console.WriteLine($"{name,-6} trained to {Parameter(name):0.000}, true {exact:0.0}: off by {error:0.0%}");
    return error;
}
