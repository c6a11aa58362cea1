namespace DiffEqLang.Runtime;

/// <summary>How the noise of an SDE enters; each structure after None is a special case of General.</summary>
public enum NoiseStructure
{
    /// <summary>No noise.</summary>
    None,

    /// <summary>The diffusion does not depend on the state.</summary>
    Additive,

    /// <summary>Each state component has a Wiener process of its own, and its diffusion depends on that component alone.</summary>
    Diagonal,

    /// <summary>One Wiener process.</summary>
    Scalar,

    /// <summary>Lⁱgʲ = Lʲgⁱ for all pairs of Wiener processes: no Lévy area is needed.</summary>
    Commutative,

    /// <summary>None of these.</summary>
    General,
}

/// <summary>The sense of the stochastic integral.</summary>
public enum Calculus
{
    /// <summary>The integrand is taken at the start of each interval.</summary>
    Ito,

    /// <summary>The integrand is taken at the middle: the ordinary chain rule holds.</summary>
    Stratonovich,
}
