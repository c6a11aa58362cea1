using System.Diagnostics;
using DiffEqLang.Examples;
using DiffEqLang.Runtime;
using TorchSharp;
using static TorchSharp.torch;

// Follows waves that never repeat to t = 150, compares methods that treat the stiff part of the equation apart with ones that do not, and learns
// the strength of the damping from what is seen of the waves.
const int Observations = 41, Iterations = 12;
const double Horizon = 10;

set_num_threads(1);
using var truth = new KuramotoSivashinsky(device: CPU);
using var model = new KuramotoSivashinsky(device: CPU);

var history = Solve(truth, null, new SolveOptions { Save = SaveAt.Grid(301) }).u.detach();
var start = history[-1];
Compare();

model.SetValue("nu", tensor(0.7));
var seen = Waves(truth).detach();
var before = Waves(model).detach();
using (var progress = new TrainingProgress("kuramoto_sivashinsky", Iterations))
{
    var iteration = 0;
    var optimizer = optim.LBFGS(model.parameters(), lr: 1, max_iter: Iterations, max_eval: Iterations, tolerange_grad: 1e-12, tolerance_change: 1e-15);
    optimizer.step(() =>
    {
        using var scope = NewDisposeScope();
        optimizer.zero_grad();
        var solution = Last(model);
        var loss = (solution.u - seen).pow(2).mean();
        loss.backward();
        progress.Report(++iteration, loss.item<double>(), solution.Statistics.Accepted[0]);
        return loss.detach().MoveToOuterDisposeScope();
    });
}

var learned = model.Value("nu").item<double>();
Console.WriteLine($"nu from 0.7 to {learned:0.000000} (true 1)");
KuramotoSivashinskyPicture.Save("kuramoto_sivashinsky.png", history, seen[-1], before[-1], Waves(model).detach()[-1]);
Console.WriteLine("Wrote kuramoto_sivashinsky.png.");
return Math.Abs(learned - 1) <= 1e-3 ? 0 : 1;

static KuramotoSivashinsky.Trajectory Solve(KuramotoSivashinsky model, Tensor? start, SolveOptions options)
{
    var solution = model.Solve(start, options);
    solution.EnsureSuccess();
    return solution;
}

// From the last of the waves on: [observations, 256].
Tensor Waves(KuramotoSivashinsky model) => Last(model).u;

KuramotoSivashinsky.Trajectory Last(KuramotoSivashinsky model) =>
    Solve(model, start, new SolveOptions { Start = 0, End = Horizon, Save = SaveAt.Grid(Observations) });

// Errors, costs and times of methods from the last of the waves on.
void Compare()
{
    using var noGradient = no_grad();
    var exact = End(Methods.Kvaerno5(rtol: 1e-9, atol: 1e-9)).Solution.u[-1];
    Console.WriteLine($"method           error     steps   evaluations   factorizations   seconds");
    foreach (var method in new[]
    {
        Methods.EtdRk4(dt: 0.1), Methods.KenCarp4(rtol: 1e-4, atol: 1e-4), Methods.Kvaerno4(rtol: 1e-4, atol: 1e-4), Methods.Tsit5(rtol: 1e-4, atol: 1e-4),
    })
    {
        End(method);    // compiles
        var (solution, seconds) = End(method);
        var (error, cost) = ((solution.u[-1] - exact).abs().max().item<double>(), solution.Statistics);
        Console.WriteLine(
            $"{method.Name,-12} {error,9:0.0e+0} {cost.Accepted[0] + cost.Rejected[0],9} {cost.Evaluations,13} {cost.Factorizations,16} {seconds,9:0.00}");
    }
}

(KuramotoSivashinsky.Trajectory Solution, double Seconds) End(Method method)
{
    var clock = Stopwatch.StartNew();
    var solution = Solve(truth, start, new SolveOptions { Start = 0, End = Horizon, Method = method });
    return (solution, clock.Elapsed.TotalSeconds);
}
