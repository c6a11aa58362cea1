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
internal sealed record ReferenceProblem(OdeModel Model, string Name, double Atol, double[] Final)
{
    /// <summary>Stiff ones, with the references of the test set for initial value problems (Mazzia and Magherini 2008).</summary>
    public static IReadOnlyList<ReferenceProblem> Stiff() =>
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
    public static IReadOnlyList<ReferenceProblem> Gentle() =>
    [
        new(new PredatorPrey(), "predator and prey", 1, [1.02634476757509, 0.909691078136042]),
        new(new Kepler(), "Kepler, 0.5", 1, [-0.5780432953035361, 0.8633840009194193, -0.9595083730380727, -0.06504915126712090]),
    ];

    /// <summary>
    /// Seven stars and the outer planets: computed with long double by two methods of different order, each body's position and velocity.
    /// </summary>
    public static IReadOnlyList<ReferenceProblem> Celestial() =>
    [
        new(new Pleiades(), "Pleiades", 1,
        [
            0.37061391439704877, -3.943437585517393, 3.417003806314309, -3.7412449612340115, 3.237284092057233,
            -3.27138097397255, 1.3545845016255014, 0.37734596857506286, -3.222559032418323, 5.2250818434565405,
            -2.5900655978107747, 0.9386858869551046, 0.659709145577531, -2.5906124349774697, 2.025053734714242,
            0.3667922227200571, 0.3425581707156588, 1.1982136933922751, -1.1558151001604455, -0.3474046353808477,
            1.5621721014006311, -0.24296823449358237, -0.8072988170223018, 2.344915448180937, -0.70030929222125,
            1.091449240428981, 0.5952396354208688, -1.9470204342632913,
        ]),
        new(new OuterPlanets(), "outer planets", 1,
        [
            1.2358425423546087, -0.4899438211442749, -0.24610536181432127, -9.134375581608418e-07, -3.23773810609492e-06,
            -1.402080203126841e-06, 2.611079570112889, -5.079525496787979, -2.2447206778530546, 0.007178878928375923,
            0.0022335795260703317, 0.000783748342939326, -7.669136247391205, -4.052052245488086, -1.3311156697114934,
            0.0018447909562468807, -0.004772806883489127, -0.002056579049928228, -5.824743949847754, 15.337173753572518,
            6.782463409917606, -0.0036589500571615747, -0.001554803833696468, -0.0006295145553042205, 20.66398024751504,
            20.582956042459852, 7.894795414748196, -0.0023928745660726208, 0.001890469681811907, 0.0008333213697572185,
            36.5669506988225, -13.767684401259775, -15.043469221823278, 0.0016299292484246565, 0.002108011560278226,
            0.0001685048429944122,
        ]),
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
