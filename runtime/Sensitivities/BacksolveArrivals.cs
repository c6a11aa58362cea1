using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// Where the states that <see cref="BacksolveEquations"/> solves backwards arrive, beside where the forward solve was. Kept until the end of
/// the pass, as many numbers as were saved, and compared at once.
/// </summary>
internal sealed class BacksolveArrivals
{
    /// <summary>
    /// Up to so many tolerances count as the accuracy that solvers have anyhow: forward solves at 1e-6 and 1e-9 end up to a thousand
    /// tolerances away from the solution on non-stiff problems (DETEST's orbits, here and in other codes). With fixed steps, which
    /// know no tolerance, the default ones make it a thousandth of the state.
    /// </summary>
    public const double MostTolerances = 1000;

    private readonly List<(double[] Times, Tensor Found, Tensor Known)> _arrivals = [];

    /// <summary>Keeps an arrival, in the dispose scope around the present one.</summary>
    /// <param name="times">Where: of all samples, or of each.</param>
    /// <param name="found">The states solved backwards: [samples, N].</param>
    /// <param name="known">The states of the forward solve: [samples, N].</param>
    public void Add(double[] times, Tensor found, Tensor known) =>
        _arrivals.Add((times, found.MoveToOuterDisposeScope(), known.alias().MoveToOuterDisposeScope()));

    /// <summary>A warning where an arrival of some sample is off by more than <see cref="MostTolerances"/>; null where none is.</summary>
    public UnstableBacksolve? Judge(OdeProblem problem)
    {
        if (_arrivals.Count == 0) return null;
        var found = stack([.. _arrivals.Select(arrival => arrival.Found)]);
        var known = stack([.. _arrivals.Select(arrival => arrival.Known)]);
        var samples = known.size(1);
        using var norm = new ErrorNorm(problem.Rtol, problem.Atol, _arrivals.Count * samples);
        var deviations = norm.Of(found.add_(known, Scalars.MinusOne), norm.Tolerance(known).add_(Rounding(known), Scalars.One));
        var largest = Array.IndexOf(deviations, deviations.Max());
        var times = _arrivals[(int)(largest / samples)].Times;
        return deviations[largest] > MostTolerances ? new UnstableBacksolve(times[largest % samples % times.Length], deviations[largest]) : null;
    }

    /// <summary>What one rounding of the sample's largest entry amounts to: no entry can be asked to be nearer.</summary>
    private static Tensor Rounding(Tensor states) =>
        states.abs().amax([-1L], keepdim: true).mul_(Scalars.Of(finfo(states.dtype).eps));
}
