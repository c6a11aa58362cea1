namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// A model's engines between solves: making one takes longer than a short solve. A solve takes an engine out and puts it back once its backward
/// pass is done or none can follow, so that any number of solves may be alive at once, on any threads; an engine whose solve is
/// forgotten before is the collector's.
/// </summary>
internal sealed class EnginePool : IDisposable
{
    /// <summary>So many wait at most: as many solves may be alive at once, or differ in their options, without new engines.</summary>
    private const int MostEngines = 64;

    /// <summary>So much do their tapes hold at most; beside a solve whose tape is larger, making an engine is nothing.</summary>
    private const long MostBytes = 32 << 20;

    private readonly List<LaneEngine> _idle = [];    // the one used last is the last

    /// <summary>How many engines wait.</summary>
    public int Count
    {
        get
        {
            lock (_idle) return _idle.Count;
        }
    }

    /// <summary>Takes an engine out; null where none is of that kind.</summary>
    public LaneEngine? Take(EngineKey key)
    {
        lock (_idle)
        {
            var i = _idle.FindLastIndex(engine => engine.Key == key);
            if (i < 0) return null;
            var found = _idle[i];
            _idle.RemoveAt(i);
            return found;
        }
    }

    /// <summary>Puts an engine in, and drops those unused for longest where there are too many.</summary>
    public void Return(LaneEngine engine)
    {
        lock (_idle)
        {
            _idle.Add(engine);
            var bytes = _idle.Sum(waiting => waiting.TapeBytes);
            while (_idle.Count > MostEngines || bytes > MostBytes)
            {
                bytes -= _idle[0].TapeBytes;
                _idle[0].Dispose();
                _idle.RemoveAt(0);
            }
        }
    }

    /// <summary>Releases the engines that wait.</summary>
    public void Dispose()
    {
        lock (_idle)
        {
            foreach (var engine in _idle) engine.Dispose();
            _idle.Clear();
        }
    }
}
