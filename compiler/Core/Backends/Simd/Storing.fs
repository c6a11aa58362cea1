/// What a kernel's method takes from the arrays handed to it, and what it stores on its way: terms that are used more than
/// once, that the user named, or that loops need in memory.
module internal DiffEqLang.Compiler.Backends.Simd.Storing

open System.Collections.Generic
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.Simd.Index
open DiffEqLang.Compiler.Backends.Simd.Registers
open DiffEqLang.Compiler.Backends.Simd.Statements
open DiffEqLang.Compiler.Backends.Simd.Elements
open DiffEqLang.Compiler.Backends.Simd.Unrolling

let private inputName (e: Expr.Expr) =
    match e.Op with
    | Input s -> Some(s.Name.Replace("'", "").Replace(".", "_"))
    | _ -> None

/// The name that a node asks for.
let wantedName (e: Expr.Expr) = Naming.wanted inputName e

/// Where a node's elements are in an array that is handed to the method: in variables, or in a named part of it.
let take (writer: Writer) (array: string) (offset: int) (name: string) (e: Expr.Expr) =
    let body = writer.Body

    if hasLoops e then
        let own = body.Fresh name
        body.Slice(own, array, offset, sizeOf e)
        writer.Define(e, Registers own)
    else
        let variables =
            [| for n in 0 .. sizeOf e - 1 do
                   let variable = if e.Shape.IsEmpty then body.Fresh name else body.ElementName(name, n)
                   body.Field(variable, Element(Name array, [ Index.expression (known (offset + n)) ]))
                   Register(Name variable) |]

        writer.Define(e, Variables variables)

/// Visits every element of a node, pieces one after another where it is made of pieces.
let private write (writer: Writer) (e: Expr.Expr) (store: Index list -> CSharp.Expr -> unit) =
    let elementOf (a: Expr.Expr) place =
        writer.Body.Visit(
            sizesOf a,
            fun indices -> store (place indices) (writer.Arithmetic.Spread(writer.Element(a, indices)))
        )

    let zeros sizes place =
        writer.Body.Visit(
            sizes,
            fun indices -> store (place indices) (writer.Arithmetic.Spread(Value.Number 0.0))
        )

    match e.Op with
    | Stack when isPiecewise e ->
        e.Args |> List.iteri (fun i a -> elementOf a (fun indices -> known i :: indices))
    | Concat when isPiecewise e ->
        e.Args
        |> List.fold
            (fun offset a ->
                if a.Shape.IsEmpty then
                    elementOf a (fun _ -> [ known offset ])
                    offset + 1
                else
                    elementOf a (fun indices -> Index.shift offset indices.Head :: indices.Tail)
                    offset + (sizesOf a).Head)
            0
        |> ignore
    | Pad(axis, from, _) when isPiecewise e ->
        let from, a = constant from, e.Args.Head
        let length, whole = (sizesOf a)[axis], (sizesOf e)[axis]
        let moved n (indices: Index list) = List.updateAt axis (Index.shift n indices[axis]) indices
        zeros (List.updateAt axis from (sizesOf e)) id
        elementOf a (moved from)
        zeros (List.updateAt axis (whole - from - length) (sizesOf e)) (moved (from + length))
    | Reshape _ when isPiecewise e ->
        let a = e.Args.Head

        for place in 0 .. sizeOf e - 1 do
            let value = writer.Element(a, unflat (sizesOf a) place)
            store (unflat (sizesOf e) place) (writer.Arithmetic.Spread value)
    | DiagonalMatrix
    | Identity _ when isPiecewise e ->
        zeros (sizesOf e) id
        let rows = List.removeAt (e.Shape.Length - 1) (sizesOf e)

        writer.Body.Visit(
            rows,
            fun indices ->
                let value =
                    match e.Args with
                    | [ a ] -> writer.Element(a, indices)
                    | _ -> Value.Number 1.0

                store (indices @ [ List.last indices ]) (writer.Arithmetic.Spread value)
        )
    | _ ->
        writer.Body.Visit(
            sizesOf e,
            fun indices -> store indices (writer.Arithmetic.Spread(writer.Compute(e, indices)))
        )

/// An array for the elements of a node: a part of what outlives the method, or the method's own.
let private arrayFor (writer: Writer) (kept: (string * int) option) (e: Expr.Expr) =
    let name = writer.Body.Fresh(wantedName e)

    match kept with
    | Some(array, offset) -> writer.Body.Slice(name, array, offset, sizeOf e)
    | None -> writer.Body.Emit(Scratch(name, sizeOf e))

    writer.Define(e, Registers name)
    name

