namespace DiffEqLang.Runtime.Simd;

/// <summary>Memory for registers that is handed out piece by piece, and all given back at once; what was made once is used again.</summary>
internal sealed class RegisterArena<TLanes>
    where TLanes : struct
{
    private const int ChunkLength = 1024;

    private readonly List<RegisterBuffer<TLanes>> _chunks = [];
    private int _chunk;
    private int _used;    // of that chunk

    /// <summary>The place of a piece.</summary>
    internal readonly record struct Place(int Chunk, int First, int Length);

    /// <summary>How many registers are handed out.</summary>
    public long Total { get; private set; }

    /// <summary>For how many registers there is room.</summary>
    public long Length => _chunks.Sum(chunk => (long)chunk.Length);

    /// <summary>The piece that <see cref="Take"/> would hand out, already usable.</summary>
    public Place Peek(int length)
    {
        if (_chunk < _chunks.Count && _used + length > _chunks[_chunk].Length) (_chunk, _used) = (_chunk + 1, 0);
        if (_chunk == _chunks.Count) _chunks.Add(new RegisterBuffer<TLanes>(Math.Max(ChunkLength, length)));
        if (_chunks[_chunk].Length < length) _chunks[_chunk] = new RegisterBuffer<TLanes>(length);
        return new Place(_chunk, _used, length);
    }

    /// <summary>Hands out a piece.</summary>
    public Place Take(int length)
    {
        var place = Peek(length);
        _used += length;
        Total += length;
        return place;
    }

    /// <summary>The registers of a piece.</summary>
    public Span<TLanes> this[Place place] => _chunks[place.Chunk].Span.Slice(place.First, place.Length);

    /// <summary>Takes all back.</summary>
    public void Clear() => (_chunk, _used, Total) = (0, 0, 0);
}
