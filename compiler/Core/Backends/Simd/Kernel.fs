/// The kernel class of a model: its right-hand side, its noise and their vector-Jacobian products over registers.
///
///     public override void Drift(Lanes t, ReadOnlySpan<Lanes> state, ...)
///     {
///         var W1 = _W1.Span[..100];
///         ...
///         for (var i = 0; i < 50; i++)
///         {
///             hidden[i] = Tanh(MultiplyAddEstimate(...));    // spiral.deq:10  tanh(W1 @ y^3 + b1)
///             ...
module internal DiffEqLang.Compiler.Backends.Simd.Kernel

open System.Collections.Generic
open DiffEqLang.Contracts
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Dynamics
open DiffEqLang.Compiler.Builtins
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp
open DiffEqLang.Compiler.Backends.Torch
open DiffEqLang.Compiler.Backends.Simd.Registers
open DiffEqLang.Compiler.Backends.Simd.MethodBody
open DiffEqLang.Compiler.Backends.Simd.Elements
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
    }

let private sizeOf (s: Symbol) = sizesOf (Build.input s) |> List.fold (*) 1

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

/// The kernel of a model, or why it has none.
let ofModel (model: Dynamics.Model) : Result<Kernel, string> =
    let typed = model.Typed
    let drift = Written.expand (model.Components |> List.map _.Drift)

    let noise =
        [ for quantity in Stochastic.quantities model ->
              { quantity with Values = Written.expand quantity.Values } ]

    let values = drift @ (noise |> List.collect _.Values)
    let increments = typed.Wiener |> List.map _.Increment
    let inputs = (model.Components |> List.map _.Symbol) @ increments

    match Written.obstacle (values @ List.map Build.input inputs) with
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
              Noise = [ for quantity in noise -> quantity, productOf model quantity.Values parameters ] }

let total (parts: Part list) = parts |> List.sumBy _.Size

// Methods

/// Names with a meaning inside the methods: their parameters and what their bodies call.
let reserved =
    let parameters =
        [ "t"
          "h"
          "state"
          "parameters"
          "slope"
          "terms"
          "increments"
          "noise"
          "correction"
          "w"
          "stateGradient"
          "parameterGradients"
          "rtol"
          "atol"
          "stages"
          "Dense"
          "tangent"
          "slopeTangent"
          "jacobian"
          "after"
          "steps"
          "times"
          "squaredErrors"
          "Lanes"
          "Lane"
          "Slope"
          "LaneMatrices" ]

    let functions = Catalogue.all |> List.map (fun b -> functionName b.Name)
    parameters @ [ "Fma" ] @ functions @ Inlining.reserved

let fieldName (s: Symbol) = "_" + (Names.identifier s.Name).TrimStart '@'

/// A writer that knows time, of a method that others may inline.
let newWriter precision copies =
    let sourceOf (e: Expr.Expr) = Provenance.ofOrigin (tryOrigin e)
    let body = MethodBody(Seq.append reserved Names.usedInBodies, copies)
    let writer = Writer(Arithmetic precision, body, sourceOf)
    writer.Define(Build.input { Name = "t"; Role = Time; Shape = [] }, Variables [| Register(Name "t") |])
    writer

let inputsAmong (nodes: Expr.Expr list) =
    nodes
    |> List.choose (fun e ->
        match e.Op with
        | Input s -> Some s
        | _ -> None)
    |> HashSet

/// A writer that knows the inputs among the nodes.
let writer (kernel: Kernel) precision (nodes: Expr.Expr list) =
    let writer = newWriter precision 1
    let used = inputsAmong nodes

    let take array (parts: Part list) =
        for part in parts do
            if used.Contains part.Symbol then
                Storing.take writer array part.Offset part.Symbol.Name (Build.input part.Symbol)

    take "state" kernel.States
    take "parameters" kernel.Small
    take "increments" kernel.Increments

    for s in kernel.Weights do
        if used.Contains s then
            let name = writer.Body.Fresh s.Name
            let span = Member(Name(fieldName s), "Span")
            writer.Body.Field(name, Element(span, [ Literal(sprintf "..%d" (sizeOf s)) ]))
            writer.Define(Build.input s, Weights name)

    writer

