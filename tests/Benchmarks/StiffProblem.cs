using DiffEqLang.Benchmarks.Models;
using DiffEqLang.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Benchmarks;

/// <summary>A problem with its solution at the end of its span.</summary>
/// <param name="Model">The model.</param>
/// <param name="Name">What tables and pictures show.</param>
/// <param name="Atol">The absolute tolerance, as a part of the relative one.</param>
/// <param name="Final">The solution there.</param>
internal sealed record StiffProblem(OdeModel Model, string Name, double Atol, double[] Final)
{
    /// <summary>Stiff ones, with the references of the test set for initial value problems (Mazzia and Magherini 2008).</summary>
    public static IReadOnlyList<StiffProblem> All() =>
    [
        new(new Robertson(), "Robertson", 1e-6, [0.2083340149701255e-7, 0.8333360770334713e-13, 0.9999999791665050]),
        new(new VanDerPol(), "Van der Pol, 1000", 1e-4, [1.706167732170483, -0.8928097010247975e-3]),
        new(new Oregonator(), "Oregonator", 1e-4, [1.000814870318523, 1228.178521549917, 132.0554942846706]),
        new(new Hires(), "HIRES", 1e-4,
        [
            0.7371312573325668e-3, 0.1442485726316185e-3, 0.5888729740967575e-4, 0.1175651343283149e-2, 0.2386356198831331e-2,
            0.6238968252742796e-2, 0.2849998395185769e-2, 0.2850001604814231e-2,
        ]),
        new(new Pollution(), "Pollution", 1e-4,
        [
            0.5646255480022769e-1, 0.1342484130422339, 0.4139734331099427e-8, 0.5523140207484359e-2, 0.2018977262302196e-6,
            0.1464541863493966e-6, 0.7784249118997964e-1, 0.3245075353396018, 0.7494013383880406e-2, 0.1622293157301561e-7,
            0.1135863833257075e-7, 0.2230505975721359e-2, 0.2087162882798630e-3, 0.1396921016840158e-4, 0.8964884856898295e-2,
            0.4352846369330103e-17, 0.6899219696263405e-2, 0.1007803037365946e-3, 0.1772146513969984e-5, 0.5682943292316392e-4,
        ]),
    ];

    /// <summary>Two that are not stiff: to a closed form, and to the orbit's own by Kepler's equation (DETEST, D3).</summary>
    public static IReadOnlyList<StiffProblem> Gentle() =>
    [
        new(new PredatorPrey(), "predator and prey", 1, [1.02634476757509, 0.909691078136042]),
        new(new Kepler(), "Kepler, 0.5", 1, [-0.5780432953035361, 0.8633840009194193, -0.9595083730380727, -0.06504915126712090]),
    ];

    /// <summary>The packed initial state.</summary>
    public double[] Start()
    {
        using var scope = NewDisposeScope();
        var declared = Model.DeclaredInitialState();
        return [.. Model.Layout.Pack([.. Model.Layout.Slots.Select(slot => declared[slot.Name])]).data<double>()];
    }

    /// <summary>The largest error at the end, |y - y*| / (|y*| + atol/rtol).</summary>
    public double ErrorOf(ReadOnlySpan<double> found)
    {
        var worst = 0.0;
        for (var i = 0; i < Final.Length; i++) worst = Math.Max(worst, Math.Abs(found[i] - Final[i]) / (Math.Abs(Final[i]) + Atol));
        return worst;
    }
}
