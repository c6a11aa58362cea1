using DiffEqLang.Examples;
using DiffEqLang.Runtime;
using TorchSharp;
using static TorchSharp.torch;

// Learns dy/dt = y^3 A from one trajectory, as torchdiffeq's ode_demo does: 1000 points on [0, 25], batches of 20
// windows of 10 points, mean absolute error, RMSprop.
const int Points = 1000, Window = 10, Batch = 20, Iterations = 3000;
const double End = 25;

manual_seed(0);
set_num_threads(1);
var random = new Random(0);

using var truth = new CubicSpiral(dtype: ScalarType.Float32);
using var model = new Spiral(device: CPU, dtype: ScalarType.Float32, seed: 0);
var wholeTime = new SolveOptions { Start = 0, End = End, Save = SaveAt.Grid(Points) };
var windowTime = new SolveOptions
{
    Start = 0,
    End = End * (Window - 1) / (Points - 1),
    Save = SaveAt.Grid(Window),
    Coupling = StepCoupling.Batch,
};
using var target = truth.Solve(options: wholeTime).y.detach();

var optimizer = optim.RMSProp(model.parameters(), 1e-3);
var schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, Iterations, 1e-5);
using (var progress = new TrainingProgress("spiral", Iterations))
{
    for (var iteration = 1; iteration <= Iterations; iteration++)
    {
        using var scope = NewDisposeScope();
        var (start, window) = Windows();
        optimizer.zero_grad();
        var solution = model.Solve(start, windowTime);
        solution.EnsureSuccess();
        var loss = (solution.y - window).abs().mean();
        loss.backward();
        optimizer.step();
        schedule.step();
        progress.Report(iteration, loss.item<float>(), solution.Statistics.Accepted.Max());
    }
}

using var learned = model.Solve(options: wholeTime).y.detach();
var error = (learned - target).abs().mean().item<float>();
Console.WriteLine($"Mean absolute error over the whole trajectory: {error:0.000}");

model.Save("spiral.safetensors");
SpiralPicture.Save("spiral.png", End, target, learned);
Console.WriteLine("Wrote spiral.png and spiral.safetensors.");
return error <= 0.15 ? 0 : 1;

// A batch of windows: where each starts ([Batch, 2]) and what follows ([Window, Batch, 2]).
(Tensor Start, Tensor Window) Windows()
{
    var first = tensor(Enumerable.Range(0, Batch).Select(_ => (long)random.Next(Points - Window)).ToArray());
    var indices = arange(Window, dtype: ScalarType.Int64).unsqueeze(1) + first;
    return (target.index_select(0, first), target.index_select(0, indices.flatten()).reshape(Window, Batch, 2));
}
