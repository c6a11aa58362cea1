namespace DiffEqLang.Tableaux;

/// <summary>Lagrange's polynomials ℓⱼ of a few points, each one at its own and zero at the others.</summary>
public sealed class LagrangeBasis
{
    private const int GaussCount = 7;   // exact up to degree 13
    private static readonly (double Node, double Weight)[] Gauss = [.. GaussLegendre()];

    private readonly double[] _points;
    private readonly double[] _weights;     // 1 / Π (xⱼ - xᵢ)

    /// <param name="points">All different, at most fourteen.</param>
    public LagrangeBasis(ReadOnlySpan<double> points)
    {
        (_points, _weights) = (points.ToArray(), new double[points.Length]);
        for (var j = 0; j < points.Length; j++)
        {
            var product = 1.0;
            for (var i = 0; i < points.Length; i++)
                if (i != j)
                    product *= points[j] - points[i];
            _weights[j] = 1 / product;
        }
    }

    /// <summary>ℓⱼ(x).</summary>
    public double[] Values(double x) => Products(x).Values;

    /// <summary>dℓⱼ/dx.</summary>
    public double[] Slopes(double x) => Products(x).Slopes;

    /// <summary>∫ ℓⱼ from a to b, by Gauss' formula.</summary>
    public double[] Integrals(double a, double b)
    {
        var sums = new double[_points.Length];
        foreach (var (node, weight) in Gauss)
        {
            var values = Values(a + (b - a) * node);
            for (var j = 0; j < sums.Length; j++) sums[j] += (b - a) * weight * values[j];
        }

        return sums;
    }

    /// <summary>Each polynomial without its own factor, from the products of those before and behind.</summary>
    private (double[] Values, double[] Slopes) Products(double x)
    {
        var (values, slopes) = (new double[_points.Length], new double[_points.Length]);
        var (product, slope) = (1.0, 0.0);
        for (var j = 0; j < values.Length; j++)
        {
            (values[j], slopes[j]) = (product, slope);
            (product, slope) = (product * (x - _points[j]), slope * (x - _points[j]) + product);
        }

        (product, slope) = (1.0, 0.0);
        for (var j = values.Length - 1; j >= 0; j--)
        {
            slopes[j] = _weights[j] * (slopes[j] * product + values[j] * slope);
            values[j] *= _weights[j] * product;
            (product, slope) = (product * (x - _points[j]), slope * (x - _points[j]) + product);
        }

        return (values, slopes);
    }

    /// <summary>Nodes and weights over [0, 1]: the roots of Legendre's polynomial, by Newton's iteration.</summary>
    private static IEnumerable<(double Node, double Weight)> GaussLegendre()
    {
        for (var i = 0; i < GaussCount; i++)
        {
            var x = Math.Cos(Math.PI * (i + 0.75) / (GaussCount + 0.5));
            for (var iteration = 0; iteration < 10; iteration++)
            {
                var (value, slope) = Legendre(x);
                x -= value / slope;
            }

            var derivative = Legendre(x).Slope;
            yield return ((1 + x) / 2, 1 / ((1 - x * x) * derivative * derivative));
        }
    }

    private static (double Value, double Slope) Legendre(double x)
    {
        var (before, value) = (1.0, x);
        for (var n = 2; n <= GaussCount; n++) (before, value) = (value, ((2 * n - 1) * x * value - (n - 1) * before) / n);
        return (value, GaussCount * (x * value - before) / (x * x - 1));
    }
}
