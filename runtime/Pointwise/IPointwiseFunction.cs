using DiffEqLang.Runtime.Simd;

namespace DiffEqLang.Runtime;

/// <summary>A function of one number, over registers of any kind.</summary>
internal interface IPointwiseFunction
{
    /// <summary>The function, lane by lane.</summary>
    static abstract T Of<T, P>(T x)
        where T : struct, ILanes<T>
        where P : IPrecision<T>;
}

/// <summary>A function of two numbers, over registers of any kind.</summary>
internal interface IPointwiseFunctionOfTwo
{
    /// <summary>The function, lane by lane.</summary>
    static abstract T Of<T>(T x, T y)
        where T : struct, ILanes<T>;
}
