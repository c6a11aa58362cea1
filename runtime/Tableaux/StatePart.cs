namespace DiffEqLang.Tableaux;

/// <summary>Which entries of the state a stage moves.</summary>
public enum StatePart
{
    /// <summary>All of them: every Runge-Kutta method.</summary>
    Whole,

    /// <summary>The positions q, whose derivatives do not depend on positions.</summary>
    Positions,

    /// <summary>The momenta p, whose derivatives do not depend on momenta.</summary>
    Momenta,
}