/// Computes all elements of a node once. `kept` is an array, and a place in it, that outlives the method.
let private store (writer: Writer) (kept: (string * int) option) (e: Expr.Expr) =
    let sizes = sizesOf e
    let source = writer.SourceOf e

    if Written.isOfMatrices e && not sizes.IsEmpty then
        Matrices.compute writer (arrayFor writer kept e) e
    elif hasLoops e then
        let name = arrayFor writer kept e

        match Dense.tryProduct writer.IsWeights e with
        | Some product ->
            writer.Body.Emit(
                Dense.multiply
                    product
                    (writer.Array product.Weights)
                    (writer.Array product.Operand)
                    name
                    source
            )
        | None ->
            write writer e (fun indices value ->
                writer.Body.Emit(
                    Store(Element(Name name, [ Index.expression (flat sizes indices) ]), value, source)
                ))
    else
        let name = lazy (writer.Body.Fresh(wantedName e))
        let values = ResizeArray<Value>()

        writer.Body.Visit(
            sizes,
            fun indices ->
                let value =
                    match e.Op with
                    | Op.Call("det", _) -> Register(Matrices.determinant writer e.Args.Head)
                    | _ -> writer.Compute(e, indices)

                let stored =
                    match value with
                    | Value.Number _
                    | Shared _
                    | Register(Name _)
                    | Register(Element _) -> value
                    | Register register ->
                        let own =
                            if sizes.IsEmpty then
                                name.Value
                            else
                                writer.Body.ElementName(name.Value, values.Count)

                        writer.Body.Emit(Declare(own, register, (if values.Count = 0 then source else None)))
                        Register(Name own)

                values.Add stored
        )

        writer.Define(e, Variables(values.ToArray()))

        match kept with
        | Some(array, offset) ->
            values
            |> Seq.iteri (fun i value ->
                writer.Body.Emit(
                    Store(
                        Element(Name array, [ Index.expression (known (offset + i)) ]),
                        writer.Arithmetic.Spread value,
                        None
                    )
                ))
        | None -> ()

/// Stores what the roots use more than once, what the user named, and what loops need in memory: `arrays` among it.
/// `kept` are places that outlive the method.
let prepare
    (writer: Writer)
    (kept: IReadOnlyDictionary<Expr.Expr, string * int>)
    (arrays: Expr.Expr list)
    (roots: Expr.Expr list)
    =
    let roots = roots @ arrays
    let order = topologicalBy (fun e -> if writer.IsStored e then [] else e.Args) roots
    let uses = Dictionary<Expr.Expr, int>(HashIdentity.Reference)
    let forced = HashSet<Expr.Expr>(arrays, HashIdentity.Reference)
    let isRoot = HashSet<Expr.Expr>(roots, HashIdentity.Reference)

    let add (e: Expr.Expr) n =
        uses[e] <-
            n
            + (match uses.TryGetValue e with
               | true, before -> before
               | _ -> 0)

    for e in order do
        if not (writer.IsStored e) then
            e.Args |> List.iteri (fun position a -> add a (if repeats e position then 2 else 1))

            match e.Op with
            | Reshape _ when hasLoops e || hasLoops e.Args.Head -> forced.Add e.Args.Head |> ignore
            | _ -> ()

            if isPiecewise e || Written.isOfMatrices e then
                forced.Add e |> ignore

            match Dense.tryProduct writer.IsWeights e with
            | Some product -> forced.UnionWith [ e; product.Operand ]
            | None -> ()

    List.iter (fun root -> add root 1) roots

    let isNamed (e: Expr.Expr) =
        not (isRoot.Contains e)
        && not (e.DependsOn.HasFlag Dependence.Cotangent)
        && tryOrigin e |> Option.exists _.Name.IsSome

    let isMark (e: Expr.Expr) =
        match e.Op with
        | BatchSum -> true
        | _ -> false

    for e in order do
        let place =
            match kept.TryGetValue e with
            | true, place -> Some place
            | _ -> None

        let isWanted = not (writer.IsFree e) && not (isMark e) && (uses[e] > 1 || isNamed e)

        if not (writer.IsStored e) && (place.IsSome || forced.Contains e || isWanted) then
            store writer place e
