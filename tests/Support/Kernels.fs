/// Kernels over SIMD registers, run lane by lane on numbers of a test's own.
module DiffEqLang.Tests.Support.Kernels

open System
open System.Collections.Generic
open System.Numerics
open System.Reflection
open TorchSharp
open DiffEqLang.Runtime
open DiffEqLang.Runtime.Simd

/// Where a kernel is evaluated, by sample: as many samples as a register has lanes.
type Samples =
    { Times: float[]
      States: float[][]
      Increments: float[][]
      Cotangents: float[][] }

/// What a kernel gives there: by sample and element, the parameters' gradients summed.
type KernelResult =
    {
        Values: float[][]
        StateGradients: float[][]
        ParameterGradients: float[]
        /// Of the drift, row-major; and its tangents along the vectors that are the cotangents, too. None where they were not built.
        Jacobians: (float[][] * float[][]) option
    }

let private field (binding: SimdBinding) name =
    binding.GetType().GetField(name, BindingFlags.Instance ||| BindingFlags.NonPublic).GetValue binding

/// What a model hands to the simd target; None where it has no such code.
let binding (model: DifferentialModel) : SimdBinding option =
    let bind =
        model.GetType().GetMethod("BindSimd", BindingFlags.Instance ||| BindingFlags.NonPublic)

    bind.Invoke(model, [||]) :?> SimdBinding |> Option.ofObj

