using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>Central differences, for derivatives that no code was generated for.</summary>
internal static class Differences
{
    /// <summary>The step, as a part of the variable's size, at which cutting the series off and rounding err alike: the cube root of the latter.</summary>
    public static double RelativeStep(ScalarType dtype) => dtype == ScalarType.Float32 ? 4.9e-3 : 6.1e-6;
}
