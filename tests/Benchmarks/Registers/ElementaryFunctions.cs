using System.Diagnostics;
using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DiffEqLang.Benchmarks.Registers;

/// <summary>
/// Nanoseconds an element of each elementary function, by precision and register, beside TensorPrimitives and the scalar functions.
/// The fastest of many short runs counts: what else the machine does is in few of them.
/// </summary>
internal static class ElementaryFunctions
{
    private const int Count = 4096, Runs = 1000;

    private const MethodImplOptions Alone = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;

    private static readonly double[] Around = Spread(0.05, 3), Unit = Spread(0.01, 0.99), BeyondOne = Spread(1.01, 4);

    private delegate void Batch<T>(ReadOnlySpan<T> x, Span<T> y);

    public static void Run()
    {
        var wide = Vector512.IsHardwareAccelerated ? "" : " (emulated here)";
        Console.WriteLine($"ns an element: Vector, Vector512{wide}, TensorPrimitives, the scalar function; their ratios to Vector");
        Print<Exp>(
            "exp", Around,
            (x, y) => TensorPrimitives.Exp<float>(x, y), (x, y) => TensorPrimitives.Exp<double>(x, y),
            x => MathF.Exp(x), x => Math.Exp(x));
        Print<Expm1>("expm1", Around,
            (x, y) => TensorPrimitives.ExpM1<float>(x, y), (x, y) => TensorPrimitives.ExpM1<double>(x, y), null, null);
        Print<Log>(
            "log", Around,
            (x, y) => TensorPrimitives.Log<float>(x, y), (x, y) => TensorPrimitives.Log<double>(x, y),
            x => MathF.Log(x), x => Math.Log(x));
        Print<Log1p>("log1p", Around,
            (x, y) => TensorPrimitives.LogP1<float>(x, y), (x, y) => TensorPrimitives.LogP1<double>(x, y), null, null);
        Print<Sin>(
            "sin", Around,
            (x, y) => TensorPrimitives.Sin<float>(x, y), (x, y) => TensorPrimitives.Sin<double>(x, y),
            x => MathF.Sin(x), x => Math.Sin(x));
        Print<Cos>(
            "cos", Around,
            (x, y) => TensorPrimitives.Cos<float>(x, y), (x, y) => TensorPrimitives.Cos<double>(x, y),
            x => MathF.Cos(x), x => Math.Cos(x));
        Print<Tan>(
            "tan", Around,
            (x, y) => TensorPrimitives.Tan<float>(x, y), (x, y) => TensorPrimitives.Tan<double>(x, y),
            x => MathF.Tan(x), x => Math.Tan(x));
        Print<Asin>(
            "asin", Unit,
            (x, y) => TensorPrimitives.Asin<float>(x, y), (x, y) => TensorPrimitives.Asin<double>(x, y),
            x => MathF.Asin(x), x => Math.Asin(x));
        Print<Acos>(
            "acos", Unit,
            (x, y) => TensorPrimitives.Acos<float>(x, y), (x, y) => TensorPrimitives.Acos<double>(x, y),
            x => MathF.Acos(x), x => Math.Acos(x));
        Print<Atan>(
            "atan", Around,
            (x, y) => TensorPrimitives.Atan<float>(x, y), (x, y) => TensorPrimitives.Atan<double>(x, y),
            x => MathF.Atan(x), x => Math.Atan(x));
        Print<Atan2>(
            "atan2", Around,
            (x, y) => TensorPrimitives.Atan2<float>(x, x, y), (x, y) => TensorPrimitives.Atan2<double>(x, x, y),
            x => MathF.Atan2(x, x), x => Math.Atan2(x, x));
        Print<Sinh>(
            "sinh", Around,
            (x, y) => TensorPrimitives.Sinh<float>(x, y), (x, y) => TensorPrimitives.Sinh<double>(x, y),
            x => MathF.Sinh(x), x => Math.Sinh(x));
        Print<Cosh>(
            "cosh", Around,
            (x, y) => TensorPrimitives.Cosh<float>(x, y), (x, y) => TensorPrimitives.Cosh<double>(x, y),
            x => MathF.Cosh(x), x => Math.Cosh(x));
        Print<Tanh>(
            "tanh", Around,
            (x, y) => TensorPrimitives.Tanh<float>(x, y), (x, y) => TensorPrimitives.Tanh<double>(x, y),
            x => MathF.Tanh(x), x => Math.Tanh(x));
        Print<Asinh>(
            "asinh", Around,
            (x, y) => TensorPrimitives.Asinh<float>(x, y), (x, y) => TensorPrimitives.Asinh<double>(x, y),
            x => MathF.Asinh(x), x => Math.Asinh(x));
        Print<Acosh>(
            "acosh", BeyondOne,
            (x, y) => TensorPrimitives.Acosh<float>(x, y), (x, y) => TensorPrimitives.Acosh<double>(x, y),
            x => MathF.Acosh(x), x => Math.Acosh(x));
        Print<Atanh>(
            "atanh", Unit,
            (x, y) => TensorPrimitives.Atanh<float>(x, y), (x, y) => TensorPrimitives.Atanh<double>(x, y),
            x => MathF.Atanh(x), x => Math.Atanh(x));
        Print<Pow>(
            "pow", Around,
            (x, y) => TensorPrimitives.Pow<float>(x, x, y), (x, y) => TensorPrimitives.Pow<double>(x, x, y),
            x => MathF.Pow(x, x), x => Math.Pow(x, x));
        Print<Erf>("erf", Around, null, null, null, null);
        Print<Sigmoid>("sigmoid", Around,
            (x, y) => TensorPrimitives.Sigmoid<float>(x, y), (x, y) => TensorPrimitives.Sigmoid<double>(x, y), null, null);
        Print<Softplus>("softplus", Around, null, null, null, null);
        Print<Silu>("silu", Around, null, null, null, null);
        Print<Gelu>("gelu", Around, null, null, null, null);
        Print<Elu>("elu", Around, null, null, null, null);
    }

