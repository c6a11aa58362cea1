using DiffEqLang.Deqc.Reporting;

namespace DiffEqLang.Deqc;

/// <summary>What generated code runs on.</summary>
internal static class Target
{
    private static readonly string[] Names = ["auto", "torch", "simd"];

    /// <summary>What <c>--target</c> gives, checked; null where it is left out.</summary>
    /// <exception cref="CommandFailure">There is no such target, or not yet.</exception>
    public static string? Read(string? name)
    {
        if (name is null || Names.Contains(name)) return name;
        throw name is "cuda"
            ? CommandFailure.Usage("--target cuda: not supported yet; use --target torch with --device cuda")
            : CommandFailure.Usage($"--target {name}: there is no such target{CommandLine.DidYouMean(name, Names)} (the targets are {string.Join(", ", Names)})");
    }
}
