namespace DiffEqLang.Runtime;

/// <summary>
/// The root of a continuous function between two places where it has different signs, one evaluation at a time, so that many
/// searches may be evaluated together: evaluate at <see cref="Trial"/>, <see cref="Tell"/>, until <see cref="IsDone"/>.
/// </summary>
/// <remarks>Brent (1973), Algorithms for Minimization without Derivatives, chapter 4, procedure <c>zero</c>.</remarks>
internal sealed class BrentSearch
{
    /// <summary>More evaluations than this do not narrow a bracket of float64 further: bisection alone would take 60 to 100.</summary>
    private const int MostTrials = 120;

    private readonly double _precision;
    private double _a, _b, _c;              // b is the best place so far; the root lies between b and c
    private double _fa, _fb, _fc;
    private double _last, _beforeLast;      // the last two moves
    private int _trials;

    /// <param name="from">One end, with the value there.</param>
    /// <param name="upTo">The other end, with a value of the other sign, or zero.</param>
    /// <param name="precision">The rounding of the values' type; the root is found to four times it, relative.</param>
    public BrentSearch((double Place, double Value) from, (double Place, double Value) upTo, double precision)
    {
        _precision = precision;
        ((_a, _fa), (_b, _fb)) = (from, upTo);
        (_c, _fc) = (_a, _fa);
        _last = _beforeLast = _b - _a;
        Choose();
    }

    /// <summary>Where the function is to be evaluated next; the root where the search is done.</summary>
    public double Trial => _b;

    /// <summary>Whether the root is found.</summary>
    public bool IsDone { get; private set; }

    /// <summary>Takes the value at <see cref="Trial"/>.</summary>
    public void Tell(double value)
    {
        _fb = value;
        if (Math.Sign(_fb) == Math.Sign(_fc))
        {
            (_c, _fc) = (_a, _fa);
            _last = _beforeLast = _b - _a;
        }

        Choose();
    }

    /// <summary>The next place: by inverse interpolation where that narrows the bracket fast enough, else the middle.</summary>
    private void Choose()
    {
        if (Math.Abs(_fc) < Math.Abs(_fb)) ((_a, _fa), (_b, _fb), (_c, _fc)) = ((_b, _fb), (_c, _fc), (_b, _fb));
        var (tolerance, half) = (2 * _precision * Math.Abs(_b), (_c - _b) / 2);
        IsDone = Math.Abs(half) <= tolerance || _fb == 0 || ++_trials > MostTrials;
        if (IsDone) return;
        (_beforeLast, _last) = Interpolated(half, tolerance) is { } move ? (_last, move) : (half, half);
        (_a, _fa) = (_b, _fb);
        _b += Math.Abs(_last) > tolerance ? _last : Math.CopySign(tolerance, half);
    }

    private double? Interpolated(double half, double tolerance)
    {
        if (Math.Abs(_beforeLast) < tolerance || Math.Abs(_fa) <= Math.Abs(_fb)) return null;
        var (p, q) = _a == _c ? Secant(half) : InverseQuadratic(half);
        if (p > 0) q = -q;
        p = Math.Abs(p);
        return 2 * p < Math.Min(3 * half * q - Math.Abs(tolerance * q), Math.Abs(_beforeLast * q)) ? p / q : null;
    }

    private (double P, double Q) Secant(double half) => (2 * half * (_fb / _fa), 1 - _fb / _fa);

    private (double P, double Q) InverseQuadratic(double half)
    {
        var (q, r, s) = (_fa / _fc, _fb / _fc, _fb / _fa);
        return (s * (2 * half * q * (q - r) - (_b - _a) * (r - 1)), (q - 1) * (r - 1) * (s - 1));
    }
}
