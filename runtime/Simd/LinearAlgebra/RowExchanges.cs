using System.Runtime.CompilerServices;

namespace DiffEqLang.Runtime.Simd;

/// <summary>The exchanges of rows by which a matrix a lane was factorized: masks of the lanes, so that every lane has pivots of its own.</summary>
/// <param name="n">The rows.</param>
internal sealed class RowExchanges<T>(int n)
    where T : struct, ILanes<T>
{
    private readonly RegisterBuffer<T> _masks = new(n * n);    // of row k with row i
    private readonly bool[] _isExchanged = new bool[n * n];
    private readonly bool[] _any = new bool[n];                // by k

    /// <summary>Takes down that row k changes places with a later row i.</summary>
    /// <returns>Whether it does in any lane. Only saves work: a selection by no lane changes nothing.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Note(int k, int i, T mask)
    {
        var any = T.Any(mask);
        _isExchanged[k * n + i] = any;
        _any[k] = i > k + 1 ? _any[k] | any : any;
        if (any) _masks.Span[k * n + i] = mask;
        return any;
    }

    /// <summary>Does to a vector, [n], what was done to the rows at step k.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Repeat(int k, Span<T> vector)
    {
        if (_any[k]) RepeatAll(k, vector);
    }

    /// <summary>Exchanges two rows in the lanes of a mask.</summary>
    public static void Exchange(T mask, Span<T> a, Span<T> b)
    {
        for (var j = 0; j < a.Length; j++)
            (a[j], b[j]) = (T.Select(mask, b[j], a[j]), T.Select(mask, a[j], b[j]));
    }

    private void RepeatAll(int k, Span<T> vector)
    {
        for (var i = k + 1; i < n; i++)
        {
            if (!_isExchanged[k * n + i]) continue;
            var mask = _masks.Span[k * n + i];
            (vector[k], vector[i]) = (T.Select(mask, vector[i], vector[k]), T.Select(mask, vector[k], vector[i]));
        }
    }
}
