/// The kernel class of a model: its right-hand side and vector-Jacobian product over registers.
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

/// What functions of matrices give to the drift and its product, also where the product needs it once.
let private factorized (drift: Expr.Expr list) (product: Expr.Expr list) =
    let ofProduct = HashSet<Expr.Expr>(topological product, HashIdentity.Reference)
    topological drift |> List.filter (fun e -> Written.isOfMatrices e && ofProduct.Contains e)

/// The kernel of a model, or why it has none.
let ofModel (model: Dynamics.Model) : Result<Kernel, string> =
    let typed = model.Typed
    let drift = Written.expand (model.Components |> List.map _.Drift)

    match
        model.Noise, Written.obstacle (drift @ (model.Components |> List.map (fun c -> Build.input c.Symbol)))
    with
    | Some _, _ -> Error "it is a stochastic equation"
    | None, Some reason -> Error reason
    | None, None ->
        let parameters = reached (typed.Parameters |> List.map _.Symbol) drift
        let constants = reached (typed.Constants |> List.map _.Symbol) drift

        let small, weights =
            parameters @ constants |> List.partition (fun s -> sizeOf s <= largestInRegisters)

        let product = Derivatives.vjp model.Components drift parameters
        let expanded = Written.expand (product.States @ product.Parameters)
        let ofStates, ofParameters = List.splitAt product.States.Length expanded
        let product = { product with States = ofStates; Parameters = ofParameters }

        let terms, termSize =
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
              TermSize = termSize }

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
          "w"
          "stateGradient"
          "parameterGradients"
          "rtol"
          "atol"
          "stages"
          "tangent"
          "slopeTangent"
          "jacobian"
          "after"
          "steps"
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

let private driftParameters =
    [ parameter "Lanes" "t"
      parameter readOnly "state"
      parameter readOnly "parameters"
      parameter writable "slope"
      parameter writable "terms" ]

let equationSource (kernel: Kernel) (span: SourceSpan) = Provenance.ofSpan kernel.Model.Typed.Source span

let private writtenDrift (kernel: Kernel) precision : CSharp.Statement list =
    let writer = writer kernel precision (topological kernel.Drift)
    let kept = Dictionary<Expr.Expr, string * int>(HashIdentity.Reference)

    for term, offset in kernel.Terms do
        kept[term] <- ("terms", offset)

    Storing.prepare writer kept kernel.Drift

    for value, c, part in List.zip3 kernel.Drift kernel.Model.Components kernel.States do
        Results.give writer "slope" part.Offset ("d" + part.Symbol.Name) (equationSource kernel c.Span) value

    writer.Body.Statements

let private drift (kernel: Kernel) precision (given: CSharp.Statement list option) : CSharp.Member =
    let body = given |> Option.defaultWith (fun () -> writtenDrift kernel precision)
    let names = kernel.Model.Components |> List.map (fun c -> sprintf "d%s/dt" c.Symbol.Name)
    let shown = if names.Length > 6 then List.take 5 names @ [ "..." ] else names
    overriding "void" "Drift" driftParameters body (summary (String.concat ", " shown + "."))

let private gradientName (part: Part) = "grad" + Naming.capitalized part.Symbol.Name

let private driftVjp (kernel: Kernel) precision : CSharp.Member =
    let product = kernel.Product
    let terms = kernel.Terms |> List.map fst
    let isTerm = HashSet<Expr.Expr>(terms, HashIdentity.Reference)
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

    for term, offset in kernel.Terms do
        if reached.Contains term then
            Storing.take writer "terms" offset (Storing.wantedName term) term

    Storing.prepare writer (Dictionary()) roots

    for value, part in List.zip product.States kernel.States do
        Results.give writer "stateGradient" part.Offset (gradientName part) None value

    for value, part in List.zip product.Parameters kernel.Gradients do
        if not (Build.isZero value) then
            Results.addTo writer "parameterGradients" part.Offset (gradientName part) value

    let parameters =
        [ parameter "Lanes" "t"
          parameter readOnly "state"
          parameter readOnly "parameters"
          parameter readOnly "terms"
          parameter readOnly "w"
          parameter writable "stateGradient"
          parameter writable "parameterGradients" ]

    overriding
        "void"
        "DriftVjp"
        parameters
        writer.Body.Statements
        (summary "The vector-Jacobian product of the drift.")

// The class

let private size name (n: int) : CSharp.Member =
    { Documentation = inherited
      Attributes = []
      Modifiers = [ "public"; "override" ]
      Kind = Property("int", name, Literal(string n)) }

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
    let methods = drift kernel precision given :: driftVjp kernel precision :: more

    { Documentation = summary "The equations over registers: every lane is a sample."
      Attributes = []
      Modifiers = [ "private"; "sealed" ]
      Kind =
        Nested
            { Name = className
              Primary = None
              Base = "LaneKernel<Lanes>"
              Members =
                weightFields kernel precision
                @ constructor kernel className
                @ [ size "StateSize" (total kernel.States)
                    size "ParameterSize" (total kernel.Small)
                    size "GradientSize" (total kernel.Gradients) ]
                @ (if kernel.TermSize > 0 then [ size "TermSize" kernel.TermSize ] else [])
                @ methods
                @ Inlining.methods methods } }
