/// Hand-made equations for the tests of the runtime, in float64, with derivatives written by hand.
module DiffEqLang.Tests.Support.Odes

open System
open DiffEqLang.Runtime
open TorchSharp

type Tensor = torch.Tensor

let private scalars = System.Collections.Concurrent.ConcurrentDictionary<float, Scalar>()

/// A number for a torch call, kept for good: a temporary one may be collected while the native call runs (TorchSharp 0.107).
let scalar (x: float) : Scalar = scalars.GetOrAdd(x, (fun x -> Scalar.op_Implicit x))

type torch.Tensor with

    /// Without the temporary alpha of `add` and `sub`.
    member x.Plus(y: Tensor) : Tensor = x.add (y, scalar 1.0)
    member x.Minus(y: Tensor) : Tensor = x.add (y, scalar -1.0)
    /// Not `square`, which hands torch a number that nothing keeps alive.
    member x.Squared() : Tensor = x.mul x

let vector (values: float seq) : Tensor = torch.tensor (Array.ofSeq values, dtype = torch.float64)

/// [rows, columns]
let matrix (rows: float list list) : Tensor =
    (vector (List.concat rows)).reshape(int64 rows.Length, int64 rows.Head.Length)

let scale (factor: float) (x: Tensor) : Tensor = x.mul (scalar factor)

let plus (value: float) (x: Tensor) : Tensor = x.add (scalar value, scalar 1.0)

/// One component of a packed state: [...].
let part (state: Tensor) (i: int) : Tensor = state.select (-1L, int64 i)

let pack (parts: Tensor list) : Tensor =
    let shape = (parts |> List.maxBy (fun p -> p.dim ())).shape
    torch.stack (parts |> List.map (fun p -> p.expand shape) |> Array.ofList, -1L)

/// Equations without derivatives.
let ode (drift: Tensor -> Tensor -> Tensor) : OdeEquations =
    { new OdeEquations() with
        member _.Parameters = [||]
        member _.Drift(t, state) = drift t state
        member _.DriftVjp(_, _, _, _) = raise (NotSupportedException "This test needs no gradient.") }

/// Equations with parameters; the last function returns the state's cotangent and adds the parameters'.
let differentiableOde
    (parameters: Tensor list)
    (drift: Tensor -> Tensor -> Tensor)
    (vjp: Tensor -> Tensor -> Tensor -> ParameterGradients -> Tensor)
    : OdeEquations =
    let all = Array.ofList parameters

    { new OdeEquations() with
        member _.Parameters = all
        member _.Drift(t, state) = drift t state
        member _.DriftVjp(t, state, w, into) = vjp t state w into }

/// Equations without parameters, with their vector-Jacobian product.
let withVjp drift (vjp: Tensor -> Tensor -> Tensor -> Tensor) : OdeEquations =
    differentiableOde [] drift (fun t state w _ -> vjp t state w)

let layoutOf (size: int64) = StateLayout(ReadOnlySpan [| struct ("x", [| size |]) |])

let solveWith (options: SolveOptions) (equations: OdeEquations) (initial: Tensor) : Solution =
    OdeSolve.Run(equations, layoutOf (initial.size -1), initial, options)

let fixedStep (name: string) (dt: float) = Method(name, Dt = Nullable dt, Adaptive = Nullable false)

let tolerances (name: string) (rtol: float) (atol: float) =
    Method(name, Rtol = Nullable rtol, Atol = Nullable atol)

let span (start: float) (finish: float) (method: Method) =
    SolveOptions(Start = Nullable start, End = Nullable finish, Method = method)

let saving (times: float seq) (method: Method) =
    SolveOptions(Save = SaveAt.Times(ReadOnlySpan(Array.ofSeq times)), Method = method)

let values (tensor: Tensor) : float[] =
    tensor.detach().contiguous().``to``(torch.float64).data<float>().ToArray()

/// The state at the end of a solve that succeeds.
let finalState options equations initial : float[] =
    use _ = torch.NewDisposeScope()
    let solution = solveWith options equations initial
    solution.EnsureSuccess()
    values solution.LastState

let largest (differences: float seq) = differences |> Seq.map abs |> Seq.max

let distance (a: float[]) (b: float[]) = Array.map2 (-) a b |> largest
