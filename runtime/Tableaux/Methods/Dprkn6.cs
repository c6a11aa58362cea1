namespace DiffEqLang.Tableaux;

/// <summary>The Runge-Kutta-Nyström pair of Dormand and Prince with a dense output that costs nothing.</summary>
public static class Dprkn6
{
    private static readonly double R = Math.Sqrt(8581);

    /// <summary>RKN6(4)6FD: six stages, the last of them the next step's first; dense output of order 6 from the same stages.</summary>
    public static RungeKuttaTableau Tableau { get; } = Pair.Tableau(
        "dprkn6", "J. R. Dormand, P. J. Prince (1987), Runge-Kutta-Nyström triples, Comput. Math. Appl. 13, 937-949, table 2",
        new NystromInterpolant(
            [
                [2106.0 / 4212, -5244.0 / 4212, 6386.0 / 4212, -3819.0 / 4212, 900.0 / 4212],
                new double[5],
                Conjugate(-R),
                Conjugate(R),
                [0, 39000.0 / 17901, -124000.0 / 17901, 130200.0 / 17901, -45000.0 / 17901],
                [0, -117.0 / 110, 757.0 / 220, -823.0 / 220, 15.0 / 11],
                new double[5],
            ],
            []));

    /// <summary>Its coefficients.</summary>
    public static NystromPair Pair => new(
        Nodes: [0, (209 - R) / 900, (209 - R) / 450, (209 + R) / 450, 9.0 / 10, 1],
        A:
        [
            [],
            [(26131 - 209 * R) / 810000],
            [(26131 - 209 * R) / 607500, (26131 - 209 * R) / 303750],
            [
                (980403512254 + 7781688431 * R) / 11694469921875, -(1262884486208 + 15385481287 * R) / 11694469921875,
                (7166233891441 + 78694563299 * R) / 46777879687500,
            ],
            [
                -9 * (329260 + 3181 * R) / 27040000, 27 * (35129 + 3331 * R) / 13520000, -27 * (554358343 + 31040327 * R) / 464060480000,
                153 * (8555257 - 67973 * R) / 2745920000,
            ],
            [329.0 / 4212, 0, (84119543 + 366727 * R) / 409622616, (84119543 - 366727 * R) / 409622616, 200.0 / 17901],
        ],
        Solution: new(
            6, [329.0 / 4212, 0, (84119543 + 366727 * R) / 409622616, (84119543 - 366727 * R) / 409622616, 200.0 / 17901, 0],
            [329.0 / 4212, 0, (389225579 + 96856 * R) / 1024056540, (389225579 - 96856 * R) / 1024056540, 2000.0 / 17901, 1.0 / 20]),
        Lower: new(
            4, [(2701 + 23 * R) / 4563, -(9829 + 131 * R) / 9126, 5 * (1798 + 17 * R) / 9126, 0, 0, 0],
            [115.0 / 2106, 0, (84119543 + 366727 * R) / 256014135, (84119543 - 366727 * R) / 256014135, 6950.0 / 17901, -1.0 / 10]));

    /// <summary>The coefficients of θ², θ³, ... of the third acceleration with -√8581, of the fourth with √8581.</summary>
    private static double[] Conjugate(double r) =>
    [
        0, 18 * (81356461 - 25954829 * r) / 22529243880, (22190560391 + 1109665151 * r) / 22529243880,
        -6 * (4929647204 + 156109769 * r) / 22529243880, 1800 * (5860823 + 152228 * r) / 22529243880,
    ];
}
