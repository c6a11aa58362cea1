using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>φ₀(z) = e^z, φₖ₊₁(z) = (φₖ(z) - 1/k!)/z of matrices or numbers, without the cancellation of that formula where z is small.</summary>
internal static class PhiFunctions
{
    /// <summary>Up to where series are summed, and the power behind which what is left out is below a rounding: of matrices, which can be halved.</summary>
    private const double LargestMatrix = 0.5;
    private const int PowerOfMatrices = 15;

    /// <summary>The same of numbers, which have the recursion beyond.</summary>
    private const double LargestNumber = 2;
    private const int PowerOfNumbers = 24;

    /// <summary>φ₀(z) to φₚ(z): [blocks, n, n] each.</summary>
    /// <param name="z">[blocks, n, n].</param>
    /// <param name="order">p.</param>
    public static Tensor[] Of(Tensor z, int order) => z.size(1) == 1 ? OfNumbers(z, order) : Doublings(z, order, out _)[^1];

    /// <summary>The adjoint of z from those of the functions, with φₖ' = φₖ - k φₖ₊₁ of numbers.</summary>
    /// <param name="z">[blocks, n, n].</param>
    /// <param name="cotangents">Of φ₀ to φₚ: [blocks, n, n] each.</param>
    public static Tensor Vjp(Tensor z, Tensor[] cotangents)
    {
        if (z.size(1) > 1) return VjpOfMatrices(z, cotangents);
        var functions = OfNumbers(z, cotangents.Length);
        var sum = zeros_like(z);
        for (var k = 0; k < cotangents.Length; k++)
            sum.add_(functions[k].add(functions[k + 1], Scalars.Of(-k)).mul(cotangents[k]), Scalars.One);
        return sum;
    }

    /// <summary>The recursion where numbers are large, the series where they are not.</summary>
    private static Tensor[] OfNumbers(Tensor z, int order)
    {
        var isSmall = z.abs().le(Scalars.Of(LargestNumber));
        var small = Series(z.masked_fill(isSmall.logical_not(), Scalars.Of(0)), order, PowerOfNumbers, out _);
        var large = z.masked_fill(isSmall, Scalars.One);
        var functions = new Tensor[order + 1];
        functions[0] = large.exp();
        for (var k = 0; k < order; k++) functions[k + 1] = functions[k].add(Scalars.Of(-1 / Factorial(k)), Scalars.One).div(large);
        return [.. functions.Select((function, k) => where(isSmall, small[k], function))];
    }

    /// <summary>
    /// The functions of z 2⁻ˢ by their series, and then s times those of twice the matrix: φₖ(2z) = 2⁻ᵏ (e^z φₖ(z) + Σⱼ φⱼ(z)/(k - j)!), j
    /// from 1 to k. Berland, Skaflestad and Wright (2007), EXPINT: a MATLAB package for exponential integrators, ACM Trans. Math. Softw. 33.
    /// </summary>
    /// <param name="z">[blocks, n, n].</param>
    /// <param name="order">The highest.</param>
    /// <param name="sums">See <see cref="Series"/>.</param>
    private static List<Tensor[]> Doublings(Tensor z, int order, out Tensor[] sums)
    {
        List<Tensor[]> all = [Series(Halved(z, out var times), order, PowerOfMatrices, out sums)];
        for (var i = 0; i < times; i++) all.Add([.. all[^1].Select((_, k) => Doubled(all[^1], k))]);
        return all;
    }

    private static Tensor Doubled(Tensor[] functions, int k)
    {
        var sum = functions[0].matmul(functions[k]);
        for (var j = 1; j <= k; j++) sum.add_(functions[j], Scalars.Of(1 / Factorial(k - j)));
        return sum.mul_(Scalars.Of(Math.ScaleB(1, -k)));
    }