/// Each register of a packed vector, from the samples' numbers.
let private packed (convert: float -> 'T) (toRegister: 'T[] -> 'R) lanes (samples: float[][]) : 'R[] =
    Array.init samples[0].Length (fun i ->
        toRegister (Array.init lanes (fun lane -> convert (samples[lane][i]))))

let private unpacked (lanes: int) (numbers: 'R -> float[]) (registers: 'R[]) : float[][] =
    let all = registers |> Array.map numbers
    Array.init lanes (fun lane -> all |> Array.map (fun register -> register[lane]))

/// The sums over all lanes; some parts of the gradients are such sums already, side by side from their beginning on.
let private summed (parts: IReadOnlyList<Range>) (numbers: 'R -> float[]) (registers: 'R[]) : float[] =
    let sums = registers |> Array.map (numbers >> Array.sum)

    for part in parts do
        let struct (first, count) = part.GetOffsetAndLength registers.Length
        let ofPart = registers[first .. first + count - 1] |> Array.collect numbers
        Array.blit ofPart 0 sums first count

    sums

/// A method of the kernel by its name, and that of its vector-Jacobian product: `Drift`, `Diffusion` ...
let private run
    (name: string)
    (kernel: LaneKernel<'R>)
    (lanes: int)
    (ofSamples: float[][] -> 'R[])
    (numbers: 'R -> float[])
    (parameters: float[])
    (samples: Samples)
    =
    let packedOf (vectors: float[][]) = if vectors[0].Length = 0 then [||] else ofSamples vectors
    let t = (ofSamples (samples.Times |> Array.map Array.singleton))[0]

    let state, w, dW =
        packedOf samples.States, packedOf samples.Cotangents, packedOf samples.Increments

    let parameters = packedOf (Array.init lanes (fun _ -> parameters))
    let values = Array.zeroCreate<'R> kernel.StateSize
    let terms = Array.zeroCreate<'R> kernel.TermSize
    let gradient = Array.zeroCreate<'R> kernel.StateSize
    let all = Array.zeroCreate<'R> kernel.GradientSize

    match name, kernel with
    | "Drift", _ ->
        kernel.Drift(t, state.AsSpan(), parameters.AsSpan(), values.AsSpan(), terms.AsSpan())

        kernel.DriftVjp(
            t,
            state.AsSpan(),
            parameters.AsSpan(),
            terms.AsSpan(),
            w.AsSpan(),
            gradient.AsSpan(),
            all.AsSpan()
        )
    | "Diffusion", (:? StochasticKernel<'R> as noise) ->
        noise.Diffusion(t, state.AsSpan(), parameters.AsSpan(), dW.AsSpan(), values.AsSpan())

        noise.DiffusionVjp(
            t,
            state.AsSpan(),
            parameters.AsSpan(),
            dW.AsSpan(),
            w.AsSpan(),
            gradient.AsSpan(),
            all.AsSpan()
        )
    | "Milstein", (:? StochasticKernel<'R> as noise) ->
        noise.Milstein(t, state.AsSpan(), parameters.AsSpan(), dW.AsSpan(), values.AsSpan())

        noise.MilsteinVjp(
            t,
            state.AsSpan(),
            parameters.AsSpan(),
            dW.AsSpan(),
            w.AsSpan(),
            gradient.AsSpan(),
            all.AsSpan()
        )
    | "ItoCorrection", (:? StochasticKernel<'R> as noise) ->
        noise.ItoCorrection(t, state.AsSpan(), parameters.AsSpan(), values.AsSpan())

        noise.ItoCorrectionVjp(
            t,
            state.AsSpan(),
            parameters.AsSpan(),
            w.AsSpan(),
            gradient.AsSpan(),
            all.AsSpan()
        )
    | _ -> failwithf "%O has no %s" kernel name

    let jacobians () =
        let entries = Array.zeroCreate<'R> kernel.JacobianSize
        let jacobian = Array.zeroCreate<'R>(kernel.StateSize * kernel.StateSize)
        let tangent = Array.zeroCreate<'R> kernel.StateSize
        kernel.DriftJacobian(t, state.AsSpan(), parameters.AsSpan(), entries.AsSpan())

        let places =
            if kernel.IsJacobianSparse then
                kernel.JacobianPattern.ToArray()
            else
                [| 0 .. entries.Length - 1 |]

        Array.iter2 (fun place entry -> jacobian[place] <- entry) places entries
        kernel.DriftJvp(t, state.AsSpan(), parameters.AsSpan(), w.AsSpan(), tangent.AsSpan())
        unpacked lanes numbers jacobian, unpacked lanes numbers tangent

    { Values = unpacked lanes numbers values
      StateGradients = unpacked lanes numbers gradient
      ParameterGradients = summed kernel.SummedOverLanes numbers all
      Jacobians = if name = "Drift" && kernel.HasJacobian then Some(jacobians ()) else None }

/// The numbers passed in registers.
let private registerNumbers (binding: SimdBinding) =
    [| for struct (_, value) in binding.Registers do
           yield!
               value
                   .detach()
                   .to_type(torch.ScalarType.Float64)
                   .contiguous()
                   .reshape(-1L)
                   .data<float>()
                   .ToArray() |]

/// How many samples a call of `evaluate` takes.
let lanesOf (binding: SimdBinding) =
    if binding.Dtype = torch.ScalarType.Float32 then
        Vector<float32>.Count
    else
        Vector<float>.Count

/// The kernel over `Vector<T>`.
let kernelOf (binding: SimdBinding<'T>) =
    let factory =
        field binding "_kernel" :?> Func<IReadOnlyList<torch.Tensor>, LaneKernel<Vector<'T>>>

    factory.Invoke binding.Weights

/// A quantity of samples, and its vector-Jacobian products; of the drift its Jacobian too.
let evaluate (binding: SimdBinding) (name: string) (samples: Samples) : KernelResult =
    let parameters = registerNumbers binding

    match binding with
    | :? SimdBinding<float32> as single ->
        let lanes = Vector<float32>.Count
        let numbers (v: Vector<float32>) = Array.init lanes (fun i -> float v[i])
        let ofSamples = packed float32 (fun (lane: float32[]) -> Vector<float32> lane) lanes
        run name (kernelOf single) lanes ofSamples numbers parameters samples
    | _ ->
        let lanes = Vector<float>.Count
        let numbers (v: Vector<float>) = Array.init lanes (fun i -> v[i])
        let ofSamples = packed id (fun (lane: float[]) -> Vector<float> lane) lanes
        run name (kernelOf (binding :?> SimdBinding<float>)) lanes ofSamples numbers parameters samples
