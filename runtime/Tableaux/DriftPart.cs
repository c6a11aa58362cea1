namespace DiffEqLang.Tableaux;

/// <summary>Which part of a right-hand side f = fᴱ + fᴵ a stage evaluates.</summary>
public enum DriftPart
{
    /// <summary>All of it: every method that does not split.</summary>
    Whole,

    /// <summary>fᴱ, which stages take explicitly.</summary>
    Explicit,

    /// <summary>fᴵ, the stiff part, for which stages solve equations.</summary>
    Implicit,
}
