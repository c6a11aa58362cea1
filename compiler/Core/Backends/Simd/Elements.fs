/// A DAG of whole tensors as code over registers, element by element.
///
/// Axes of up to `longestUnrolled` elements are written out, longer ones become loops. A term that is used more than once
/// is stored, in variables or in an array; everything else is computed where it is used.
module internal DiffEqLang.Compiler.Backends.Simd.Elements

open System.Collections.Generic
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp
open DiffEqLang.Compiler.Backends.Simd.Index
open DiffEqLang.Compiler.Backends.Simd.Registers
open DiffEqLang.Compiler.Backends.Simd.Statements
open DiffEqLang.Compiler.Backends.Simd.MethodBody
open DiffEqLang.Compiler.Backends.Simd.Unrolling

/// Products of one sum that are written as one expression.
let private longestSum = 8

/// Where the elements of a node are.
type Storage =
    /// Row-major, at known places.
    | Variables of Value[]
    /// Registers in an array of its own.
    | Registers of array: string
    /// Numbers in memory that all lanes share.
    | Weights of span: string

/// The elements of nodes, written into a method's body.
type Writer(arithmetic: Arithmetic, body: MethodBody, sourceOf: Expr.Expr -> Source option) =
    let storage = Dictionary<Expr.Expr, Storage>(HashIdentity.Reference)

    let isStored e = storage.ContainsKey e

    /// Costs nothing where it stands.
    let rec isFree (e: Expr.Expr) =
        isStored e
        || match e.Op with
           | Op.Number _
           | Input _
           | Identity _ -> true
           | Op.Index _
           | Slice _
           | Permute _
           | Reshape _
           | Broadcast _
           | Diagonal
           | BatchSum
           | Negate -> isFree e.Args.Head
           | Stack
           | Concat -> not (hasLoops e) && List.forall isFree e.Args
           | _ -> false

    let at array place = Register(Element(Name array, [ Index.expression place ]))

    /// A stored node at a row-major place that need not be known.
    let atPlace (e: Expr.Expr) (place: Index) : Value =
        match storage[e], tryKnown place with
        | Variables values, Some n -> values[n]
        | Registers array, _ -> at array place
        | Weights span, _ -> Shared(Element(Name span, [ Index.expression place ]))
        | Variables _, None -> Build.internalError "A variable has no place %A." place

    member _.Arithmetic = arithmetic

    member _.Body = body

    /// The place in the model that a node came from.
    member _.SourceOf e = sourceOf e

    /// Tells where a node's elements are: an input's, or what was kept.
    member _.Define(e: Expr.Expr, place: Storage) = storage[e] <- place

    member _.IsStored e = isStored e

    /// Whether a node is numbers in memory that all lanes share.
    member _.IsWeights e =
        match storage.TryGetValue e with
        | true, Weights _ -> true
        | _ -> false

    /// The name of what a node is stored in as a whole.
    member _.Array(e: Expr.Expr) =
        match storage[e] with
        | Registers name
        | Weights name -> name
        | Variables _ -> Build.internalError "A node in variables was asked for its array."

    /// Whether a node costs nothing where it stands.
    member _.IsFree e = isFree e

    /// One element of a node, computed where its caller stands unless it is stored.
    member this.Element(e: Expr.Expr, indices: Index list) : Value =
        match storage.TryGetValue e with
        | true, _ -> atPlace e (flat (sizesOf e) indices)
        | _ -> this.Compute(e, indices)

    /// One element, computed here.
    member this.Compute(e: Expr.Expr, indices: Index list) : Value =
        let operand (a: Expr.Expr) = this.Element(a, (if a.Shape.IsEmpty then [] else indices))
        let moved axis index = List.updateAt axis index indices

        match e.Op, e.Args with
        | Op.Number x, _ -> Value.Number x
        | Add, [ a; b ] -> this.Sum(a, b, operand, indices)
        | Subtract, [ a; b ] -> arithmetic.Subtract(operand a, operand b)
        | Multiply, [ a; b ] -> arithmetic.Multiply(operand a, operand b)
        | Divide, [ a; b ] -> arithmetic.Divide(operand a, operand b)
        | Power, [ a; Build.Uniform p ] -> arithmetic.Power(operand a, p)
        | Power, [ a; b ] -> arithmetic.Call("Pow", [ operand a; operand b ])
        | Negate, [ a ] -> arithmetic.Negate(operand a)
        | Op.Call(name, _), args -> arithmetic.Call(functionName name, List.map operand args)
        | Compare comparison, [ a; b ] -> arithmetic.Compare(comparison, operand a, operand b)
        | And, [ a; b ] -> arithmetic.Logical("&", operand a, operand b)
        | Or, [ a; b ] -> arithmetic.Logical("|", operand a, operand b)
        | Not, [ a ] -> arithmetic.Not(operand a)
        | Op.Select, [ condition; a; b ] -> arithmetic.Select(operand condition, operand a, operand b)
        | Contract _, _ -> this.Contraction(e, indices, Value.Number 0.0)
        | Reduce(reduction, axes), [ a ] -> this.Reduction(reduction, axes, a, indices)
        | Broadcast(_, axes), [ a ] -> this.Element(a, axes |> List.map (fun axis -> indices[axis]))
        | Permute axes, [ a ] ->
            this.Element(a, [ for axis in 0 .. axes.Length - 1 -> indices[List.findIndex ((=) axis) axes] ])
        | Op.Index(axis, position), [ a ] -> this.Element(a, List.insertAt axis (known position) indices)
        | Slice(axis, from, _), [ a ] ->
            this.Element(a, moved axis (Index.shift (constant from) indices[axis]))
        | Reshape _, [ a ] ->
            let place = flat (sizesOf e) indices

            match tryKnown place with
            | Some n when not (isStored a) -> this.Element(a, unflat (sizesOf a) n)
            | _ -> atPlace a place
        | Diagonal, [ a ] -> this.Element(a, indices @ [ List.last indices ])
        | BatchSum, [ a ] -> this.Element(a, indices)
        | Stack, args -> this.Element(args[this.Known indices.Head], indices.Tail)
        | Concat, args -> this.Piece(args, this.Known indices.Head, indices.Tail)
        | Pad(axis, from, _), [ a ] ->
            let n = this.Known indices[axis] - constant from

            if n >= 0 && n < (sizesOf a)[axis] then
                this.Element(a, moved axis (known n))
            else
                Value.Number 0.0
        | DiagonalMatrix, [ a ] ->
            let last = this.Known(List.last indices)
            let row = List.removeAt (indices.Length - 1) indices

            if this.Known(List.last row) = last then
                this.Element(a, row)
            else
                Value.Number 0.0
        | Identity _, _ -> Value.Number(if this.Known indices[0] = this.Known indices[1] then 1.0 else 0.0)
        | op, args -> Build.internalError "The simd back end met %A with %d operands." op args.Length

    member private _.Known(index: Index) =
        match tryKnown index with
        | Some n -> n
        | None -> Build.internalError "A piece was asked for at a place that is not known."

    member private this.Piece(args, position, rest) : Value =
        match args with
        | [] -> Build.internalError "A concatenation ended early."
        | (a: Expr.Expr) :: others ->
            let length = if a.Shape.IsEmpty then 1 else (sizesOf a).Head

            if position < length then
                this.Element(a, (if a.Shape.IsEmpty then [] else known position :: rest))
            else
                this.Piece(others, position - length, rest)

    /// A sum of products goes on from the other operand.
    member private this.Sum
        (a: Expr.Expr, b: Expr.Expr, operand: Expr.Expr -> Value, indices: Index list)
        : Value =
        let goesOn (product: Expr.Expr) =
            not (isStored product)
            && product.Shape.Length = indices.Length
            && match product.Op with
               | Contract _ -> true
               | _ -> false

        if goesOn a then this.Contraction(a, indices, operand b)
        elif goesOn b then this.Contraction(b, indices, operand a)
        else arithmetic.Add(operand a, operand b)

    /// Sum of products over paired axes, from `start` on.
    member private this.Contraction(e: Expr.Expr, indices: Index list, start: Value) : Value =
        let left, right =
            match e.Op with
            | Contract(left, right) -> left, right
            | _ -> Build.internalError "A contraction is no contraction."

        let a, b = e.Args[0], e.Args[1]
        let freeOfLeft = a.Shape.Length - left.Length
        let ofLeft, ofRight = List.splitAt freeOfLeft indices

        /// The operand's indices from its free ones and those of the paired axes.
        let place (operand: Expr.Expr) paired (free: Index list) (inner: Index list) =
            let mutable rest = free

            [ for axis in 0 .. operand.Shape.Length - 1 do
                  match List.tryFindIndex ((=) axis) paired with
                  | Some pair -> inner[pair]
                  | None ->
                      let first = rest.Head
                      rest <- rest.Tail
                      first ]

        let sizes = left |> List.map (fun axis -> (sizesOf a)[axis])

        this.Accumulate(
            sizes,
            start,
            fun inner sum ->
                let x = this.Element(a, place a left ofLeft inner)
                let y = this.Element(b, place b right ofRight inner)
                arithmetic.MultiplyAdd(x, y, sum)
        )

    member private this.Reduction(reduction, axes: int list, a: Expr.Expr, indices: Index list) : Value =
        let sizes = axes |> List.map (fun axis -> (sizesOf a)[axis])

        let place (inner: Index list) =
            let mutable rest = indices

            [ for axis in 0 .. a.Shape.Length - 1 do
                  match List.tryFindIndex ((=) axis) axes with
                  | Some i -> inner[i]
                  | None ->
                      let first = rest.Head
                      rest <- rest.Tail
                      first ]

        let start, combine =
            match reduction with
            | Reduction.Sum -> 0.0, (fun sum x -> arithmetic.Add(sum, x))
            | Product -> 1.0, (fun product x -> arithmetic.Multiply(product, x))
            | Maximum -> -infinity, (fun top x -> arithmetic.Call("Maximum", [ top; x ]))
            | Minimum -> infinity, (fun bottom x -> arithmetic.Call("Minimum", [ bottom; x ]))

        let isFirst = HashSet()

        this.Accumulate(
            sizes,
            Value.Number start,
            fun inner total ->
                let x = this.Element(a, place inner)

                match total with
                // The first of a written-out extremum is itself.
                | Value.Number n when n = start && isFirst.Add n -> x
                | total -> combine total x
        )

    /// Folds over the indices of `sizes`: in one expression where they are few, else in a variable.
    member private _.Accumulate(sizes: int list, start: Value, step: Index list -> Value -> Value) : Value =
        let bound value =
            let name = body.Fresh "sum"
            body.Emit(Declare(name, arithmetic.Spread value, None))
            Register(Name name)

        if List.exists isLong sizes then
            let name = body.Fresh "sum"
            body.Emit(Declare(name, arithmetic.Spread start, None))

            body.Visit(
                sizes,
                fun inner ->
                    match step inner (Register(Name name)) with
                    | Register value -> body.Emit(Store(Name name, value, None))
                    | value -> body.Emit(Store(Name name, arithmetic.Spread value, None))
            )

            Register(Name name)
        else
            let mutable total, written = start, 0

            body.Visit(
                sizes,
                fun inner ->
                    if written = longestSum then
                        total <- bound total
                        written <- 0

                    total <- step inner total
                    written <- written + 1
            )

            total
