namespace DiffEqLang.Runtime;

/// <summary>From when on a sample was solved by a method, where the solve chooses it: see <see cref="Methods.Auto"/>.</summary>
/// <param name="Time">The time.</param>
/// <param name="Method">The method's name.</param>
public readonly record struct MethodChange(double Time, string Method);
