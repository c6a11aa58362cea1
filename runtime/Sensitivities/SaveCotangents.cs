using DiffEqLang.Tableaux;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// The adjoint of the dense output of one step: what the cotangents of the states saved inside it add to the adjoint of the
/// state before the step and of its stages.
/// </summary>
internal sealed class SaveCotangents
{
    private readonly Tensor _stages;    // [stages, samples, N]

    /// <param name="rows">The saved times inside the step.</param>
    /// <param name="scale">The factor of the dense output's weights, <see cref="StepGeometry.Scale"/>.</param>
    /// <param name="cotangents">d loss / d saved state: [times, samples, N].</param>
    /// <param name="tableau">The method.</param>
    /// <param name="lanes">The number of lanes.</param>
    public SaveCotangents(SaveRows rows, double scale, Tensor cotangents, RungeKuttaTableau tableau, long lanes)
    {
        var (stages, weights) = (tableau.A.Count, rows.Weights(tableau));
        var (samples, width) = (cotangents.size(1), cotangents.size(2));
        var transposed = new double[stages * rows.Count];
        for (var stage = 0; stage < stages; stage++)
            for (var row = 0; row < rows.Count; row++)
                transposed[stage * rows.Count + row] = scale * weights[row][stage];
        if (rows.IsEveryLane)
        {
            var part = cotangents.narrow(0, rows.Index[0], rows.Count);
            var matrix = HostVector.ToDevice(transposed, [stages, rows.Count], part.dtype, part.device);
            _stages = matrix.mm(part.reshape(rows.Count, -1)).view(stages, samples, width);
            State = part.sum([0L]);
            return;
        }

        var lane = rows.LaneIndex(cotangents.device);
        var ofRows = cotangents.reshape(cotangents.size(0) * lanes, -1).index_select(0, rows.FlatIndex(lanes, cotangents.device));
        var factors = HostVector.ToDevice(transposed, [stages, rows.Count, 1], ofRows.dtype, ofRows.device);
        _stages = zeros([stages, lanes, ofRows.size(1)], ofRows.dtype, ofRows.device)
            .index_add_(1, lane, factors.mul(ofRows), Scalars.One).view(stages, samples, width);
        State = zeros([lanes, ofRows.size(1)], ofRows.dtype, ofRows.device).index_add_(0, lane, ofRows, Scalars.One).view(samples, width);
    }

    /// <summary>Adds what other rows of the same step give.</summary>
    public void Add(SaveCotangents other)
    {
        _stages.add_(other._stages, Scalars.One);
        State.add_(other.State, Scalars.One);
    }

    /// <summary>What is added to the adjoint of the state before the step: [samples, N].</summary>
    public Tensor State { get; }

    /// <summary>
    /// What is added to the adjoint of a stage, before it is multiplied by the step where that differs between lanes: [samples, N], in
    /// memory that is the caller's to add to.
    /// </summary>
    public Tensor Stage(int stage) => _stages.select(0, stage);
}
