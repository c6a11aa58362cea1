/// Kernels over SIMD registers, run lane by lane on numbers of a test's own.
module DiffEqLang.Tests.Support.Kernels

open System
open System.Collections.Generic
open System.Numerics
open System.Reflection
open TorchSharp
open DiffEqLang.Runtime
open DiffEqLang.Runtime.Simd

/// What a kernel gives for as many samples as a register has lanes: by sample and element, the parameters' gradients summed.
type KernelResult =
    {
        Slopes: float[][]
        StateGradients: float[][]
        ParameterGradients: float[]
        /// Row-major; and the tangents along the vectors that are the slopes' cotangents, too. None where they were not built.
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

let private run
    (kernel: LaneKernel<'R>)
    (lanes: int)
    (ofSamples: float[][] -> 'R[])
    (numbers: 'R -> float[])
    (parameters: float[])
    (times: float[])
    (states: float[][])
    (cotangents: float[][])
    =
    let shared = Array.init lanes (fun _ -> parameters)
    let t = (ofSamples (times |> Array.map Array.singleton))[0]
    let state, w = ofSamples states, ofSamples cotangents
    let parameters = if parameters.Length = 0 then [||] else ofSamples shared
    let slope = Array.zeroCreate<'R> kernel.StateSize
    let terms = Array.zeroCreate<'R> kernel.TermSize
    let stateGradient = Array.zeroCreate<'R> kernel.StateSize
    let gradients = Array.zeroCreate<'R> kernel.GradientSize

    kernel.Drift(t, ReadOnlySpan state, ReadOnlySpan parameters, Span slope, Span terms)

    kernel.DriftVjp(
        t,
        ReadOnlySpan state,
        ReadOnlySpan parameters,
        ReadOnlySpan terms,
        ReadOnlySpan w,
        Span stateGradient,
        Span gradients
    )

    let jacobians () =
        let jacobian = Array.zeroCreate<'R>(kernel.StateSize * kernel.StateSize)
        let tangent = Array.zeroCreate<'R> kernel.StateSize
        kernel.DriftJacobian(t, ReadOnlySpan state, ReadOnlySpan parameters, Span jacobian)
        kernel.DriftJvp(t, ReadOnlySpan state, ReadOnlySpan parameters, ReadOnlySpan w, Span tangent)
        unpacked lanes numbers jacobian, unpacked lanes numbers tangent

    { Slopes = unpacked lanes numbers slope
      StateGradients = unpacked lanes numbers stateGradient
      ParameterGradients = gradients |> Array.map (numbers >> Array.sum)
      Jacobians = if kernel.HasJacobian then Some(jacobians ()) else None }

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

/// Drift, Jacobian and its products of samples: times, states and the vectors of the products by sample.
let evaluate (binding: SimdBinding) times states vectors : KernelResult =
    let parameters = registerNumbers binding

    match binding with
    | :? SimdBinding<float32> as single ->
        let lanes = Vector<float32>.Count
        let numbers (v: Vector<float32>) = Array.init lanes (fun i -> float v[i])
        let ofSamples = packed float32 (fun (lane: float32[]) -> Vector<float32> lane) lanes
        run (kernelOf single) lanes ofSamples numbers parameters times states vectors
    | _ ->
        let lanes = Vector<float>.Count
        let numbers (v: Vector<float>) = Array.init lanes (fun i -> v[i])
        let ofSamples = packed id (fun (lane: float[]) -> Vector<float> lane) lanes

        run
            (kernelOf (binding :?> SimdBinding<float>))
            lanes
            ofSamples
            numbers
            parameters
            times
            states
            vectors
