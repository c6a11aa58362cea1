using System.Numerics;

namespace DiffEqLang.Tableaux;

/// <summary>
/// Coordinates in which the equations of three coupled stages fall apart: T⁻¹ A⁻¹ T = diag(γ, B) with B = [α β; -β α], so that a linear system
/// of 3 N equations becomes one of N real and one of N complex equations, whose number is γ and α - iβ.
/// </summary>
/// <remarks>Hairer and Wanner (1996), Solving Ordinary Differential Equations II, IV.8, "The linear system".</remarks>
public sealed class StageSpectrum
{
    private StageSpectrum(double[][] inverse, double real, Complex pair, double[] nodes)
    {
        (OfSlopes, Real, Alpha, Beta) = (inverse, real, pair.Real, pair.Imaginary);
        var ofReal = NullVector(inverse, real);
        var ofPair = NullVector(inverse, pair);
        double[][] t = [.. Enumerable.Range(0, 3).Select(i => (double[])[ofReal[i].Real, ofPair[i].Real, ofPair[i].Imaginary])];
        (T, Inverse, Continued) = (t, InverseOf(t), ContinuedOf(nodes));
    }

    /// <summary>The spectrum of three stages; null where all eigenvalues of A⁻¹ are real.</summary>
    /// <param name="block">A: [3, 3], not singular.</param>
    internal static StageSpectrum? Of(double[,] block)
    {
        var b = InverseOf([.. Enumerable.Range(0, 3).Select(i => (double[])[block[i, 0], block[i, 1], block[i, 2]])]);
        var trace = b[0][0] + b[1][1] + b[2][2];
        var minors = Minor(b, 0, 1) + Minor(b, 0, 2) + Minor(b, 1, 2);
        var determinant = Dot(b[0], Cross(b[1], b[2]));
        var real = trace;
        for (var i = 0; i < 64; i++)    // Newton's method on the characteristic polynomial, from beyond its roots
            real -= (((real - trace) * real + minors) * real - determinant) / ((3 * real - 2 * trace) * real + minors);
        var half = (trace - real) / 2;
        var square = determinant / real - half * half;
        if (square <= 0) return null;
        double[] nodes = [.. Enumerable.Range(0, 3).Select(i => block[i, 0] + block[i, 1] + block[i, 2])];
        return new StageSpectrum(b, real, new Complex(half, Math.Sqrt(square)), nodes);
    }

    /// <summary>γ, the real eigenvalue of A⁻¹.</summary>
    public double Real { get; }

    /// <summary>α, the real part of the others.</summary>
    public double Alpha { get; }

    /// <summary>β, their imaginary part: positive.</summary>
    public double Beta { get; }

    /// <summary>T: [3, 3].</summary>
    public IReadOnlyList<double[]> T { get; }

    /// <summary>T⁻¹: [3, 3].</summary>
    public IReadOnlyList<double[]> Inverse { get; }

    /// <summary>A⁻¹: what makes h kᵢ of the stages' increments.</summary>
    public IReadOnlyList<double[]> OfSlopes { get; }

    /// <summary>
    /// What the polynomial through a step's start and stages gives at the stages of the next step, r times as long: with z the old increments, the new
    /// increments are zᵢ = Σⱼ (P₀ᵢⱼ r + P₁ᵢⱼ r² + P₂ᵢⱼ r³) zⱼ. Of each power: [3, 3].
    /// </summary>
    public IReadOnlyList<double[][]> Continued { get; }

    /// <summary>
    /// The weights e of h k₀ and of the increments with which (γ - hJ)⁻¹ (e₀ h k₀ + e₁ z₁ + e₂ z₂ + e₃ z₃) is a method's filtered estimate of its error.
    /// </summary>
    /// <param name="error">The estimate, over k₀ and the slopes of the three stages.</param>
    public double[] OfFilteredError(ErrorEstimate error)
    {
        double[] weights = [.. error.Estimates[0].Select(weight => weight / error.Filter!.Value)];
        return [weights[0], .. Enumerable.Range(0, 3).Select(i => Enumerable.Range(0, 3).Sum(j => weights[j + 1] * OfSlopes[j][i]))];
    }

    /// <summary>Lagrange's polynomials of 0 and the nodes at 1 + cᵢ r, without what they are at 1.</summary>
    private static double[][][] ContinuedOf(double[] nodes)
    {
        double[][] polynomials = [.. Enumerable.Range(0, 3).Select(j => Polynomials.Product(
            1, [.. nodes.Append(0).Where(node => node != nodes[j]).Select(node => (double[])[(1 - node) / (nodes[j] - node), 1 / (nodes[j] - node)])]))];
        return [.. Enumerable.Range(1, 3).Select(power => (double[][])[.. nodes.Select(
            node => (double[])[.. polynomials.Select(polynomial => polynomial[power] * Math.Pow(node, power))])])];
    }

    /// <summary>v with (B - λ) v = 0 and last entry one: at right angles to two rows of the matrix.</summary>
    private static Complex[] NullVector(double[][] matrix, Complex λ)
    {
        Complex[] Row(int i) => [.. matrix[i].Select((value, j) => i == j ? value - λ : value)];
        var (first, second) = (Row(0), Row(1));
        var (x, y, z) = (
            first[1] * second[2] - first[2] * second[1],
            first[2] * second[0] - first[0] * second[2],
            first[0] * second[1] - first[1] * second[0]);
        return [x / z, y / z, 1];
    }

    /// <summary>The columns of the inverse are the rows' products, by the determinant (Cramer's rule).</summary>
    private static double[][] InverseOf(double[][] rows)
    {
        double[][] columns = [Cross(rows[1], rows[2]), Cross(rows[2], rows[0]), Cross(rows[0], rows[1])];
        var determinant = Dot(rows[0], columns[0]);
        return [.. Enumerable.Range(0, 3).Select(i => (double[])[.. columns.Select(column => column[i] / determinant)])];
    }

    private static double[] Cross(double[] a, double[] b) =>
        [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];

    private static double Dot(double[] a, double[] b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

    private static double Minor(double[][] matrix, int i, int j) => matrix[i][i] * matrix[j][j] - matrix[i][j] * matrix[j][i];
}
