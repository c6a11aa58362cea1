/// Small SDEs written by hand as generated code would write them, with their derivatives.
module DiffEqLang.Tests.Support.StochasticModels

open System
open System.Collections.Generic
open DiffEqLang.Runtime
open TorchSharp

do NativeLibraries.Load()

let float64 = torch.ScalarType.Float64
let vector (values: float[]) = torch.tensor (values, float64)
let values (t: torch.Tensor) = t.detach().cpu().``to``(float64).contiguous().data<float>().ToArray()

let same (a: torch.Tensor) (b: torch.Tensor) = a.shape = b.shape && (a.eq b).all().item<bool>()

let states (slots: (string * int64[]) list) =
    StateLayout(ReadOnlySpan [| for name, shape in slots -> struct (name, shape) |])

let private scalar (x: float) = Scalar.op_Implicit x

let number (x: float) = torch.tensor (x, Nullable float64)

let square (x: torch.Tensor) = x.square ()

let em dt = Methods.EulerMaruyama(Nullable dt)
let heun dt = Methods.EulerHeun(Nullable dt)
let milstein dt = Methods.Milstein(Nullable dt)

/// The slope of log error over log h.
let slope (errors: (float * float) list) =
    let points = errors |> List.map (fun (h, error) -> log h, log error)
    let meanX, meanY = List.averageBy fst points, List.averageBy snd points

    List.sumBy (fun (x, y) -> (x - meanX) * (y - meanY)) points
    / List.sumBy (fun (x, _) -> (x - meanX) ** 2.0) points

/// dx = f(t, x) dt + g(t, x) dW for each component by itself, with the derivatives in x that Milstein's scheme and its
/// gradient need.
type Pointwise =
    { F: torch.Tensor -> torch.Tensor -> torch.Tensor
      F': torch.Tensor -> torch.Tensor -> torch.Tensor
      G: torch.Tensor -> torch.Tensor -> torch.Tensor
      G': torch.Tensor -> torch.Tensor -> torch.Tensor
      G'': torch.Tensor -> torch.Tensor -> torch.Tensor }

