namespace DiffEqLang.Runtime.Simd;

/// <summary>What threads work with, one thing a thread at a time, made when it is first needed and used again.</summary>
/// <param name="make">Makes one.</param>
/// <param name="threads">On how many threads parts are worked on.</param>
internal sealed class Workers<TWorker>(Func<TWorker> make, int threads)
{
    private readonly Stack<TWorker> _idle = [];

    /// <summary>Does something for the parts 0, 1, 2, ...</summary>
    public void ForEach(int parts, Action<TWorker, int> action)
    {
        if (threads == 1 || parts == 1)
        {
            var worker = Rent();
            for (var part = 0; part < parts; part++) action(worker, part);
            Return(worker);
            return;
        }

        Parallel.For(
            0, parts, new ParallelOptions { MaxDegreeOfParallelism = threads }, Rent,
            (part, _, worker) =>
            {
                action(worker, part);
                return worker;
            },
            Return);
    }

    private TWorker Rent()
    {
        lock (_idle) return _idle.TryPop(out var worker) ? worker : make();
    }

    private void Return(TWorker worker)
    {
        lock (_idle) _idle.Push(worker);
    }
}
