/// What kind of noise a diffusion is, which decides the methods that may be used, and its corrections.
///
/// Of dX = f dt + g(t, X) dW, with Lʲ = Σ g_kj ∂/∂x_k (Kloeden and Platen 1992, "Numerical Solution of Stochastic Differential
/// Equations", 10.3): the noise is commutative where Lⁱgʲ = Lʲgⁱ for all i and j. With two directions u and v of the noise, Σ u_j v_i Lⁱgʲ
/// is the derivative of g u along g v, one Jacobian-vector product, and the condition is that it is symmetric in u and v.
module internal DiffEqLang.Compiler.Passes.NoiseStructure

open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Shape
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Build
open DiffEqLang.Compiler.Ir.Linearity
open DiffEqLang.Compiler.Ir.Dynamics

/// The diffusions by state, linear in the increments, and each increment with the covariance of its elements where that
/// is not the identity; both in packed order.
type Diffusion = { Components: (Symbol * Expr) list; Increments: (Symbol * Expr option) list }

let private packedSize (symbols: Symbol list) =
    symbols |> List.map (fun s -> size s.Shape) |> List.fold Dim.add Dim.zero

let private values diffusion = diffusion.Components |> List.map snd
let private isIncrement diffusion (s: Symbol) = diffusion.Increments |> List.exists (fun (i, _) -> i = s)

/// g w for other increments w.
let private along diffusion (w: Symbol -> Expr) : Expr list =
    substituteInputs (fun s -> if isIncrement diffusion s then Some(w s) else None) (values diffusion)

/// The derivative of each of `results` by the states along `directions`, one a state.
let private derivativeAlong diffusion results directions =
    ForwardMode.jvp results (List.map2 (fun (state, _) d -> input state, d) diffusion.Components directions)

/// Whether element p of e depends on the state and the increments by their elements p alone. The path p leads through stacks.
let rec private isOwn (state: Symbol) (increment: Symbol) (path: int list) (e: Expr) : bool =
    let varies = Dependence.State ||| Dependence.Noise

    if e.DependsOn &&& varies = Dependence.Nothing then
        true
    else
        match e.Op, e.Args with
        | Input s, _ -> path.IsEmpty && (s = state || s = increment)
        | Index(0, position), [ a ] ->
            // The outermost index is the last one of the path.
            not path.IsEmpty
            && List.last path = position
            && isOwn state increment (List.take (path.Length - 1) path) a
        | Stack, parts ->
            parts
            |> List.indexed
            |> List.forall (fun (k, part) -> isOwn state increment (path @ [ k ]) part)
        | Select, args -> args |> List.forall (fun a -> a.Shape = e.Shape && isOwn state increment path a)
        | _ when Rules.Rule.isElementwise e ->
            e.Args
            |> List.forall (fun a ->
                (a.Shape = e.Shape || a.DependsOn &&& varies = Dependence.Nothing)
                && isOwn state increment path a)
        | (Number _ | Add | Subtract | Multiply | Divide | Power | Negate | Call _ | Compare _ | And | Or | Not | Select | Contract _),
          _
        | (Permute _ | Reduce _ | Broadcast _ | Index _ | Slice _ | Pad _ | Concat | Reshape _ | Op.Diagonal | DiagonalMatrix),
          _
        | (Identity _ | Derivative _ | BatchSum), _ -> false

/// Element i of the packed state is driven by element i of the packed increments and depends on itself alone.
let private isDiagonal diffusion =
    diffusion.Components.Length = diffusion.Increments.Length
    && diffusion.Increments |> List.forall (fun (_, covariance) -> covariance.IsNone)
    && List.forall2
        (fun (state: Symbol, g) (increment: Symbol, _) ->
            state.Shape = increment.Shape && isOwn state increment [] g)
        diffusion.Components
        diffusion.Increments

let private direction suffix (s: Symbol) = input { s with Name = s.Name + suffix; Role = Tangent }

/// The components for which the derivative of g u along g v is not provably symmetric.
let private asymmetric diffusion =
    let gu, gv = along diffusion (direction "'u"), along diffusion (direction "'v")
    let uv, vu = derivativeAlong diffusion gu gv, derivativeAlong diffusion gv gu
    let differences = List.map2 sub uv vu |> Simplify.run

    List.zip diffusion.Components differences
    |> List.filter (fun (_, difference) -> not (isZero difference || TensorPolynomial.isZero difference))
    |> List.map (fun ((state, _), _) -> state.Name)

