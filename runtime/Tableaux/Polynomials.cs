namespace DiffEqLang.Tableaux;

/// <summary>Products of polynomials in θ, so that interpolants can be given in the factored form of their papers.</summary>
internal static class Polynomials
{
    /// <summary>scale · p₀(θ) · p₁(θ) ..., each factor by its coefficients of 1, θ, θ², ...</summary>
    public static double[] Product(double scale, params ReadOnlySpan<double[]> factors)
    {
        double[] product = [scale];
        foreach (var factor in factors)
        {
            var next = new double[product.Length + factor.Length - 1];
            for (var i = 0; i < product.Length; i++)
                for (var j = 0; j < factor.Length; j++)
                    next[i + j] += product[i] * factor[j];
            product = next;
        }

        return product;
    }

    /// <summary>The coefficients of θ, θ², ... θⁿ of a polynomial that vanishes at 0.</summary>
    public static double[] WithoutConstant(double[] polynomial, int degree)
    {
        var coefficients = new double[degree];
        polynomial.AsSpan(1).CopyTo(coefficients);
        return coefficients;
    }
}
