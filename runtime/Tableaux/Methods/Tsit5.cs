namespace DiffEqLang.Tableaux;

/// <summary>The pair of Tsitouras.</summary>
public static class Tsit5
{
    /// <summary>Order 5(4), seven stages, the last of them the next step's first; its own dense output of order 4.</summary>
    public static RungeKuttaTableau Tableau { get; } = new(
        "tsit5", order: 5,
        a:
        [
            [0.161],
            [-0.00848065549235698854442687425023, 0.335480655492356988544426874250231],
            [2.897153057105493432130432594192939, -6.359448489975074843148159912383826, 4.362295432869581411017727318190887],
            [
                5.325864828439256604428877920840512, -11.74888356406282787774717033978578,
                7.495539342889836208304604784564358, -0.09249506636175524925650207933207192,
            ],
            [
                5.861455442946420028659251486982648, -12.92096931784710929170611868178336,
                8.159367898576158643180400794539253, -0.07158497328140099722453054252582974,
                -0.02826905039406838290900305721271225,
            ],
            Solution,
        ],
        b: [.. Solution, 0],
        "Ch. Tsitouras (2011), Runge-Kutta pairs of order 5(4) satisfying only the first column simplifying assumption, Comput. Math. Appl. 62, 770-775",
        error: new ErrorEstimate(
            4,
            [
                0.00178001105222577144337855060753953, 0.000816434459656746903223636063354686,
                -0.00788087801026199601031472767252630, 0.144711007173262907537165147972635,
                -0.582357165452555225019937610652042, 0.458082105929186946661636518832554, -1.0 / 66,
            ]),
        dense: new DenseOutput(DenseWeights(), []));

    private static double[] Solution =>
    [
        0.09646076681806522951816731316512876, 0.01, 0.4798896504144995747752495322905965,
        1.379008574103741893192274821856873, -3.290069515436080679901047585711364, 2.324710524099773982415355918398766,
    ];

    /// <summary>The polynomials of section 3, in their factored form.</summary>
    private static double[][] DenseWeights()
    {
        double[] θ = [0, 1];
        double[] θ2 = [0, 0, 1];
        double[][] weights =
        [
            Polynomials.Product(-1.0530884977290216, θ, [-1.3299890189751412, 1], [0.7139816917074209, -1.4364028541716351, 1]),
            Polynomials.Product(0.1017, θ2, [1.2949852507374631, -2.1966568338249754, 1]),
            Polynomials.Product(2.490627285651252793, θ2, [1.57803468208092486, -2.38535645472061657, 1]),
            Polynomials.Product(-16.54810288924490272, [-1.21712927295533244, 1], [-0.61620406037800089, 1], θ2),
            Polynomials.Product(47.37952196281928122, [-1.203071208372362603, 1], [-0.658047292653547382, 1], θ2),
            Polynomials.Product(-34.87065786149660974, [-1.2, 1], [-2.0 / 3, 1], θ2),
            Polynomials.Product(2.5, [-1, 1], [-0.6, 1], θ2),
        ];
        return [.. weights.Select(weight => Polynomials.WithoutConstant(weight, 4))];
    }
}