let private dependsOnState (e: Expr) = e.DependsOn &&& Dependence.State <> Dependence.Nothing

/// The most special structure that can be proved, and why it is no more special than that.
let analyse (diffusion: Diffusion) : NoiseStructure * string =
    let diffusion =
        { diffusion with
            Components = List.zip (List.map fst diffusion.Components) (Simplify.run (values diffusion)) }

    let stateDependent =
        diffusion.Components
        |> List.tryFind (fun (_, g) -> dependsOnState g)
        |> Option.map (fun (s, _) -> s.Name)

    match stateDependent with
    | None -> Additive, "The diffusion does not depend on the state."
    | Some _ when isDiagonal diffusion ->
        NoiseStructure.Diagonal,
        "Every element of the state has a Wiener process of its own, and its diffusion depends on itself alone."
    | Some name ->
        let dependence = sprintf "The diffusion of %s depends on the state" name
        let isScalarNoise = packedSize (List.map fst diffusion.Increments) = Dim.one

        if isScalarNoise then
            Scalar, dependence + "; one scalar Wiener process drives it."
        else
            match asymmetric diffusion with
            | [] ->
                Commutative,
                dependence + " beyond its own element, and Lⁱgʲ = Lʲgⁱ holds for all of its noises."
            | names ->
                General,
                sprintf
                    "%s, and Lⁱgʲ = Lʲgⁱ could not be proved for %s."
                    dependence
                    (String.concat ", " names)

/// ½ Σᵢⱼ Lⁱgʲ dWᵢ dWⱼ, by component: half the derivative of g dW along itself. The noise must be commutative.
let milstein (diffusion: Diffusion) : Expr list =
    let g = values diffusion
    derivativeAlong diffusion g g |> List.map (scale 0.5) |> Simplify.run

/// Σⱼ Lʲgʲ (or Σ C_ij Lⁱgʲ) over the elements of a Wiener process of several, by the columns of g.
let private correctionByColumns diffusion (own: Expr list) (increment: Symbol) (covariance: Expr option) =
    let n = size increment.Shape

    // The columns of g along one last axis.
    let columns (g: Expr) =
        let matrix =
            ForwardMode.jvp
                [ g ]
                [ input increment, reshape (increment.Shape @ increment.Shape) (identity n) ]

        reshape (g.Shape @ [ n ]) matrix.Head

    let g = own |> List.map columns |> Simplify.run

    // Shape of the state, then j, then i.
    derivativeAlong diffusion g g
    |> List.map (fun d ->
        let rank = d.Shape.Length

        match covariance with
        | Some c -> contract [ rank - 2; rank - 1 ] [ 0; 1 ] d (reshape [ n; n ] c)
        | None -> sum [ rank - 2 ] (diagonal d))

/// Σⱼ Lʲgʲ (or Σ C_ij Lⁱgʲ) over the elements of one Wiener process, by component.
let private correctionBy diffusion (increment: Symbol) (covariance: Expr option) =
    let own = values diffusion |> List.map (part (isIncrement diffusion) ((=) increment))

    if size increment.Shape = Dim.one && covariance.IsNone then
        let g =
            own
            |> substituteInputs (fun s -> if s = increment then Some(ones s.Shape) else None)
            |> Simplify.run

        derivativeAlong diffusion g g
    else
        correctionByColumns diffusion own increment covariance

/// ½ Σⱼ Lʲgʲ, by component: the Stratonovich drift is the Itô drift minus this.
let itoCorrection (diffusion: Diffusion) : Expr list =
    let isOneNoise = packedSize (List.map fst diffusion.Increments) = Dim.one

    let total =
        if
            isDiagonal diffusion
            || (isOneNoise && List.forall (fun (_, c) -> Option.isNone c) diffusion.Increments)
        then
            // No element sees two noises: all increments at once stand for each by itself.
            let g = along diffusion (fun s -> ones s.Shape)
            derivativeAlong diffusion g g
        else
            diffusion.Increments
            |> List.map (fun (increment, covariance) -> correctionBy diffusion increment covariance)
            |> List.reduce (List.map2 add)

    total |> List.map (scale 0.5) |> Simplify.run
