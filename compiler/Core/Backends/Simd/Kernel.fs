/// What a kernel computes over registers: a model's right-hand side, its noise and their vector-Jacobian products as
/// expressions, and where their operands lie.
module internal DiffEqLang.Compiler.Backends.Simd.Kernel

open System.Collections.Generic
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Dynamics
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Backends.Torch
open DiffEqLang.Compiler.Backends.Simd.Registers
open DiffEqLang.Compiler.Backends.Simd.Unrolling

/// Parameters and constants up to this size travel in registers, so that an ensemble may vary them from lane to lane;
/// larger ones are weights, read where torch has them.
let largestInRegisters = 16

/// A part of a packed vector.
type Part = { Symbol: Symbol; Offset: int; Size: int }

type Kernel =
    {
        Model: Dynamics.Model
        /// The states, packed.
        States: Part list
        Drift: Expr.Expr list
        /// In registers, packed.
        Small: Part list
        Weights: Symbol list
        /// What gradients flow to, packed.
        Gradients: Part list
        Product: Derivatives.VectorJacobian
        /// Terms of the drift that its product needs again, packed.
        Terms: (Expr.Expr * int) list
        TermSize: int
        /// The increments of the Wiener processes, packed.
        Increments: Part list
        /// What it computes of the noise, and the products.
        Noise: (Stochastic.Quantity * Derivatives.VectorJacobian) list
        /// The model's, in their order.
        Events: Event list
        /// The derivatives of what events watch along a slope, and the parts of that.
        EventRates: Expr.Expr list
        Tangents: Symbol list
    }

/// Whether the equations are q'' = a(t, q), for which methods that move positions and velocities apart run on registers.
let isSecondOrder (model: Dynamics.Model) =
    match model.Partition with
    | Separable(_, Ok _) -> true
    | Separable(_, Error _)
    | Inseparable _ -> false

let sizeOf (s: Symbol) = sizesOf (Build.input s) |> List.fold (*) 1

let private packed (symbols: Symbol list) =
    symbols
    |> List.mapFold
        (fun offset s -> let size = sizeOf s in { Symbol = s; Offset = offset; Size = size }, offset + size)
        0

/// Declared symbols of a role that the values reach, in the order of their declarations.
let private reached (declared: Symbol list) (values: Expr.Expr list) =
    let used = HashSet(Expr.inputs values)
    declared |> List.filter used.Contains

/// Worth keeping for the product: a function's value, or sums over a long axis. Anything else is computed again faster than
/// it is read back.
let private isKept (e: Expr.Expr) =
    let isLong (operand: Expr.Expr) = sizesOf operand |> List.exists (fun n -> n > longestUnrolled)

    match e.Op with
    | Op.Call(name, _) -> not (isCheap name)
    | Contract _
    | Reduce _ -> List.exists isLong e.Args
    | _ -> false

/// The vector-Jacobian product of values, with functions of whole tensors written out.
let private productOf (model: Dynamics.Model) values parameters : Derivatives.VectorJacobian =
    let product = Derivatives.vjp model.Components values parameters

    let ofStates, ofParameters =
        Written.expand (product.States @ product.Parameters) |> List.splitAt product.States.Length

    { product with States = ofStates; Parameters = ofParameters }

/// What functions of matrices give to the drift and its product, also where the product needs it once.
let private factorized (drift: Expr.Expr list) (product: Expr.Expr list) =
    let ofProduct = HashSet<Expr.Expr>(topological product, HashIdentity.Reference)
    topological drift |> List.filter (fun e -> Written.isOfMatrices e && ofProduct.Contains e)

/// What of a model's equations registers do not compute.
let private obstacle (model: Dynamics.Model) values inputs =
    if not model.Constraints.IsEmpty then
        Some "it has algebraic constraints, whose equations torch solves"
    elif not model.Delays.IsEmpty then
        Some "it has delays, and registers keep no past"
    else
        Written.obstacle (values @ List.map Build.input inputs)

/// The kernel of a model, or why it has none.
let ofModel (model: Dynamics.Model) : Result<Kernel, string> =
    let typed = model.Typed
    let drift = Written.expand (model.Components |> List.map _.Drift)

    let noise =
        [ for quantity in Stochastic.quantities model ->
              { quantity with Values = Written.expand quantity.Values } ]

    let events =
        [ for event in model.Events ->
              { event with
                  Watched = event.Watched |> Option.map (fun value -> (Written.expand [ value ]).Head)
                  After = Written.expand event.After } ]

    let tangents, rates =
        model.Events |> List.choose _.Watched |> Derivatives.alongSlope model.Components

    let rates = Written.expand rates

    let ofEvents = (events |> List.collect (fun e -> Option.toList e.Watched @ e.After)) @ rates

    let values = drift @ (noise |> List.collect _.Values) @ ofEvents
    let increments = typed.Wiener |> List.map _.Increment
    let inputs = (model.Components |> List.map _.Symbol) @ increments

    match obstacle model values inputs with
    | Some reason -> Error reason
    | None ->
        let parameters = reached (typed.Parameters |> List.map _.Symbol) values
        let constants = reached (typed.Constants |> List.map _.Symbol) values

        let small, weights =
            parameters @ constants |> List.partition (fun s -> sizeOf s <= largestInRegisters)

        let product = productOf model drift parameters

        let terms, termSize =
            let expanded = product.States @ product.Parameters

            factorized drift expanded @ (SharedTerms.between drift expanded |> List.filter isKept)
            |> List.distinct
            |> List.mapFold (fun offset e -> (e, offset), offset + (sizesOf e |> List.fold (*) 1)) 0

        Ok
            { Model = model
              States = packed (model.Components |> List.map _.Symbol) |> fst
              Drift = drift
              Small = packed small |> fst
              Weights = weights
              Gradients = packed parameters |> fst
              Product = product
              Terms = terms
              TermSize = termSize
              Increments = packed increments |> fst
              Noise = [ for quantity in noise -> quantity, productOf model quantity.Values parameters ]
              Events = events
              EventRates = rates
              Tangents = tangents }

let total (parts: Part list) = parts |> List.sumBy _.Size

/// Of each number of the state the one that is its derivative, -1 of the velocities; all -1 where the equations are not q'' = a(t, q).
let velocityOf (kernel: Kernel) : int[] =
    let velocities = Array.create (total kernel.States) -1

    match kernel.Model.Partition with
    | Separable(positions, Ok offsets) ->
        let size dim = int (Dim.tryConstant dim).Value

        for (position, length), offset in List.zip positions offsets do
            for i in 0 .. size length - 1 do
                velocities[size position + i] <- size offset + i
    | Separable(_, Error _)
    | Inseparable _ -> ()

    velocities
