using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DiffEqLang.Runtime.Simd;

/// <summary>Stands in until the elementary functions of the other branch are here.</summary>
public static class Elementary
{
    /// <summary>tanh.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Tanh(Vector<float> x)
    {
        x = Vector.MaxNative(Vector.MinNative(x, Vector.Create(7.90531110763549805f)), Vector.Create(-7.90531110763549805f));
        var s = x * x;
        var p = Vector.Create(-2.76076847742355e-16f);
        p = Vector.MultiplyAddEstimate(p, s, Vector.Create(2.00018790482477e-13f));
        p = Vector.MultiplyAddEstimate(p, s, Vector.Create(-8.60467152213735e-11f));
        p = Vector.MultiplyAddEstimate(p, s, Vector.Create(5.12229709037114e-08f));
        p = Vector.MultiplyAddEstimate(p, s, Vector.Create(1.48572235717979e-05f));
        p = Vector.MultiplyAddEstimate(p, s, Vector.Create(6.37261928875436e-04f));
        p = Vector.MultiplyAddEstimate(p, s, Vector.Create(4.89352455891786e-03f));
        var q = Vector.Create(1.19825839466702e-06f);
        q = Vector.MultiplyAddEstimate(q, s, Vector.Create(1.18534705686654e-04f));
        q = Vector.MultiplyAddEstimate(q, s, Vector.Create(2.26843463243900e-03f));
        q = Vector.MultiplyAddEstimate(q, s, Vector.Create(4.89352518554385e-03f));
        return x * p / q;
    }

    /// <summary>tanh.</summary>
    public static Vector512<float> Tanh(Vector512<float> x)
    {
        var result = default(Vector512<float>);
        for (var i = 0; i < Vector512<float>.Count; i++) result = result.WithElement(i, MathF.Tanh(x.GetElement(i)));
        return result;
    }
}
