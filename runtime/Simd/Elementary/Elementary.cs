using System.Runtime.CompilerServices;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// The elementary functions of the language over SIMD registers of float32 and float64, within 2 units in the last place, limits
/// as in the language's definitions. A lane's value depends neither on the other lanes nor on the width of the register.
/// </summary>
/// <remarks>
/// Short functions are inlined into the loop that calls them, long ones are calls. The JIT gives up inlining in a method of more than
/// 512 variables, of which a short function takes about a hundred, and where a small method takes in much: mark the method of
/// the loop NoInlining as well as AggressiveOptimization, and call no more than four short functions in it.
/// </remarks>
public static partial class Elementary
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;
    private const MethodImplOptions OutOfLine = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;
}
