namespace DiffEqLang.Runtime;

/// <summary>Of what form the matrix A of a linear part A x is.</summary>
public enum LinearStructure
{
    /// <summary>Any.</summary>
    General,

    /// <summary>Each entry of the state has a factor of its own.</summary>
    Diagonal,
}
