/// The methods of a kernel: the quantities that it computes, and their vector-Jacobian products.
///
///     public override void Drift(Lanes t, ReadOnlySpan<Lanes> state, ...)
///     {
///         var W1 = _W1.Span[..100];
///         ...
///         for (var i = 0; i < 50; i++)
///         {
///             hidden[i] = Tanh(Fma(...));    // spiral.deq:10  tanh(W1 @ y^3 + b1)
///             ...
module internal DiffEqLang.Compiler.Backends.Simd.KernelMethods

open System.Collections.Generic
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Dynamics
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp
open DiffEqLang.Compiler.Backends.Simd.Kernel
open DiffEqLang.Compiler.Backends.Simd.KernelWriter

/// The drift as one of the quantities, with the terms that its product needs again.
let drift (kernel: Kernel) =
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
let forward (kernel: Kernel) precision given (quantity: Stochastic.Quantity, _, terms) =
    let body = given |> Option.defaultWith (fun () -> written kernel precision quantity terms)

    let results =
        parameter writable quantity.Result
        :: [ if Option.isSome terms then
                 parameter writable "terms" ]

    overriding "void" quantity.Name (parametersOf quantity results) body (summary quantity.Summary)

/// The outer products that a gradient is a sum of: none where it is zero.
let private outerProducts value = if Build.isZero value then Some [] else Dense.tryOuterProducts value

/// Whether the gradient of a parameter is summed over the lanes at once: where every method that adds to it can.
let isSummedOverLanes (kernel: Kernel) (part: Part) =
    let place = List.findIndex ((=) part) kernel.Gradients

    let values =
        [ for product in kernel.Product :: List.map snd kernel.Noise -> product.Parameters[place] ]

    List.exists (not << Build.isZero) values
    && values |> List.forall (fun value -> (outerProducts value).IsSome)

let private gradientName (part: Part) = "grad" + Naming.capitalized part.Symbol.Name

/// The method of its vector-Jacobian product.
let backward
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
