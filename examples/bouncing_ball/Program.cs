using DiffEqLang.Examples;
using DiffEqLang.Plots;
using DiffEqLang.Runtime;
using TorchSharp;
using static TorchSharp.torch;

// Two balls from one height: both reach the floor in the same step, at the same time, and part there. Then the first one's
// restitution is found by Newton's method through its bounces, so that it comes to the floor for the third time at t = 5.
using var model = new BouncingBall(device: CPU);
var before = Curve(model);
var fall = Math.Sqrt(2 * 10 / 9.81);
Console.WriteLine($"Both bounce at t = {before.Events[0][0].Time:R}, {before.Events[0][1].Time:R}; a fall takes {fall:R}.");

const double Wanted = 5;
var unconstrained = model.get_parameter("e_unconstrained")!;    // what is trained: e stays between 0 and 1
var found = 0.0;
for (var iteration = 0; iteration < 8; iteration++)
{
    using var scope = NewDisposeScope();
    model.zero_grad();
    var third = Third(Curve(model));
    third.backward();
    found = third.item<double>();
    using var withoutGradient = no_grad();
    unconstrained.sub_((found - Wanted) / unconstrained.grad!.item<double>());
}

var (restitution, exact) = (model.e.item<double>(), Restitution(fall));
Console.WriteLine($"The third bounce comes at t = {found:F6} with e = {restitution:F6}; the closed form asks for {exact:F6}.");

var after = Curve(model);
var time = before.Times.ToArray();
var figure = new Figure("Two balls; the first one's bounce is trained to hit the floor at t = 5").AddRow(420);
figure.AddPanel("t", "height")
    .Line(time, before.h.ToArray(), "e = 0.8", 0, width: 1.4f, opacity: 0.6, dashed: true)
    .Line(time, after.h.ToArray(), $"e = {restitution:F3}, trained", 0)
    .Line(time, before.k.ToArray(), "the other, e = 0.9", 1)
    .Points([Wanted], [0], "the time asked for", 3);
figure.Save("bouncing_ball.png");
Console.WriteLine("Wrote bouncing_ball.png.");
return Math.Abs(restitution - exact) < 1e-6 ? 0 : 1;

static BouncingBall.Trajectory Curve(BouncingBall model)
{
    var solution = model.Solve(options: new SolveOptions { Save = SaveAt.Grid(1201) });
    solution.EnsureSuccess();
    return solution;
}

// The events of both balls are in one list: those of the first are its own.
static Tensor Third(Solution solution)
{
    var own = solution.Events[0].Index().Where(pair => pair.Item.Event.Name == "falling(h)").Select(pair => pair.Index).ToArray();
    return solution.EventTimes[own[2]];
}

// The third bounce comes after a fall and two flights, 2 e and 2 e² falls long.
static double Restitution(double fall) => (-1 + Math.Sqrt(1 + 2 * (Wanted / fall - 1))) / 2;