    private static void Print<TFunction>(
        string name,
        double[] operands,
        Batch<float>? singleTensors,
        Batch<double>? doubleTensors,
        Func<float, float>? single,
        Func<double, double>? @double)
        where TFunction : IFunction
    {
        var (x, y) = (Array.ConvertAll(operands, v => (float)v), new float[Count]);
        Row(
            $"{name} float32",
            Time(() => Narrow<TFunction>(x, y)),
            Time(() => Wide<TFunction>(x, y)),
            singleTensors is null ? null : Time(() => singleTensors(x, y)),
            single is null ? null : Time(() => Scalar(single, x, y)));

        var into = new double[Count];
        Row(
            $"{name} float64",
            Time(() => Narrow<TFunction>(operands, into)),
            Time(() => Wide<TFunction>(operands, into)),
            doubleTensors is null ? null : Time(() => doubleTensors(operands, into)),
            @double is null ? null : Time(() => Scalar(@double, operands, into)));
    }

    private static void Row(string name, double narrow, double wide, double? tensors, double? scalar) =>
        Console.WriteLine(
            $"{name,-18} {narrow,6:0.00} {wide,6:0.00} {tensors,6:0.00} {scalar,6:0.00}   {tensors / narrow,5:0.0} {scalar / narrow,5:0.0}");

    /// <summary>The fastest run, in nanoseconds an element.</summary>
    private static double Time(Action action)
    {
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed.TotalSeconds < 0.4) action();    // until the JIT is done with its tiers
        var fastest = long.MaxValue;
        for (var i = 0; i < Runs; i++)
        {
            var start = Stopwatch.GetTimestamp();
            action();
            fastest = Math.Min(fastest, Stopwatch.GetTimestamp() - start);
        }

        return fastest * 1e9 / Stopwatch.Frequency / Count;
    }

    [MethodImpl(Alone)]
    private static void Narrow<TFunction>(float[] x, float[] y)
        where TFunction : IFunction
    {
        for (var i = 0; i < Count; i += Vector<float>.Count) TFunction.Of(new Vector<float>(x, i)).CopyTo(y, i);
    }

    [MethodImpl(Alone)]
    private static void Narrow<TFunction>(double[] x, double[] y)
        where TFunction : IFunction
    {
        for (var i = 0; i < Count; i += Vector<double>.Count) TFunction.Of(new Vector<double>(x, i)).CopyTo(y, i);
    }

    [MethodImpl(Alone)]
    private static void Wide<TFunction>(float[] x, float[] y)
        where TFunction : IFunction
    {
        for (var i = 0; i < Count; i += Vector512<float>.Count) TFunction.Of(Vector512.Create(x, i)).CopyTo(y, i);
    }

    [MethodImpl(Alone)]
    private static void Wide<TFunction>(double[] x, double[] y)
        where TFunction : IFunction
    {
        for (var i = 0; i < Count; i += Vector512<double>.Count) TFunction.Of(Vector512.Create(x, i)).CopyTo(y, i);
    }

    [MethodImpl(Alone)]
    private static void Scalar<T>(Func<T, T> function, T[] x, T[] y)
    {
        for (var i = 0; i < Count; i++) y[i] = function(x[i]);
    }

    private static double[] Spread(double low, double high)
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, Count).Select(_ => low + ((high - low) * random.NextDouble()))];
    }
}
