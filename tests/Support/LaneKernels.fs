/// Hand-made kernels over SIMD registers beside the same equations on tensors.
module DiffEqLang.Tests.Support.LaneKernels

open System
open System.Numerics
open DiffEqLang.Runtime
open DiffEqLang.Runtime.Simd
open DiffEqLang.Tests.Support.Odes
open TorchSharp

type Lanes = Vector<float>

let private all (x: float) = Vector<float> x

/// y' = r y^2, r in a register: blows up at 1/(r y(0)), each sample at its own time.
type BlowUpKernel() =
    inherit LaneKernel<Lanes>()
    override _.StateSize = 1
    override _.ParameterSize = 1
    override _.GradientSize = 1

    override _.Drift(_, state, parameters, slope, _) = slope[0] <- parameters[0] * state[0] * state[0]

    override _.DriftVjp(_, state, parameters, _, w, stateGradient, parameterGradients) =
        stateGradient[0] <- all 2.0 * parameters[0] * state[0] * w[0]
        parameterGradients[0] <- parameterGradients[0] + state[0] * state[0] * w[0]

let private map (f: float -> float) (x: Lanes) = Vector<float>(Array.init Lanes.Count (fun i -> f x[i]))

/// -0.1 x + tanh(W x + b t), three components: W is read in place, b in registers, tanh kept as terms.
type NetworkKernel(w: Tensor) =
    inherit LaneKernel<Lanes>()
    let weights = Weights<float> w
    override _.StateSize = 3
    override _.ParameterSize = 3
    override _.GradientSize = 12
    override _.TermSize = 3

    override _.Drift(t, state, parameters, slope, terms) =
        for i in 0..2 do
            let mutable inner = parameters[i] * t

            for j in 0..2 do
                inner <- inner + all weights.Span[3 * i + j] * state[j]

            terms[i] <- map tanh inner
            slope[i] <- terms[i] - all 0.1 * state[i]

    override _.DriftVjp(t, state, _, terms, w, stateGradient, parameterGradients) =
        for j in 0..2 do
            stateGradient[j] <- all -0.1 * w[j]

        for i in 0..2 do
            let outer = w[i] * (Vector<float>.One - terms[i] * terms[i])
            parameterGradients[9 + i] <- parameterGradients[9 + i] + outer * t

            for j in 0..2 do
                stateGradient[j] <- stateGradient[j] + all weights.Span[3 * i + j] * outer
                parameterGradients[3 * i + j] <- parameterGradients[3 * i + j] + outer * state[j]

let private noWide =
    Func<_, LaneKernel<System.Runtime.Intrinsics.Vector512<float>>>(fun _ -> raise (NotSupportedException()))

/// A binding of kernels over Vector<float64> alone.
let bind (parameters: Tensor list) (registers: (string * Tensor) list) (weights: Tensor list) kernel =
    new SimdBinding<float>(
        Array.ofList parameters,
        [| for name, value in registers -> struct (name, value) |],
        Array.ofList weights,
        Func<_, _> kernel,
        noWide,
        IsWide = false
    )

let blowUpLanes (rate: Tensor) =
    bind [ rate ] [ "r", rate ] [] (fun _ -> new BlowUpKernel() :> LaneKernel<Lanes>)

let networkLanes (w: Tensor) (b: Tensor) =
    bind [ w; b ] [ "b", b ] [ w ] (fun weights -> new NetworkKernel(weights[0]) :> LaneKernel<Lanes>)

/// Solves on registers.
let solveLanes (options: SolveOptions) (binding: SimdBinding) (initial: Tensor) : Solution =
    let span = SolveSpan.Of(options, options.Start, options.End)
    SimdSolve.Run(binding, layoutOf (initial.size -1), initial, options, span)
