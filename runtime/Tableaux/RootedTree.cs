using System.Globalization;

namespace DiffEqLang.Tableaux;

/// <summary>
/// A rooted tree, given by the trees that hang from its root. The derivatives of a solution of y' = f(y) are sums over such trees, and
/// a Runge-Kutta method has one condition of order a tree. Butcher (2016), Numerical Methods for Ordinary Differential Equations, 3rd
/// ed., section 300. Of a sum of right-hand sides every vertex has the colour of one of them: Hairer, Nørsett and Wanner (1993), Solving
/// Ordinary Differential Equations I, II.15.
/// </summary>
/// <param name="Subtrees">Largest first, so that equal trees are built alike.</param>
/// <param name="Color">That of the root, from 0.</param>
public sealed record RootedTree(IReadOnlyList<RootedTree> Subtrees, int Color = 0)
{
    /// <summary>How many vertices it has: the order of the condition that belongs to it.</summary>
    public int Vertices { get; } = 1 + Subtrees.Sum(subtree => subtree.Vertices);

    /// <summary>γ: the product, over the vertices, of the vertices of the tree that hangs there.</summary>
    public double Density { get; } = (1 + Subtrees.Sum(subtree => subtree.Vertices)) * Subtrees.Aggregate(1.0, (product, subtree) => product * subtree.Density);

    /// <summary>
    /// All trees of so many vertices, each once: 1, 1, 2, 4, 9, 20, 48, 115, 286, 719, ... (OEIS A000081); of two colours 2, 4, 14, 52, 214,
    /// ... (A000151).
    /// </summary>
    public static IReadOnlyList<RootedTree> OfVertices(int count, int colors = 1)
    {
        lock (Known)
        {
            while (Known.Count < colors) Known.Add([]);
            var known = Known[colors - 1];
            while (known.Count < count)
            {
                var next = known.Count + 1;
                known.Add([.. from forest in Forests(known, next - 1, next - 1)
                              from color in Enumerable.Range(0, colors)
                              select new RootedTree(forest, color)]);
            }

            return known[count - 1];
        }
    }

    /// <summary>
    /// In Butcher's notation: τ for a vertex, [τ[τ]] for a root that carries a vertex and a chain of two; behind vertices of colours other than
    /// the first, their numbers.
    /// </summary>
    public override string ToString() =>
        (Subtrees.Count == 0 ? "τ" : $"[{string.Concat(Subtrees)}]") + (Color == 0 ? "" : Color.ToString(CultureInfo.InvariantCulture));

    /// <summary>By the number of colours, less one, and by that of vertices, less one.</summary>
    private static readonly List<List<IReadOnlyList<RootedTree>>> Known = [];

    /// <summary>All multisets of trees with so many vertices together, none of more than <paramref name="largest"/>.</summary>
    private static IEnumerable<IReadOnlyList<RootedTree>> Forests(List<IReadOnlyList<RootedTree>> known, int vertices, int largest)
    {
        if (vertices == 0) return [[]];
        return from size in Enumerable.Range(1, Math.Min(vertices, largest)).Reverse()
               from count in Enumerable.Range(1, vertices / size)
               from equallyLarge in Multisets(count, known[size - 1], 0)
               from smaller in Forests(known, vertices - count * size, size - 1)
               select (IReadOnlyList<RootedTree>)[.. equallyLarge, .. smaller];
    }

    /// <summary>All ways to choose so many trees, with repetition and in no order, from those behind the <paramref name="first"/>.</summary>
    private static IEnumerable<IEnumerable<RootedTree>> Multisets(int count, IReadOnlyList<RootedTree> trees, int first) =>
        count == 0
            ? [[]]
            : from i in Enumerable.Range(first, trees.Count - first)
              from others in Multisets(count - 1, trees, i)
              select others.Prepend(trees[i]);
}
