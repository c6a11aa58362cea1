namespace DiffEqLang.Tableaux;

/// <summary>The stiffly accurate Rosenbrock method of Hairer and Wanner.</summary>
public static class Rodas4
{
    /// <summary>Order 4(3), six linear stages, L-stable; cubic Hermite dense output.</summary>
    public static RungeKuttaTableau Tableau { get; } = RungeKuttaTableau.OfRosenbrock(
        "rodas4", order: 4,
        a:
        [
            [],
            [1.544],
            [0.9466785280815826, 0.2557011698983284],
            [3.314825187068521, 2.896124015972201, 0.9986419139977817],
            Last,
            [.. Last, 1],
        ],
        m: [.. Last, 1, 1],
        lower: [.. Last, 1, 0],
        lowerOrder: 3,
        "E. Hairer, G. Wanner (1996), Solving Ordinary Differential Equations II, VI.4, and the code RODAS",
        new RosenbrockCoefficients(
            0.25,
            [
                [],
                [-5.6688],
                [-2.430093356833875, -0.2063599157091915],
                [-0.1073529058151375, -9.594562251023355, -20.47028614809616],
                [7.496443313967647, -10.24680431464352, -33.99990352819905, 11.70890893206160],
                [8.083246795921522, -7.981132988064893, -31.52159432874371, 16.31930543123136, -6.058818238834054],
            ],
            [0, 0.386, 0.21, 0.63, 1, 1],
            [0.25, -0.1043, 0.1035, -0.03620000000000023, 0, 0]));

    private static double[] Last => [1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950];
}
