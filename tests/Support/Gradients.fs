/// Equations with derivatives written by hand, and what their gradients are held to.
module DiffEqLang.Tests.Support.Gradients

open System
open DiffEqLang.Runtime
open DiffEqLang.Tests.Support.Odes
open Expecto
open TorchSharp

let trained (values: Tensor) : Tensor = values.clone().requires_grad_ true

/// x' = A x with all of A trained: [N, N].
let linear (a: Tensor) =
    differentiableOde [ a ] (fun _ x -> x.matmul (a.t ())) (fun _ x w into ->
        into.AddOuter(0, w, x)
        w.matmul a)

/// dy/dt = (y^3) A, as in torchdiffeq's spiral.
let spiral (a: Tensor) =
    differentiableOde [ a ] (fun _ y -> (y.pow (scalar 3.0)).matmul a) (fun _ y w into ->
        into.AddOuter(0, y.pow (scalar 3.0), w)
        (w.matmul (a.t ())).mul(scale 3.0 (y.Squared())))

/// x' = a x - b x y s, y' = -c y + d x y s with s = t or 1; p = (a, b, c, d).
let predatorPrey (p: Tensor) (timeDependent: bool) =
    let factor (t: Tensor) = if timeDependent then t else torch.ones_like t
    let rate = part p

    let drift t state =
        let x, y = part state 0, part state 1
        let meeting = x.mul(y).mul(factor t)

        pack
            [ ((rate 0).mul x).Minus((rate 1).mul meeting)
              ((rate 3).mul meeting).Minus((rate 2).mul y) ]

    let vjp t state (w: Tensor) (into: ParameterGradients) =
        let x, y, s = part state 0, part state 1, factor t
        let wx, wy = part w 0, part w 1
        let meeting = x.mul(y).mul s
        into.Add(0, pack [ wx.mul x; (wx.mul meeting).neg(); (wy.mul y).neg(); wy.mul meeting ])
        let net = (wy.mul (rate 3)).Minus(wx.mul (rate 1))
        pack [ (wx.mul (rate 0)).Plus(net.mul(y).mul s); (net.mul(x).mul s).Minus(wy.mul (rate 2)) ]

    differentiableOde [ p ] drift vjp

/// A small network with a term in t, nothing about it symmetric: -0.1 x + tanh(W x + b t).
let network (w: Tensor) (b: Tensor) =
    let inner (t: Tensor) (x: Tensor) = ((x.matmul (w.t ())).Plus(b.mul (t.unsqueeze -1L))).tanh()

    differentiableOde [ w; b ] (fun t x -> (inner t x).Plus(scale -0.1 x)) (fun t x cotangent into ->
        let hidden = inner t x
        let outer = cotangent.mul (plus 1.0 ((hidden.Squared()).neg()))
        into.AddOuter(0, outer, x)
        into.Add(1, outer.mul (t.unsqueeze -1L))
        (outer.matmul w).Plus(scale -0.1 cotangent))

let gradientOf (tensor: Tensor) = values tensor.grad

/// Backward, with whatever went wrong in it.
let backward (loss: Tensor) =
    loss.backward ()
    GradientFault.ThrowIfAny()

let expectNear tolerance expected (found: float[]) message =
    let size = max 1.0 (largest expected)
    Expect.isLessThan (distance found (Array.ofSeq expected) / size) tolerance $"{message}: {found}"

/// Those of Runge-Kutta methods: all but the one that undoes steps.
let modes =
    Enum.GetValues<GradientMode>()
    |> Array.filter (fun mode -> mode <> GradientMode.Reversible)

/// Mode, coupling and method of every way to a gradient.
let ways =
    [ for mode in modes do
          for coupling in [ StepCoupling.PerSample; StepCoupling.Batch ] do
              for name in [ "dopri5"; "tsit5"; "dopri8" ] -> mode, coupling, name ]

