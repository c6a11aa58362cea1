namespace DiffEqLang.Deqc;

/// <summary>What generated code runs on.</summary>
internal static class Target
{
    /// <summary>Refuses targets that this version cannot generate code for.</summary>
    /// <param name="name">As <c>--target</c> gives it; null where it is left out.</param>
    public static void Require(string? name)
    {
        if (name is null or "auto" or "torch") return;
        throw name is "simd" or "cuda"
            ? CommandFailure.Usage($"--target {name}: not supported yet; use --target torch")
            : CommandFailure.Usage($"--target {name}: there is no such target; use torch");
    }
}
