using DiffEqLang.Examples;
using DiffEqLang.Runtime;
using TorchSharp;
using static TorchSharp.torch;

// Learns the three rates of Robertson's stiff reaction from what is observed of it at 50 times between 1e-5 and 1e5, from a start that is off
// by a factor of two in each.
const int Observations = 50, First = 40, Then = 30;
double[] times = [0, .. Enumerable.Range(0, Observations).Select(i => Math.Pow(10, -5 + 10.0 * i / (Observations - 1)))];

set_num_threads(1);
using var truth = new Robertson(device: CPU);
using var model = new Robertson(device: CPU);
model.SetValue("rates", truth.Value("rates").detach() + tensor([Math.Log(2), -Math.Log(2), Math.Log(2)]));

var seen = Curve(truth).detach();
var scale = seen.amax([0L], true);    // b is never more than 4e-5
var start = Curve(model).detach();
Print("start");

// Adam comes near, along a narrow valley; the last digits need second derivatives, of which L-BFGS gathers an estimate.
using (var progress = new TrainingProgress("robertson", First + Then))
{
    var iteration = 0;
    var adam = optim.Adam(model.parameters(), 0.1);
    for (var i = 0; i < First; i++)
    {
        adam.zero_grad();
        Loss().Dispose();
        adam.step();
    }

    var newton = optim.LBFGS(model.parameters(), lr: 1, max_iter: Then, max_eval: Then, tolerange_grad: 1e-12, tolerance_change: 1e-15, history_size: 10);
    newton.step(() =>
    {
        newton.zero_grad();
        return Loss();
    });
    progress.Report(First + Then, Loss().item<double>(), Solve(model).Statistics.Accepted.Max());

    // The loss, with the gradients of the rates.
    Tensor Loss()
    {
        using var scope = NewDisposeScope();
        var solution = Solve(model);
        var loss = ((solution.Packed - seen) / scale).pow(2).mean();
        loss.backward();
        if (++iteration < First + Then) progress.Report(iteration, loss.item<double>(), solution.Statistics.Accepted.Max());
        return loss.detach().MoveToOuterDisposeScope();
    }
}

Print("learned");
RobertsonPicture.Save("robertson.png", times, seen, start, Curve(model).detach());
Console.WriteLine("Wrote robertson.png.");
return Enumerable.Range(0, 3).Max(RelativeError) <= 0.01 ? 0 : 1;

Robertson.Trajectory Solve(Robertson robertson)
{
    var solution = robertson.Solve(options: new SolveOptions { Save = SaveAt.Times(times) });
    solution.EnsureSuccess();
    return solution;
}

// The states at the observed times, [times, 3].
Tensor Curve(Robertson robertson) => Solve(robertson).Packed;

double RelativeError(int i) => Math.Abs(Rate(model, i) / Rate(truth, i) - 1);

static double Rate(Robertson robertson, int i) => Math.Exp(robertson.Value("rates")[i].item<double>());

void Print(string when)
{
    Console.WriteLine($"{when,-8}" + string.Concat(Enumerable.Range(0, 3).Select(
        i => $"  k{i + 1} {Rate(model, i):0.####e+0} (true {Rate(truth, i):0e+0}, off by {RelativeError(i):0.00%})")));
}