let tight (mode, coupling, name) (times: float seq) =
    SolveOptions(
        Save = SaveAt.Times(ReadOnlySpan(Array.ofSeq times)),
        Method =
            (if name = "dopri8" then
                 tolerances name 1e-13 1e-13
             else
                 tolerances name 1e-11 1e-11),
        Gradient = Nullable mode,
        Coupling = coupling,
        MaxSteps = 1_000_000
    )

let inWays ways name check =
    testList
        name
        [ for mode, coupling, method in ways ->
              test $"{mode} {coupling} {method}" { check (mode, coupling, method) } ]

let everyWay name check = inWays ways name check

/// Each mode and coupling once, by the method that needs the fewest steps: for long solves.
let fewWays name check = inWays (ways |> List.filter (fun (_, _, method) -> method = "dopri8")) name check

/// The derivative of a function along a direction by central differences of order 4.
let differences (f: float -> float) =
    let h = 5e-4
    (8.0 * (f h - f -h) - (f (2.0 * h) - f (-2.0 * h))) / (12.0 * h)

/// How many tensors are alive at most while x' = -x is solved from 0 to 1 by steps of one size, and on the way back; at the end the gradient.
let mostAlive (options: SolveOptions) (name: string) steps =
    use _ = torch.NewDisposeScope()
    let mutable alive = 0L
    let start = torch.Tensor.TotalCount
    let x0 = trained (vector [ 1.0 ])

    let equations =
        withVjp
            (fun _ x ->
                alive <- max alive (torch.Tensor.TotalCount - start)
                x.neg ())
            (fun _ _ w -> w.neg ())

    let options =
        SolveOptions(
            Start = Nullable 0.0,
            End = Nullable 1.0,
            Method = Method(name, Dt = Nullable(1.0 / float steps)),
            Gradient = options.Gradient,
            Checkpoints = options.Checkpoints
        )

    backward ((solveWith options equations x0).Packed.sum())
    alive, (gradientOf x0)[0]

/// That this number does not grow with the steps.
let expectBounded (options: SolveOptions) name bound =
    for steps in [ 1_000; 10_000 ] do
        let alive, gradient = mostAlive options name steps
        Expect.isLessThan alive bound $"{name}, {steps} steps"
        Expect.isLessThan (abs (gradient - exp -1.0)) 1e-3 "gradient"

let networkInputs () =
    torch.manual_seed 7L |> ignore
    let generator = new torch.Generator(7UL)
    let normal (shape: int64[]) = torch.randn (shape, dtype = torch.float64, generator = generator)
    normal [| 3L; 3L |], normal [| 3L |], normal [| 4L; 3L |], normal

/// The loss of a solve, and its gradient along a direction in all inputs, against differences of the very same scheme.
let expectExactGradientOf (equations: Tensor -> Tensor -> OdeEquations) (options: SolveOptions) =
    use _ = torch.NewDisposeScope()
    let w, b, x0, normal = networkInputs ()
    let dw, db, dx = normal [| 3L; 3L |], normal [| 3L |], normal [| 4L; 3L |]

    let weights =
        normal [| int64 (values (solveWith options (equations w b) x0).Times).Length; 4L; 3L |]

    let loss (w: Tensor) (b: Tensor) (x: Tensor) =
        let solution = solveWith options (equations w b) x
        solution.EnsureSuccess()
        (solution.Packed.mul weights).sum()

    let moved s =
        use _ = torch.no_grad ()
        (loss (w.Plus(scale s dw)) (b.Plus(scale s db)) (x0.Plus(scale s dx))).item<float>()

    let w', b', x' = trained w, trained b, trained x0
    backward (loss w' b' x')
    let along (gradient: Tensor) (direction: Tensor) = (gradient.mul direction).sum().item<float>()
    let exact = along w'.grad dw + along b'.grad db + along x'.grad dx
    let measured = differences moved

    Expect.isLessThan
        (abs (exact - measured) / max 1.0 (abs exact))
        1e-8
        $"adjoint {exact}, differences {measured}"

/// The same of a network.
let expectExactGradient = expectExactGradientOf network
