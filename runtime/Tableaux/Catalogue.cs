using System.Reflection;

namespace DiffEqLang.Tableaux;

/// <summary>All methods: every public static property of this assembly that holds a tableau or a multistep method.</summary>
public static class Catalogue
{
    private static readonly IReadOnlyDictionary<string, RungeKuttaTableau> ByName =
        Held<RungeKuttaTableau>().ToDictionary(tableau => tableau.Name);

    /// <summary>Those for equations of any kind, by order and then by name.</summary>
    public static IReadOnlyList<RungeKuttaTableau> All { get; } = Sorted(tableau => !tableau.IsPartitioned && !tableau.IsSplit);

    /// <summary>Those for equations that fall into positions and momenta: see <see cref="SymplecticComposition"/>.</summary>
    public static IReadOnlyList<RungeKuttaTableau> Symplectic { get; } = Sorted(tableau => tableau.IsPartitioned);

    /// <summary>Those for right-hand sides of two parts: see <see cref="AdditiveMethod"/>.</summary>
    public static IReadOnlyList<RungeKuttaTableau> Split { get; } = Sorted(tableau => tableau.IsSplit);

    /// <summary>The multistep methods, by name.</summary>
    public static IReadOnlyList<MultistepMethod> Multistep { get; } =
        [.. Held<MultistepMethod>().OrderBy(method => method.Name, StringComparer.Ordinal)];

    /// <summary>The multistep method of a name as written in <c>method = ...</c>; null where there is none.</summary>
    public static MultistepMethod? FindMultistep(string name) => Multistep.FirstOrDefault(method => method.Name == name);

    /// <summary>The exponential methods, by order.</summary>
    public static IReadOnlyList<ExponentialMethod> Exponential { get; } = [.. Held<ExponentialMethod>().OrderBy(method => method.Order)];

    /// <summary>The exponential method of a name as written in <c>method = ...</c>; null where there is none.</summary>
    public static ExponentialMethod? FindExponential(string name) => Exponential.FirstOrDefault(method => method.Name == name);

    /// <summary>Those for equations with algebraic constraints, by order and then by name.</summary>
    public static IReadOnlyList<RungeKuttaTableau> ForConstraints { get; } = Sorted(tableau => tableau.ObstacleToConstraints is null);

    /// <summary>The tableau of a name as written in <c>method = ...</c>; null where there is none.</summary>
    public static RungeKuttaTableau? Find(string name) => ByName.GetValueOrDefault(name);

    private static IEnumerable<T> Held<T>() =>
        typeof(Catalogue).Assembly.GetTypes()
            .SelectMany(type => type.GetProperties(BindingFlags.Public | BindingFlags.Static))
            .Where(property => property.PropertyType == typeof(T))
            .Select(property => (T)property.GetValue(null)!);

    private static RungeKuttaTableau[] Sorted(Func<RungeKuttaTableau, bool> isChosen) =>
        [.. ByName.Values.Where(isChosen).OrderBy(tableau => tableau.Order).ThenBy(tableau => tableau.Name, StringComparer.Ordinal)];
}