    /// <summary>Back through the doublings, and through the series.</summary>
    private static Tensor VjpOfMatrices(Tensor z, Tensor[] cotangents)
    {
        var order = cotangents.Length - 1;
        var doublings = Doublings(z, order, out var sums);
        var (adjoints, halved) = (cotangents, Halved(z, out var times));
        for (var i = times - 1; i >= 0; i--) adjoints = OfHalf(doublings[i], adjoints);
        return LinearCombination.Accumulate(null, Math.ScaleB(1, -times), VjpOfSeries(halved, doublings[0], sums, adjoints));
    }

    /// <summary>The adjoints of the functions of a matrix from those of the functions of twice the matrix.</summary>
    private static Tensor[] OfHalf(Tensor[] functions, Tensor[] adjoints)
    {
        Tensor[] halves = [.. functions.Select(function => zeros_like(function))];
        for (var k = 0; k < functions.Length; k++)
        {
            var adjoint = adjoints[k].mul(Scalars.Of(Math.ScaleB(1, -k)));
            halves[0].add_(adjoint.matmul(functions[k].mT), Scalars.One);
            halves[k].add_(functions[0].mT.matmul(adjoint), Scalars.One);
            for (var j = 1; j <= k; j++) halves[j].add_(adjoint, Scalars.Of(1 / Factorial(k - j)));
        }

        return halves;
    }

    /// <summary>φₚ(z) = Σᵢ zⁱ/(i + p)! up to a power, and from it φₖ = z φₖ₊₁ + 1/k!.</summary>
    /// <param name="z">[blocks, n, n].</param>
    /// <param name="order">p.</param>
    /// <param name="power">The highest.</param>
    /// <param name="sums">Sᵢ = z Sᵢ₊₁ + 1/(i + p)!, of which the first is φₚ and the last zero.</param>
    private static Tensor[] Series(Tensor z, int order, int power, out Tensor[] sums)
    {
        sums = new Tensor[power + 2];
        sums[^1] = zeros_like(z);
        for (var i = power; i >= 0; i--) sums[i] = PlusIdentity(z.matmul(sums[i + 1]), 1 / Factorial(i + order));
        var functions = new Tensor[order + 1];
        functions[order] = sums[0];
        for (var k = order - 1; k >= 0; k--) functions[k] = PlusIdentity(z.matmul(functions[k + 1]), 1 / Factorial(k));
        return functions;
    }

    private static Tensor VjpOfSeries(Tensor z, Tensor[] functions, Tensor[] sums, Tensor[] adjoints)
    {
        var (transposed, ofMatrix, adjoint) = (z.mT, zeros_like(z), adjoints[0]);
        for (var k = 0; k + 1 < functions.Length; k++) Through(functions[k + 1], adjoints[k + 1]);
        for (var i = 0; i + 1 < sums.Length; i++) Through(sums[i + 1], null);
        return ofMatrix;

        // Through z f: to z, and to f, with what else f's adjoint has.
        void Through(Tensor factor, Tensor? others)
        {
            ofMatrix.add_(adjoint.matmul(factor.mT), Scalars.One);
            adjoint = transposed.matmul(adjoint);
            if (others is not null) adjoint.add_(others, Scalars.One);
        }
    }

    /// <summary>z 2⁻ˢ, small enough for the series.</summary>
    private static Tensor Halved(Tensor z, out int times)
    {
        var norm = z.abs().sum([1L]).max().item<double>();
        times = double.IsFinite(norm) ? Math.Max(0, (int)Math.Ceiling(Math.Log2(norm / LargestMatrix))) : 0;
        return LinearCombination.Accumulate(null, Math.ScaleB(1, -times), z);
    }

    private static Tensor PlusIdentity(Tensor own, double factor)
    {
        own.diagonal(0, 1, 2).add_(Scalars.Of(factor), Scalars.One);
        return own;
    }

    private static double Factorial(int n) => Enumerable.Range(1, n).Aggregate(1.0, (product, factor) => product * factor);
}
