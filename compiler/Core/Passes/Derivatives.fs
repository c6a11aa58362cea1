/// The derivatives of a system that solvers and sensitivities ask for, as expressions: vector-Jacobian products,
/// the Jacobian, and what Milstein's scheme and the conversion between Itô and Stratonovich need.
module internal DiffEqLang.Compiler.Passes.Derivatives

open System.Collections.Generic
open DiffEqLang.Contracts
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Shape
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Dynamics

/// wᵀ ∂f/∂x and wᵀ ∂f/∂θ.
type VectorJacobian =
    {
        /// The parts of w, one for each component of f.
        Cotangents: Symbol list
        /// One for each part of x: the components, and where the values ask for them the delayed states.
        States: Expr list
        /// One for each parameter, summed over the batch.
        Parameters: Expr list
    }

/// The parts of a vector beside the state: named as it is itself where there is a single one.
let private partsOf name role (components: Component list) : Symbol list =
    match components with
    | [ c ] when c.Symbol.Shape.Length = 1 -> [ { Name = name; Role = role; Shape = c.Symbol.Shape } ]
    | several ->
        [ for c in several ->
              { Name = name + Naming.capitalized (c.Symbol.Name.Replace("'", "Prime"))
                Role = role
                Shape = c.Symbol.Shape } ]

/// The parts of w.
let cotangents (components: Component list) : Symbol list = partsOf "w" Cotangent components

/// The vector-Jacobian product of values, each with its part of w.
let vjpOf (values: (Expr * Symbol) list) (states: Symbol list) (parameters: Symbol list) : VectorJacobian =
    let targets = List.map Build.input (states @ parameters)

    let products =
        Differentiate.vjp [ for value, w in values -> value, Build.input w ] targets
        |> Simplify.run

    let ofStates, ofParameters = List.splitAt states.Length products

    { Cotangents = List.map snd values
      States = ofStates
      Parameters = List.map Build.batchSum ofParameters }

/// The vector-Jacobian product of values that belong to the components, such as their drifts.
let vjp (components: Component list) (values: Expr list) (parameters: Symbol list) : VectorJacobian =
    vjpOf (List.zip values (cotangents components)) (components |> List.map _.Symbol) parameters

/// The derivatives of values by time along the solution, ∂g/∂t + ∂g/∂x f, at algebraic unknowns that rest: what these add, nobody knows
/// before the constraints' equations are solved.
let alongSolution (components: Component list) (values: Expr list) : Expr list =
    let time = Build.input { Name = "t"; Role = Time; Shape = scalar }

    let seeds =
        (time, Build.number 1.0)
        :: [ for c in components do
                 if not c.IsAlgebraic then
                     Build.input c.Symbol, c.Drift ]

    Differentiate.jvp values seeds |> Simplify.run

/// The drifts' tangents along v: ∂f/∂x v, with the parts of v.
let jvp (components: Component list) : Symbol list * Expr list =
    let v = partsOf "v" Tangent components

    let seeds =
        List.map2 (fun (c: Component) s -> Build.input c.Symbol, Build.input s) components v

    v, Differentiate.jvp (components |> List.map _.Drift) seeds |> Simplify.run

/// A system with its variational equations behind it: how its states change along a direction v in them and u in the parameters,
/// v' = ∂f/∂x v + ∂f/∂θ u. With the symbols of u, one for each parameter.
let variational (model: Model) (components: Component list) (parameters: Symbol list) : Model * Symbol list =
    let states = components |> List.map _.Symbol
    let drifts = components |> List.map _.Drift
    let names = Naming.Unique(inputs drifts @ states @ parameters |> List.map _.Name)

    let tangent (s: Symbol) = { s with Name = names.Fresh(s.Name.Replace("'", "Prime") + "Tangent") }

    let ofStates, ofParameters = List.map tangent states, List.map tangent parameters

    let seeds =
        List.map2
            (fun s tangent -> Build.input s, Build.input tangent)
            (states @ parameters)
            (ofStates @ ofParameters)

    let behind offset = Dim.add model.Size offset

    let variation (c: Component) symbol drift =
        { c with
            Symbol = symbol
            Offset = behind c.Offset
            Drift = drift
            Span = SourceSpan.None }

    let partition =
        match model.Partition with
        | Separable(blocks, velocities) ->
            let doubled = blocks @ List.map (fun (offset, length) -> behind offset, length) blocks
            Separable(doubled, velocities |> Result.map (fun offsets -> offsets @ List.map behind offsets))
        | Inseparable _ as whole -> whole

    let tangents = Differentiate.jvp drifts seeds |> Simplify.run

    { model with
        Components = components @ List.map3 variation components ofStates tangents
        Size = Dim.scale 2L model.Size
        Partition = partition },
    ofParameters

/// The derivatives of values by time, at a state that rests.
let byTime (values: Expr list) : Expr list =
    let time = Build.input { Name = "t"; Role = Time; Shape = [] }
    Differentiate.jvp values [ time, Build.number 1.0 ] |> Simplify.run

// The Jacobian

let private flat (e: Expr) = Build.reshape [ size e.Shape ] e