type PointwiseEquations(p: Pointwise) =
    inherit SdeEquations()
    let half (x: torch.Tensor) = x.mul (scalar 0.5)
    override _.Parameters = [||] :> IReadOnlyList<_>
    override _.Drift(t, x) = p.F t x
    override _.DriftVjp(t, x, w, _) = w * p.F' t x
    override _.Diffusion(t, x, dW) = p.G t x * dW
    override _.DiffusionVjp(t, x, dW, w, _) = w * p.G' t x * dW
    override _.Milstein(t, x, dW) = half (p.G t x * p.G' t x * dW * dW)
    override _.ItoCorrection(t, x) = half (p.G t x * p.G' t x)
    member private _.Slope(t, x) = half ((p.G' t x).square() + p.G t x * p.G'' t x)
    override this.MilsteinVjp(t, x, dW, w, _) = w * this.Slope(t, x) * dW * dW
    override this.ItoCorrectionVjp(t, x, w, _) = w * this.Slope(t, x)

type PointwiseModel(p: Pointwise, noise, calculus, defaults: SolveDefaults) =
    inherit SdeModel("Pointwise", states [ "x", [||] ], defaults, null, Nullable float64)
    override _.Noise = noise
    override _.Calculus = calculus
    override _.NoiseSize = 1L
    override _.Bind() : OdeEquations = PointwiseEquations p
    override _.InitialState() = [| null |] :> IReadOnlyList<_>

let pointwise noise calculus p = new PointwiseModel(p, noise, calculus, SolveDefaults())

/// du = -(1/4) u (1 - u^2) dt + (1/2) (1 - u^2) dW: u = ((1 + u0) e^W + u0 - 1) / ((1 + u0) e^W + 1 - u0). (Ito: drift -u(1-u^2)/4.)
let hyperbolic =
    { F = fun _ u -> number -0.25 * u * (number 1.0 - square u)
      F' = fun _ u -> number -0.25 * (number 1.0 - number 3.0 * square u)
      G = fun _ u -> number 0.5 * (number 1.0 - square u)
      G' = fun _ u -> -u
      G'' = fun _ u -> -torch.ones_like u }

/// du = a u dt + b u dW beside dw = dW, its own Brownian path: u = u0 exp((a - b^2/2) t + b w) in Ito's sense,
/// u0 exp(a t + b w) in Stratonovich's.
type GeometricEquations(a: torch.Tensor, b: torch.Tensor) =
    inherit SdeEquations()
    let onU (x: torch.Tensor) = x.narrow (-1, 0L, 1L)
    let withZero (u: torch.Tensor) = torch.cat ([| u; torch.zeros_like u |], -1L)
    let sum (x: torch.Tensor) = x.sum (-1L)
    let half (x: torch.Tensor) = x.mul (scalar 0.5)
    override _.Parameters = [| a; b |] :> IReadOnlyList<_>
    override _.Drift(_, x) = withZero (a * onU x)

    override _.DriftVjp(_, x, w, into) =
        into.Add(0, sum (onU w * onU x))
        withZero (a * onU w)

    override _.Diffusion(_, x, dW) = torch.cat ([| b * onU x * dW; dW |], -1L)

    override _.DiffusionVjp(_, x, dW, w, into) =
        into.Add(1, sum (onU w * onU x * dW))
        withZero (b * onU w * dW)

    override _.Milstein(_, x, dW) = withZero (half (b * b * onU x * dW * dW))

    override _.MilsteinVjp(_, x, dW, w, into) =
        into.Add(1, sum (b * onU w * onU x * dW * dW))
        withZero (half (b * b * onU w * dW * dW))

    override _.ItoCorrection(_, x) = withZero (half (b * b * onU x))

    override _.ItoCorrectionVjp(_, x, w, into) =
        into.Add(1, sum (b * onU w * onU x))
        withZero (half (b * b * onU w))

type GeometricModel(calculus, a: float, b: float, ?dtype) as this =
    inherit
        SdeModel(
            "Geometric",
            states [ "u", [||]; "w", [||] ],
            SolveDefaults(Start = Nullable 0.0, End = Nullable 1.0),
            null,
            Nullable(defaultArg dtype float64)
        )

    do
        this.AddParameter("a", Initial.Constant(a, [||]))
        this.AddParameter("b", Initial.Constant(b, [||]), Interval(0.0, infinity))

    override _.Noise = NoiseStructure.Scalar
    override _.Calculus = calculus
    override _.NoiseSize = 1L
    override this.Bind() : OdeEquations = GeometricEquations(this.Value "a", this.Value "b")
    override _.InitialState() = [| null; torch.zeros ([||], float64) |] :> IReadOnlyList<_>

/// dX = A X dt + s X (dW1 + dW2 + dW3 + dW4): commutative noise of four processes.
type LinearEquations(A: torch.Tensor, s: float) =
    inherit SdeEquations()
    let total (dW: torch.Tensor) = dW.sum (-1L, keepdim = true)
    override _.Parameters = [||] :> IReadOnlyList<_>
    override _.Drift(_, x) = x.matmul (A.t ())
    override _.DriftVjp(_, _, w, _) = w.matmul A
    override _.Diffusion(_, x, dW) = x.mul (scalar s) * total dW
    override this.DiffusionVjp(t, _, dW, w, _) = this.Diffusion(t, w, dW)
    override _.Milstein(_, x, dW) = x.mul (scalar (0.5 * s * s)) * (total dW).square()
    override this.MilsteinVjp(t, _, dW, w, _) = this.Milstein(t, w, dW)
    override _.ItoCorrection(_, x) = x.mul (scalar (2.0 * s * s))
    override this.ItoCorrectionVjp(t, _, w, _) = this.ItoCorrection(t, w)

type LinearModel(A: torch.Tensor, s: float) =
    inherit SdeModel("Linear", states [ "x", [| 2L |] ], SolveDefaults(), null, Nullable float64)
    override _.Noise = NoiseStructure.Commutative
    override _.Calculus = Calculus.Ito
    override _.NoiseSize = 4L
    override _.Bind() : OdeEquations = LinearEquations(A, s)
    override _.InitialState() = [| null |] :> IReadOnlyList<_>

/// Heston's price S and its variance v, mu = 0.05, kappa = 2, xi = 0.3: dS = mu S dt + sqrt(v) S dW1,
/// dv = kappa (theta - v) dt + xi sqrt(v) dW2. The two noises do not commute.
type HestonEquations(theta: float) =
    inherit SdeEquations()
    let mu, kappa, theta, xi = number 0.05, number 2.0, number theta, number 0.3
    let half = number 0.5
    let first (x: torch.Tensor) = x.select (-1, 0L)
    let second (x: torch.Tensor) = x.select (-1, 1L)
    let pair (a: torch.Tensor) (b: torch.Tensor) = torch.stack ([| a; b |], -1L)
    override _.Parameters = [||] :> IReadOnlyList<_>
    override _.Drift(_, x) = pair (mu * first x) (kappa * (theta - second x))
    override _.DriftVjp(_, _, w, _) = pair (mu * first w) (-kappa * second w)

    override _.Diffusion(_, x, dW) =
        let deviation = (second x).sqrt()
        pair (deviation * first x * first dW) (xi * deviation * second dW)

    override _.DiffusionVjp(_, x, dW, w, _) =
        let deviation = (second x).sqrt()
        let byDeviation = first w * first x * first dW + second w * xi * second dW
        pair (first w * deviation * first dW) (half * byDeviation / deviation)

    override _.ItoCorrection(_, x) =
        pair (half * first x * second x) (torch.full_like (second x, Scalar.op_Implicit (0.3 * 0.3 / 4.0)))

    override _.ItoCorrectionVjp(_, x, w, _) = pair (half * first w * second x) (half * first w * first x)

type HestonModel(theta: float) =
    inherit SdeModel("Heston", states [ "S", [||]; "v", [||] ], SolveDefaults(), null, Nullable float64)
    override _.Noise = NoiseStructure.General
    override _.Calculus = Calculus.Ito
    override _.NoiseSize = 2L
    override _.Bind() : OdeEquations = HestonEquations theta
    override _.InitialState() = [| null; null |] :> IReadOnlyList<_>
