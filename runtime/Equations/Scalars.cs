using System.Collections.Concurrent;
using TorchSharp;

namespace DiffEqLang.Runtime;

/// <summary>
/// Numbers for torch calls that live as long as the program. A number written in place becomes a temporary
/// <see cref="Scalar"/>, as does the alpha left out of <c>add_(tensor)</c>; nothing keeps it alive during the native call, so
/// that a collection started by another thread at that moment frees it under libtorch (TorchSharp 0.107). Generated code
/// takes its numbers from here where no operator takes care of them.
/// </summary>
public static class Scalars
{
    private static readonly ConcurrentDictionary<double, Scalar> Known = [];

    /// <summary>1.</summary>
    public static readonly Scalar One = 1.0;

    /// <summary>-1.</summary>
    public static readonly Scalar MinusOne = -1.0;

    /// <summary>NaN.</summary>
    public static readonly Scalar NaN = double.NaN;

    /// <summary>A number, always the same object.</summary>
    public static Scalar Of(double value) => Known.GetOrAdd(value, static number => number);
}
