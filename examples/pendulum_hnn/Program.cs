using DiffEqLang.Examples;
using DiffEqLang.Runtime;
using TorchSharp;
using static TorchSharp.torch;

// Learns the energy of a pendulum from short pieces of its motion, then lets the learned system swing for far longer
// than it was trained on: because the motion comes from an energy, that energy is kept.
const int Batch = 256, Window = 6, Iterations = 1000;
const double WindowEnd = 0.5, End = 20;
const int Points = 401;

manual_seed(0);
set_num_threads(1);

using var truth = new Pendulum(device: CPU, dtype: ScalarType.Float32);
using var model = new PendulumHnn(device: CPU, dtype: ScalarType.Float32, seed: 1);
var windowTime = new SolveOptions { Start = 0, End = WindowEnd, Save = SaveAt.Grid(Window), Coupling = StepCoupling.Batch };

var optimizer = optim.Adam(model.parameters(), 3e-3);
var schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, Iterations, 1e-5);
using (var progress = new TrainingProgress("pendulum_hnn", Iterations))
{
    for (var iteration = 1; iteration <= Iterations; iteration++)
    {
        using var scope = NewDisposeScope();
        var (q, p) = (4 * rand(Batch) - 2, 4 * rand(Batch) - 2);
        var target = truth.Solve(q, p, windowTime);
        optimizer.zero_grad();
        var solution = model.Solve(q, p, windowTime with { Method = Methods.Rk4(dt: 0.1) });
        var loss = (solution.q - target.q).pow(2).mean() + (solution.p - target.p).pow(2).mean();
        loss.backward();
        optimizer.step();
        schedule.step();
        progress.Report(iteration, loss.item<float>(), solution.Statistics.Accepted.Max());
    }
}

using var without = no_grad();
var wholeTime = new SolveOptions { Start = 0, End = End, Save = SaveAt.Grid(Points) };
var (exact, learned) = (truth.Solve(options: wholeTime), model.Solve(options: wholeTime));
var error = (learned.q - exact.q).abs().mean().item<float>();
var energy = truth.Output("E", learned.Times, learned.Packed);
var drift = (energy - exact.E[0]).abs().max().item<float>();
Console.WriteLine($"Mean absolute error of the angle over [0, {End}]: {error:0.000}");
Console.WriteLine($"Largest change of the true energy along the learned motion: {drift:0.0000}");
PendulumPicture.Save("pendulum_hnn.png", End, exact, learned, energy);
Console.WriteLine("Wrote pendulum_hnn.png.");
return error <= 0.1 && drift <= 0.05 ? 0 : 1;
