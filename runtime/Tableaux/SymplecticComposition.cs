namespace DiffEqLang.Tableaux;

/// <summary>
/// A symplectic method for equations that fall into q' = g(t, p) and p' = f(t, q), such as Hamilton's with H = T(p) + V(q): the exact
/// flows of the two halves by turns, p += bᵢ h f(q), then q += aᵢ h g(p). Explicit, although it keeps what only implicit Runge-Kutta
/// methods keep: it moves the state along the exact flow of a Hamiltonian that differs from H by O(hᵖ), so that the energy's error does
/// not grow with time. Hairer, Lubich and Wanner (2006), Geometric Numerical Integration, 2nd ed., II.5, VI.3 and IX.3.
/// </summary>
/// <param name="Positions">The aᵢ: the steps of the positions, in units of h.</param>
/// <param name="Momenta">The bᵢ: the step of the momenta before each of them.</param>
public sealed record SymplecticComposition(IReadOnlyList<double> Positions, IReadOnlyList<double> Momenta)
{
    /// <summary>
    /// As a tableau whose stages move one half each. Stage i is evaluated where the stages before it have led, so that its row is the
    /// weights of those; a half whose equations depend on time is at the time of the other half, which it reads.
    /// </summary>
    /// <param name="name">As written in <c>method = ...</c>.</param>
    /// <param name="order">Of the method.</param>
    /// <param name="citation">The paper, and the place in it.</param>
    public RungeKuttaTableau Tableau(string name, int order, string citation)
    {
        var moves = Positions.Zip(Momenta)
            .SelectMany<(double A, double B), (double Weight, StatePart Part)>(pair => [(pair.B, StatePart.Momenta), (pair.A, StatePart.Positions)])
            .Where(move => move.Weight != 0)
            .ToList();
        double[] weights = [.. moves.Select(move => move.Weight)];
        return new RungeKuttaTableau(
            name, order, [.. Enumerable.Range(1, weights.Length - 1).Select(i => weights[..i])], weights, citation,
            dense: Hermite(weights), parts: [.. moves.Select(move => move.Part)]);
    }

    /// <summary>Hermite's cubic needs the whole slope at the beginning, which no stage has: one more stage.</summary>
    private static DenseOutput Hermite(double[] weights)
    {
        double[] atEnd = [0, -1, 1];
        double[] atBeginning = [1, -2, 1];
        return new DenseOutput(
            [.. weights.Select(b => new[] { 0, 3 * b, -2 * b }), atEnd, atBeginning],
            [new double[weights.Length + 1]]);
    }
}