/// ∂fᵢ/∂xⱼ of all components, as one matrix over the packed state.
let denseJacobian (components: Component list) : Expr =
    let block (row: Component) (column: Component) =
        DerivativeOperators.apply Jacobian row.Drift (Build.input column.Symbol) None
        |> Build.reshape [ size row.Symbol.Shape; size column.Symbol.Shape ]

    let scalars = components |> List.forall _.Symbol.Shape.IsEmpty

    let matrix =
        if scalars then
            components
            |> List.map (fun row ->
                components
                |> List.map (fun column ->
                    DerivativeOperators.apply Gradient row.Drift (Build.input column.Symbol) None)
                |> Build.stack)
            |> Build.stack
        else
            // Concatenation is along the first axis: columns are put together transposed.
            components
            |> List.map (fun column ->
                components |> List.map (fun row -> block row column) |> Build.concat |> Build.transpose)
            |> Build.concat
            |> Build.transpose

    Differentiate.expand [ matrix ] |> Simplify.run |> List.exactlyOne

type Entry = { Row: int; Column: int; Value: Expr }

/// A component's right-hand side number by number; none where it is not written so.
let private numbersOf (c: Component) : Expr list option =
    match c.Symbol.Shape, c.Drift.Op with
    | [], _ -> Some [ c.Drift ]
    | [ _ ], Stack -> Some c.Drift.Args
    | _ -> None

/// One number of a vector: of a gradient, which is put together of positions.
let rec private numberAt i (e: Expr) : Expr =
    match e.Op, e.Args with
    | Add, [ a; b ] when a.Shape = b.Shape -> Build.add (numberAt i a) (numberAt i b)
    | Subtract, [ a; b ] when a.Shape = b.Shape -> Build.sub (numberAt i a) (numberAt i b)
    | Negate, [ a ] -> Build.neg (numberAt i a)
    | Stack, parts -> parts[i]
    | Pad(0, from, _), [ a ] ->
        match Dim.tryConstant from, Dim.tryConstant a.Shape.Head with
        | Some from, Some _ when int64 i < from -> Build.number 0.0
        | Some from, Some n when int64 i >= from + n -> Build.number 0.0
        | Some from, Some _ -> numberAt (i - int from) a
        | _ -> Build.index 0 i e
    | _ -> Build.index 0 i e

/// The entries that are not zero, row by row, of a system whose right-hand side is given number by number; none of another. One
/// reverse sweep a row, over that row's own terms: linear in the size of the system where each equation is local.
let tryEntries (components: Component list) : Entry list option =
    let rows = components |> List.map numbersOf

    if not (List.forall Option.isSome rows) then
        None
    else
        let rows = rows |> List.map Option.get
        let starts = rows |> List.scan (fun start own -> start + own.Length) 0

        let places =
            Dictionary(Seq.map2 (fun (c: Component) start -> KeyValuePair(c.Symbol, start)) components starts)

        let partials (start: int) (gradient: Expr) =
            match gradient.Shape with
            | [] -> [ start, gradient ]
            | shape ->
                let n = shape.Head |> Dim.tryConstant |> Option.get |> int
                [ for i in 0 .. n - 1 -> start + i, numberAt i gradient ]

        let entries =
            [ for row, value in List.indexed (List.concat rows) do
                  let reached =
                      inputs [ value ] |> List.filter places.ContainsKey |> List.sortBy (fun s -> places[s])

                  let gradients = Differentiate.vjp [ value, Build.number 1.0 ] (List.map Build.input reached)

                  for symbol, gradient in List.zip reached gradients do
                      for column, value in partials places[symbol] gradient do
                          { Row = row; Column = column; Value = value } ]

        let simplified = entries |> List.map _.Value |> Simplify.run

        List.map2 (fun (entry: Entry) value -> { entry with Value = value }) entries simplified
        |> List.filter (fun entry -> not (Build.isZero entry.Value))
        |> Some

/// The same of a system of scalars.
let sparseJacobian (components: Component list) : Entry list = (tryEntries components).Value

// Noise

type NoiseDerivatives =
    {
        /// ½ Σᵢⱼ Lⁱgʲ dWᵢ dWⱼ, where L^i g^j = L^j g^i. Kloeden and Platen (1992), 10.3.
        Milstein: Expr list option
        /// ½ Σⱼ Lʲgʲ (½ Σᵢⱼ Cᵢⱼ Lⁱgʲ for increments of covariance C dt): Itô drift minus Stratonovich drift.
        ItoCorrection: Expr list
    }

/// The diffusion as `NoiseStructure` takes it.
let diffusionOf (noise: Noise) (components: Component list) : NoiseStructure.Diffusion =
    { Components = components |> List.map (fun c -> c.Symbol, c.Diffusion)
      Increments =
        [ for w in noise.Wiener ->
              let n = size w.Increment.Shape
              w.Increment, w.Correlation |> Option.map (Build.reshape [ n; n ]) ] }

/// The drift of the same process in the sense of a calculus.
let driftIn (calculus: Typed.Calculus) (noise: Noise) (components: Component list) : Expr list =
    let drifts = components |> List.map _.Drift
    let correction () = NoiseStructure.itoCorrection (diffusionOf noise components)

    match noise.Calculus, calculus with
    | Typed.Ito, Typed.Ito
    | Typed.Stratonovich, Typed.Stratonovich -> drifts
    | Typed.Ito, Typed.Stratonovich -> List.map2 Build.sub drifts (correction ()) |> Simplify.run
    | Typed.Stratonovich, Typed.Ito -> List.map2 Build.add drifts (correction ()) |> Simplify.run

let ofNoise (noise: Noise) (components: Component list) : NoiseDerivatives =
    let diffusion = diffusionOf noise components

    let isCommutative =
        match noise.Structure with
        | Additive
        | Diagonal
        | Scalar
        | Commutative -> true
        | General -> false

    { Milstein = if isCommutative then Some(NoiseStructure.milstein diffusion) else None
      ItoCorrection = NoiseStructure.itoCorrection diffusion }
