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
    public static Tensor[] Of(Tensor z, int order) => z.size(1) == 1 ? OfNumbers(z, order) : OfMatrices(z, order);

    /// <summary>
    /// The adjoint of z from those of the functions: Σₖ wₖ φₖ'(z) of numbers, with φₖ' = φₖ - k φₖ₊₁; of matrices the derivatives of φₖ at zᵀ
    /// along wₖ, which stand in φₖ of [zᵀ wₖ; 0 zᵀ]. Al-Mohy and Higham (2009), Computing the Fréchet derivative of the matrix exponential, SIAM
    /// J. Matrix Anal. Appl. 30.
    /// </summary>
    /// <param name="z">[blocks, n, n].</param>
    /// <param name="cotangents">Of φ₀ to φₚ: [blocks, n, n] each.</param>
    public static Tensor Vjp(Tensor z, Tensor[] cotangents)
    {
        var functions = z.size(1) == 1 ? Of(z, cotangents.Length) : [];
        var sum = zeros_like(z);
        for (var k = 0; k < cotangents.Length; k++)
            sum.add_(
                z.size(1) == 1
                    ? functions[k].add(functions[k + 1], Scalars.Of(-k)).mul(cotangents[k])
                    : Along(z.mT, cotangents[k], k),
                Scalars.One);
        return sum;
    }

    /// <summary>The derivative of φₖ at z along a direction, which is brought to the size of z first.</summary>
    private static Tensor Along(Tensor z, Tensor direction, int k)
    {
        var (n, size) = (z.size(1), Norm(direction));
        if (size == 0) return zeros_like(z);
        var factor = Math.Max(Norm(z), LargestMatrix) / size;
        var upper = cat([z, LinearCombination.Accumulate(null, factor, direction)], -1);
        var block = cat([upper, cat([zeros_like(z), z], -1)], 1);
        return LinearCombination.Accumulate(null, 1 / factor, Of(block, k)[k].narrow(1, 0, n).narrow(2, n, n));
    }

    /// <summary>The recursion where numbers are large, the series where they are not.</summary>
    private static Tensor[] OfNumbers(Tensor z, int order)
    {
        var isSmall = z.abs().le(Scalars.Of(LargestNumber));
        var small = Series(z.masked_fill(isSmall.logical_not(), Scalars.Of(0)), order, PowerOfNumbers);
        var large = z.masked_fill(isSmall, Scalars.One);
        var functions = new Tensor[order + 1];
        functions[0] = large.exp();
        for (var k = 0; k < order; k++) functions[k + 1] = functions[k].add(Scalars.Of(-1 / Factorial(k)), Scalars.One).div(large);
        return [.. functions.Select((function, k) => where(isSmall, small[k], function))];
    }

    /// <summary>
    /// The series of z 2⁻ˢ, and s times from z to 2z: φₖ(2z) = 2⁻ᵏ (e^z φₖ(z) + Σⱼ φⱼ(z)/(k - j)!), j from 1 to k. Berland, Skaflestad and
    /// Wright (2007), EXPINT: a MATLAB package for exponential integrators, ACM Trans. Math. Softw. 33.
    /// </summary>
    private static Tensor[] OfMatrices(Tensor z, int order)
    {
        var norm = Norm(z);
        var squarings = double.IsFinite(norm) ? Math.Max(0, (int)Math.Ceiling(Math.Log2(norm / LargestMatrix))) : 0;
        var functions = Series(LinearCombination.Accumulate(null, Math.ScaleB(1, -squarings), z), order, PowerOfMatrices);
        for (var i = 0; i < squarings; i++) functions = [.. functions.Select((_, k) => Doubled(functions, k))];
        return functions;
    }

    private static Tensor Doubled(Tensor[] functions, int k)
    {
        var sum = functions[0].matmul(functions[k]);
        for (var j = 1; j <= k; j++) sum.add_(functions[j], Scalars.Of(1 / Factorial(k - j)));
        return sum.mul_(Scalars.Of(Math.ScaleB(1, -k)));
    }

    /// <summary>φₚ(z) = Σᵢ zⁱ/(i + p)! up to a power, and from it φₖ = z φₖ₊₁ + 1/k!.</summary>
    private static Tensor[] Series(Tensor z, int order, int power)
    {
        var functions = new Tensor[order + 1];
        var sum = zeros_like(z);
        for (var i = power; i >= 0; i--) sum = PlusIdentity(z.matmul(sum), 1 / Factorial(i + order));
        functions[order] = sum;
        for (var k = order - 1; k >= 0; k--) functions[k] = PlusIdentity(z.matmul(functions[k + 1]), 1 / Factorial(k));
        return functions;
    }

    private static Tensor PlusIdentity(Tensor own, double factor)
    {
        own.diagonal(0, 1, 2).add_(Scalars.Of(factor), Scalars.One);
        return own;
    }

    /// <summary>The largest sum of a column's sizes.</summary>
    private static double Norm(Tensor matrices) => matrices.abs().sum([1L]).max().item<double>();

    private static double Factorial(int n) => Enumerable.Range(1, n).Aggregate(1.0, (product, factor) => product * factor);
}
