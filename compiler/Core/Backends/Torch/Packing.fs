/// Values of several shapes in one packed vector [..., N]: taken apart at the head of a method, put together at its
/// end.
module internal DiffEqLang.Compiler.Backends.Torch.Packing

open DiffEqLang.Contracts
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp
open DiffEqLang.Compiler.Backends.CSharp.Literals
open DiffEqLang.Compiler.Backends.Torch.Batching
open DiffEqLang.Compiler.Backends.Torch.Context
open DiffEqLang.Compiler.Backends.Torch.Writer

/// Several values in one packed vector [..., N]: states, their cotangents, increments.
type Packing =
    {
        /// What the packed tensor is called where it is not a single vector's own name.
        Name: string
        /// Each with its place.
        Parts: (Symbol * Dim) list
    }

/// A packing of a size, followed by further parts.
let followedBy (parts: Symbol list) (size: Dim) (packing: Packing) : Packing =
    let offsets =
        parts
        |> List.scan (fun offset s -> Dim.add offset (Shape.size s.Shape)) size
        |> List.take parts.Length

    { packing with Parts = packing.Parts @ List.zip parts offsets }

/// More scalars than this are taken apart in one call.
let private mostSelects = 4

/// A packing of one vector is that vector.
let packedVector (packing: Packing) =
    match packing.Parts with
    | [ symbol, _ ] when symbol.Shape.Length = 1 -> Some symbol
    | _ -> None

let private isOfScalars (packing: Packing) = packing.Parts |> List.forall (fun (s, _) -> s.Shape.IsEmpty)

/// One part out of a packed tensor.
let private part (place: Place) (packed: CSharp.Expr) isSole (symbol: Symbol, offset: Dim) =
    let size = Literals.dim place.OpenDim
    let last = integer -1

    match symbol.Shape with
    | [] -> invokeMethod packed "select" [ last; size offset ]
    | shape ->
        let flat =
            if isSole then
                packed
            else
                invokeMethod packed "narrow" [ last; size offset; size (Shape.size shape) ]

        match shape with
        | [ _ ] -> flat
        | shape -> invokeMethod flat "reshape" [ sizes place true shape ]

/// What the parts are called: a state by two delays is `xDelayed` and `xDelayed2`, the same in all methods.
let private wantedNames (packing: Packing) =
    let names = Naming.Unique []
    dict [ for symbol, _ in packing.Parts -> symbol, names.Fresh(Naming.ofInput symbol) ]

/// Where a delayed state was asked for.
let private placeOf (symbol: Symbol) =
    if symbol.Role = Delayed then
        Provenance.ofOrigin (tryOrigin (Build.input symbol))
    else
        None

/// Declares the parts of a packed tensor that are used.
let unpack
    (writer: Writer)
    (packed: CSharp.Expr)
    (isUsed: Symbol -> bool)
    (packing: Packing)
    : Statement list =
    let used = packing.Parts |> List.filter (fst >> isUsed)
    let isFixed (_, offset) = (Dim.tryConstant offset).IsSome

    let wanted = wantedNames packing

    let declare (partAt: Symbol * Dim -> CSharp.Expr) =
        [ for symbol, offset in used do
              let name = writer.Scope.Fresh wanted[symbol]
              writer.Define(symbol, Name name)
              local name (partAt (symbol, offset)) (placeOf symbol) ]

    match packedVector packing with
    | Some symbol ->
        writer.Define(symbol, packed)
        []
    | None when isOfScalars packing && used.Length > mostSelects && List.forall isFixed used ->
        let all = writer.Scope.Fresh(packing.Name + "s")
        let whole = local all (invokeMethod packed "unbind" [ integer -1 ]) None
        let element (_, offset) = Element(Name all, [ Literals.dim writer.Place.OpenDim offset ])
        whole :: declare element
    | None -> declare (part writer.Place packed (packing.Parts.Length = 1))

/// A value to return or to add to a parameter's gradient, and the equation that it is about.
type Result = { Name: string; Value: Expr.Expr; Source: SourceSpan }

/// A result with the batch axes even where it depends on nothing that has them.
let private perSample (writer: Writer) (symbol: Symbol) (e: Expr.Expr) =
    let like = lazy (writer.Lower(Build.input symbol))

    match e with
    | Build.Uniform x -> filledLike like.Value x
    | _ when batching e = PerSample -> writer.Lower e
    | _ -> invokeMethod (writer.Lower e) "expand_as" [ like.Value ]

/// Whether a result is spread over the batch like the state that it belongs to.
let isSpread (e: Expr.Expr) =
    match e with
    | Build.Uniform _ -> true
    | _ -> batching e <> PerSample

let private flat (symbol: Symbol) value =
    match symbol.Shape.Length with
    | 0 -> invokeMethod value "unsqueeze" [ integer -1 ]
    | 1 -> value
    | rank -> invokeMethod value "flatten" [ integer -rank ]

/// A result by its name: the one that it has, or a new one.
let private declareResult (writer: Writer) (symbol: Symbol, result: Result) : CSharp.Expr * Statement list =
    match writer.Place.Named result.Value with
    | Some name when batching result.Value = PerSample -> name, []
    | _ ->
        let value = perSample writer symbol result.Value
        let name = writer.Scope.Fresh result.Name
        Name name, [ local name value (writer.Provenance result.Source) ]

/// Returns the results of all parts as one packed tensor, like another of the packing where there is one.
let pack
    (writer: Writer)
    (like: CSharp.Expr option)
    (packing: Packing)
    (results: Result list)
    : Statement list =
    let parts = packing.Parts |> List.map fst
    let isNothing = results |> List.forall (fun r -> Build.isZero r.Value)

    match parts, results, like with
    | _, _, Some packed when isNothing -> [ statement (Return(filledLike packed 0.0)) ]
    | [ symbol ], [ result ], _ ->
        let value = perSample writer symbol result.Value |> flat symbol
        [ { Kind = Return value; Source = writer.Provenance result.Source } ]
    | _ ->
        let declared = List.zip parts results |> List.map (declareResult writer)
        let values = List.map fst declared

        let packed =
            if isOfScalars packing then
                invoke "stack" [ Collection values; integer -1 ]
            else
                invoke "cat" [ Collection(List.map2 flat parts values); integer -1 ]

        List.collect snd declared @ [ statement (Return packed) ]