let overriding returns name parameters body documentation : CSharp.Member =
    { Documentation = documentation
      Attributes = []
      Modifiers = [ "public"; "override" ]
      Kind = Method(returns, name, parameters, Block body) }

let readOnly = "ReadOnlySpan<Lanes>"
let writable = "Span<Lanes>"

let equationSource (kernel: Kernel) (span: SourceSpan) = Provenance.ofSpan kernel.Model.Typed.Source span

/// The drift as one of the quantities, with the terms that its product needs again.
let private drift (kernel: Kernel) =
    let names = kernel.Model.Components |> List.map (fun c -> sprintf "d%s/dt" c.Symbol.Name)
    let shown = if names.Length > 6 then List.take 5 names @ [ "..." ] else names
    Stochastic.drift (String.concat ", " shown + ".") kernel.Drift, kernel.Product, Some kernel.Terms

let private parametersOf (quantity: Stochastic.Quantity) more =
    [ parameter "Lanes" "t"
      parameter readOnly "state"
      parameter readOnly "parameters"
      if quantity.HasIncrements then
          parameter readOnly "increments" ]
    @ more

let private written (kernel: Kernel) precision (quantity: Stochastic.Quantity) terms : CSharp.Statement list =
    let writer = writer kernel precision (topological quantity.Values)
    let kept = Dictionary<Expr.Expr, string * int>(HashIdentity.Reference)

    for term, offset in Option.defaultValue [] terms do
        kept[term] <- ("terms", offset)

    Storing.prepare writer kept [] quantity.Values

    for value, c, part in List.zip3 quantity.Values kernel.Model.Components kernel.States do
        Results.give
            writer
            quantity.Result
            part.Offset
            ("d" + part.Symbol.Name)
            (equationSource kernel c.Span)
            value

    writer.Body.Statements

/// The method that computes a quantity, with a body of its own where none is given.
let private forward (kernel: Kernel) precision given (quantity: Stochastic.Quantity, _, terms) =
    let body = given |> Option.defaultWith (fun () -> written kernel precision quantity terms)

    let results =
        parameter writable quantity.Result
        :: [ if Option.isSome terms then
                 parameter writable "terms" ]

    overriding "void" quantity.Name (parametersOf quantity results) body (summary quantity.Summary)

/// The outer products that a gradient is a sum of: none where it is zero.
let private outerProducts value = if Build.isZero value then Some [] else Dense.tryOuterProducts value

/// Whether the gradient of a parameter is summed over the lanes at once: where every method that adds to it can.
let private isSummedOverLanes (kernel: Kernel) (part: Part) =
    let place = List.findIndex ((=) part) kernel.Gradients

    let values =
        [ for product in kernel.Product :: List.map snd kernel.Noise -> product.Parameters[place] ]

    List.exists (not << Build.isZero) values
    && values |> List.forall (fun value -> (outerProducts value).IsSome)

let private gradientName (part: Part) = "grad" + Naming.capitalized part.Symbol.Name

/// The method of its vector-Jacobian product.
let private backward
    (kernel: Kernel)
    precision
    (quantity: Stochastic.Quantity, product: Derivatives.VectorJacobian, kept)
    =
    let terms = Option.defaultValue [] kept
    let isTerm = HashSet<Expr.Expr>(terms |> List.map fst, HashIdentity.Reference)
    let roots = product.States @ product.Parameters
    let beyondTerms = topologicalBy (fun e -> if isTerm.Contains e then [] else e.Args) roots
    let writer = writer kernel precision beyondTerms

    let cotangents =
        List.map2 (fun (part: Part) s -> { part with Symbol = s }) kernel.States product.Cotangents

    let used = inputsAmong beyondTerms

    for part in cotangents do
        if used.Contains part.Symbol then
            Storing.take writer "w" part.Offset part.Symbol.Name (Build.input part.Symbol)

    let reached = HashSet<Expr.Expr>(beyondTerms, HashIdentity.Reference)

    for term, offset in terms do
        if reached.Contains term then
            Storing.take writer "terms" offset (Storing.wantedName term) term

    let gradients =
        [ for value, part in List.zip product.Parameters kernel.Gradients ->
              value, part, (if isSummedOverLanes kernel part then outerProducts value else None) ]

    let others, outer = gradients |> List.partition (fun (_, _, products) -> products.IsNone)

    let operands =
        outer
        |> List.collect (fun (_, _, products) ->
            products.Value |> List.collect (fun p -> [ p.Left; p.Right ]))

    Storing.prepare
        writer
        (Dictionary())
        (List.distinct operands)
        (product.States @ [ for value, _, _ in others -> value ])

    for value, part in List.zip product.States kernel.States do
        Results.give writer "stateGradient" part.Offset (gradientName part) None value

    for value, part, products in gradients do
        match products with
        | _ when Build.isZero value -> ()
        | Some products ->
            Results.addOuterProducts
                writer
                "parameterGradients"
                part.Offset
                (gradientName part)
                value
                products
        | None -> Results.addTo writer "parameterGradients" part.Offset (gradientName part) value

    let more =
        [ if Option.isSome kept then
              parameter readOnly "terms"
          parameter readOnly "w"
          parameter writable "stateGradient"
          parameter writable "parameterGradients" ]

    overriding
        "void"
        (quantity.Name + "Vjp")
        (parametersOf quantity more)
        writer.Body.Statements
        (summary (sprintf "The vector-Jacobian product of %s." quantity.Called))

