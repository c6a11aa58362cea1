using DiffEqLang.Examples;
using DiffEqLang.Plots;
using DiffEqLang.Runtime;
using TorchSharp;
using static TorchSharp.torch;

// Lorenz (1963), "Deterministic nonperiodic flow": two starts that differ by 1e-4 go together for long, then part ways.
using var model = new Lorenz();
using var noGradient = no_grad();

var starts = tensor(new[] { 1.0, 1.0 + 1e-4 });
var solution = model.Solve(x: starts, options: new SolveOptions { Save = SaveAt.Grid(4001) });
solution.EnsureSuccess();

var times = Numbers(solution.Times);
var x = Paths(solution.x);
var (y, z) = (Paths(solution.y), Paths(solution.z));

var figure = new Figure("The Lorenz system: two starts, 1e-4 apart") { Width = 1240 }.AddRow(330);
figure.AddPanel("t", "x").Line(times, x[0], "x(0) = 1", 0).Line(times, x[1], "x(0) = 1 + 1e-4", 1, width: 1.4f);
figure.AddRow(430);
figure.AddPanel("x", "z").Path(x[0], z[0]);
figure.AddPanel("x", "y").Path(x[0], y[0]);
figure.Save("lorenz.png");

var apart = times[Enumerable.Range(0, times.Length).First(i => Math.Abs(x[0][i] - x[1][i]) > 1)];
Console.WriteLine($"{solution.Statistics.Accepted[0]} steps, {solution.Statistics.Rejected[0]} rejected; the two solutions are 1 apart at t = {apart:F1}.");
Console.WriteLine("lorenz.png written.");

static double[] Numbers(Tensor values) => values.contiguous().data<double>().ToArray();

static double[][] Paths(Tensor values) => [.. Enumerable.Range(0, 2).Select(path => Numbers(values.select(1, path)))];
