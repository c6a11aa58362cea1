using System.Reflection;

namespace DiffEqLang.Tableaux;

/// <summary>All explicit Runge-Kutta methods: every public static property of this assembly that holds a tableau.</summary>
public static class Catalogue
{
    private static readonly IReadOnlyDictionary<string, RungeKuttaTableau> ByName =
        typeof(Catalogue).Assembly.GetTypes()
            .SelectMany(type => type.GetProperties(BindingFlags.Public | BindingFlags.Static))
            .Where(property => property.PropertyType == typeof(RungeKuttaTableau))
            .Select(property => (RungeKuttaTableau)property.GetValue(null)!)
            .ToDictionary(tableau => tableau.Name);

    /// <summary>Every tableau, by order and then by name.</summary>
    public static IReadOnlyList<RungeKuttaTableau> All { get; } =
        [.. ByName.Values.OrderBy(tableau => tableau.Order).ThenBy(tableau => tableau.Name, StringComparer.Ordinal)];

    /// <summary>The tableau of a name as written in <c>method = ...</c>; null where there is none.</summary>
    public static RungeKuttaTableau? Find(string name) => ByName.GetValueOrDefault(name);
}