// The class

let private size name (n: int) : CSharp.Member =
    { Documentation = inherited
      Attributes = []
      Modifiers = [ "public"; "override" ]
      Kind = Property("int", name, Literal(string n)) }

let private summedOverLanes (kernel: Kernel) : CSharp.Member list =
    let ranges =
        [ for part in kernel.Gradients do
              if isSummedOverLanes kernel part then
                  Literal(sprintf "%d..%d" part.Offset (part.Offset + part.Size)) ]

    if ranges.IsEmpty then
        []
    else
        [ { Documentation = inherited
            Attributes = []
            Modifiers = [ "public"; "override" ]
            Kind = Property("IReadOnlyList<Range>", "SummedOverLanes", Collection ranges) } ]

let private weightFields (kernel: Kernel) precision : CSharp.Member list =
    [ for s in kernel.Weights ->
          { Documentation = noDocumentation
            Attributes = []
            Modifiers = [ "private"; "readonly" ]
            Kind = Field(sprintf "Weights<%s>" (elementType precision), fieldName s, None) } ]

let private constructor (kernel: Kernel) className : CSharp.Member list =
    if kernel.Weights.IsEmpty then
        []
    else
        let names = kernel.Weights |> List.map (fun s -> Names.escaped ((fieldName s).Substring 1))

        [ { Documentation = noDocumentation
            Attributes = []
            Modifiers = [ "public" ]
            Kind =
              Constructor(
                  className,
                  names |> List.map (parameter "Tensor"),
                  None,
                  [ for s, name in List.zip kernel.Weights names ->
                        statement (Assign(Name(fieldName s), New("", [ argument (Name name) ]))) ]
              ) } ]

/// The class `className`, for registers of a precision: with a drift of its own where none is given.
let classOf
    (kernel: Kernel)
    precision
    className
    (given: CSharp.Statement list option)
    (more: CSharp.Member list)
    : CSharp.Member =
    let methods =
        [ forward kernel precision given (drift kernel)
          backward kernel precision (drift kernel)
          for quantity, product in kernel.Noise do
              forward kernel precision None (quantity, product, None)
              backward kernel precision (quantity, product, None) ]
        @ more

    { Documentation = summary "The equations over registers: every lane is a sample."
      Attributes = []
      Modifiers = [ "private"; "sealed" ]
      Kind =
        Nested
            { Name = className
              Primary = None
              Base = (if kernel.Noise.IsEmpty then "LaneKernel<Lanes>" else "StochasticKernel<Lanes>")
              Members =
                weightFields kernel precision
                @ constructor kernel className
                @ [ size "StateSize" (total kernel.States)
                    size "ParameterSize" (total kernel.Small)
                    size "GradientSize" (total kernel.Gradients) ]
                @ summedOverLanes kernel
                @ [ if kernel.TermSize > 0 then
                        size "TermSize" kernel.TermSize
                    if not kernel.Noise.IsEmpty then
                        size "NoiseSize" (total kernel.Increments) ]
                @ methods
                @ Inlining.methods methods } }
