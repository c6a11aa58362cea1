/// Right-hand sides in two parts, with derivatives written by hand.
module DiffEqLang.Tests.Support.SplitEquations

open DiffEqLang.Runtime
open DiffEqLang.Tests.Support
open DiffEqLang.Tests.Support.Odes
open TorchSharp

/// A part: its value, and its vector-Jacobian product.
type Part =
    { Drift: Tensor -> Tensor -> Tensor
      Vjp: Tensor -> Tensor -> Tensor -> ParameterGradients -> Tensor }

/// Without parameters.
let part drift vjp : Part = { Drift = drift; Vjp = fun t x w _ -> vjp t x w }

/// Equations of two parts, of which the implicit one may be linear; their sum is what methods that do not split see.
let private ofStructure (structure: LinearStructure option) parameters (ofExplicit: Part) (ofImplicit: Part) =
    let all: Tensor[] = Array.ofList parameters

    { new OdeEquations() with
        member _.Parameters = all
        member _.IsSplit = true
        member _.ImplicitStructure = Option.toNullable structure
        member _.Drift(t, x) = (ofExplicit.Drift t x).Plus(ofImplicit.Drift t x)
        member _.DriftVjp(t, x, w, into) = (ofExplicit.Vjp t x w into).Plus(ofImplicit.Vjp t x w into)
        member _.ExplicitDrift(t, x) = ofExplicit.Drift t x
        member _.ExplicitDriftVjp(t, x, w, into) = ofExplicit.Vjp t x w into
        member _.ImplicitDrift(t, x) = ofImplicit.Drift t x
        member _.ImplicitDriftVjp(t, x, w, into) = ofImplicit.Vjp t x w into }

/// Equations of two parts of any form.
let splitOde (parameters: Tensor list) ofExplicit ofImplicit : OdeEquations =
    ofStructure None parameters ofExplicit ofImplicit

/// With an implicit part that is linear with constant coefficients.
let semilinearOde structure (parameters: Tensor list) (ofExplicit: Part, ofImplicit: Part) : OdeEquations =
    ofStructure (Some structure) parameters ofExplicit ofImplicit

/// With the parts in each other's place.
let swapped (parts: Part * Part) = snd parts, fst parts

/// y' = y (1 - y), each sample on its own: y and -y^2.
let logisticParts =
    part (fun _ y -> y) (fun _ _ w -> w),
    part (fun _ y -> (y.Squared()).neg()) (fun _ y w -> w.mul (scale -2.0 y))

/// x' = t x + y, y' = t y: t x alone, and the rest.
let timeDependentParts =
    part (fun t s -> pack [ t.mul (Odes.part s 0); torch.zeros_like (Odes.part s 1) ]) (fun t _ w ->
        pack [ t.mul (Odes.part w 0); torch.zeros_like (Odes.part w 1) ]),
    part (fun t s -> pack [ Odes.part s 1; t.mul (Odes.part s 1) ]) (fun t _ w ->
        pack [ torch.zeros_like (Odes.part w 0); (Odes.part w 0).Plus(t.mul (Odes.part w 1)) ])

/// Eigenvalues -0.2 +- 2i: the rotation, and the decay.
let complexParts =
    part (fun _ s -> pack [ scale -2.0 (Odes.part s 1); scale 2.0 (Odes.part s 0) ]) (fun _ _ w ->
        pack [ scale 2.0 (Odes.part w 1); scale -2.0 (Odes.part w 0) ]),
    part (fun _ s -> scale -0.2 s) (fun _ _ w -> scale -0.2 w)

/// -0.1 x, and tanh(W x + b t).
let networkParts (w: Tensor) (b: Tensor) =
    let inner (t: Tensor) (x: Tensor) = ((x.matmul (w.t ())).Plus(b.mul (t.unsqueeze -1L))).tanh()

    part (fun _ x -> scale -0.1 x) (fun _ _ cotangent -> scale -0.1 cotangent),
    { Drift = inner
      Vjp =
        fun t x cotangent into ->
            let outer = cotangent.mul (plus 1.0 (((inner t x).Squared()).neg()))
            into.AddOuter(0, outer, x)
            into.Add(1, outer.mul (t.unsqueeze -1L))
            outer.matmul w }

/// x' = t x + y, y' = t y: t x and t y, and y, which is linear.
let shearParts =
    part (fun t s -> pack [ t.mul (Odes.part s 0); t.mul (Odes.part s 1) ]) (fun t _ w ->
        pack [ t.mul (Odes.part w 0); t.mul (Odes.part w 1) ]),
    part (fun _ s -> pack [ Odes.part s 1; torch.zeros_like (Odes.part s 1) ]) (fun _ _ w ->
        pack [ torch.zeros_like (Odes.part w 0); Odes.part w 0 ])

/// tanh(x + b t), with b trained.
let private drivenPart (b: Tensor) : Part =
    let value (t: Tensor) (x: Tensor) = (x.Plus(b.mul (t.unsqueeze -1L))).tanh()

    { Drift = value
      Vjp =
        fun t x cotangent into ->
            let outer = cotangent.mul (plus 1.0 (((value t x).Squared()).neg()))
            into.Add(1, outer.mul (t.unsqueeze -1L))
            outer }

/// tanh(x + b t), and W x.
let matrixParts (w: Tensor) (b: Tensor) =
    drivenPart b,
    { Drift = fun _ x -> x.matmul (w.t ())
      Vjp =
        fun _ x cotangent into ->
            into.AddOuter(0, cotangent, x)
            cotangent.matmul w }

/// tanh(x + b t), and -3 b x entry by entry.
let diagonalParts (_: Tensor) (b: Tensor) =
    drivenPart b,
    { Drift = fun _ x -> scale -3.0 (x.mul b)
      Vjp =
        fun _ x cotangent into ->
            into.Add(1, scale -3.0 (cotangent.mul x))
            scale -3.0 (cotangent.mul b) }
