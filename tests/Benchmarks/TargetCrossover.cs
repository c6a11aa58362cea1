using DiffEqLang.Benchmarks.Models;
using DiffEqLang.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Benchmarks;

/// <summary>
/// Training steps of networks 8-h-h-8 on both targets, by width and batch, float32, one thread: where they cross is what
/// <c>target = auto</c> goes by.
/// </summary>
internal static class TargetCrossover
{
    private delegate Tensor Solve(Tensor start, SolveOptions options);

    public static void Run()
    {
        set_num_threads(1);
        foreach (var batch in new[] { 16, 128, 1024 })
        {
            Compare(new Width32(), 32, batch, model => (start, options) => model.Solve(start, options).y);
            Compare(new Width64(), 64, batch, model => (start, options) => model.Solve(start, options).y);
            Compare(new Width128(), 128, batch, model => (start, options) => model.Solve(start, options).y);
            Compare(new Width256(), 256, batch, model => (start, options) => model.Solve(start, options).y);
            Compare(new Width512(), 512, batch, model => (start, options) => model.Solve(start, options).y);
        }
    }

    private static void Compare<TModel>(TModel created, int width, int batch, Func<TModel, Solve> solve)
        where TModel : OdeModel
    {
        using var model = created;
        using var start = randn(batch, 8);
        var products = 2 * 8 * width + width * width;
        var (onTorch, onSimd) = Measurement.InTurn(
            "torch", () => Train(SolveTarget.Torch), "simd", () => Train(SolveTarget.Simd), 15);
        Console.WriteLine(
            $"h = {width,3}, {products,6:N0} products, batch {batch,4}: torch {Measurement.Format(onTorch.Median),9}, simd {Measurement.Format(onSimd.Median),9}, simd takes {onSimd.Median / onTorch.Median:0.00} of it");

        void Train(SolveTarget target)
        {
            using var scope = NewDisposeScope();
            model.zero_grad();
            solve(model)(start, new SolveOptions { Target = target, Coupling = StepCoupling.Batch }).pow(2).mean().backward();
        }
    }
}
