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

/// Axes up to this length are written out.
let longestUnrolled = 8

/// Products of one sum that are written as one expression.
let private longestSum = 8

let sizesOf (e: Expr.Expr) =
    e.Shape
    |> List.map (fun d ->
        match Dim.tryConstant d with
        | Some n -> int n
        | None -> Build.internalError "The size %s of a register kernel is open." (string d))

let private sizeOf (e: Expr.Expr) = List.fold (*) 1 (sizesOf e)
let private isLong n = n > longestUnrolled
let private hasLoops (e: Expr.Expr) = List.exists isLong (sizesOf e)

/// Where the elements of a node are.
type Storage =
    /// Row-major, at known places.
    | Variables of Value[]
    /// Registers in an array of its own.
    | Registers of array: string
    /// Numbers in memory that all lanes share.
    | Weights of span: string

// What is stored

/// Whether elements of an operand are computed once for several elements of the node.
let private repeats (node: Expr.Expr) position =
    let operand = node.Args[position]

    let others axes (e: Expr.Expr) =
        sizesOf e |> List.indexed |> List.filter (fun (i, _) -> not (List.contains i axes))

    let isMany sizes = List.exists (fun (_, n) -> n > 1) sizes

    match node.Op with
    | Power ->
        position = 0
        && match node.Args[1] with
           | Build.Uniform p -> isRepeated p
           | _ -> false
    | Contract(left, right) ->
        if position = 0 then
            isMany (others right node.Args[1])
        else
            isMany (others left node.Args[0])
    | Broadcast(_, axes) -> isMany (others axes node)
    | Add
    | Subtract
    | Multiply
    | Divide
    | Op.Call _
    | Compare _
    | And
    | Or
    | Op.Select -> operand.Shape.IsEmpty && sizeOf node > 1
    | Op.Number _
    | Input _
    | Negate
    | Not
    | Permute _
    | Reduce _
    | Op.Index _
    | Slice _
    | Pad _
    | Stack
    | Concat
    | Reshape _
    | Diagonal
    | DiagonalMatrix
    | Identity _
    | Derivative _
    | BatchSum -> false

/// Made of pieces that no single expression of a loop variable gives.
let private isPiecewise (e: Expr.Expr) =
    let sizes = sizesOf e

    match e.Op with
    | Stack
    | Concat -> isLong sizes.Head
    | Pad(axis, _, _) -> isLong sizes[axis]
    | DiagonalMatrix
    | Identity _ -> isLong (List.last sizes)
    | _ -> false

let private inputName (e: Expr.Expr) =
    match e.Op with
    | Input s -> Some(s.Name.Replace("'", "").Replace(".", "_"))
    | _ -> None

/// A method being written.
type Writer(arithmetic: Arithmetic, taken: string seq, sourceOf: Expr.Expr -> Source option) =
    let unique = Naming.Unique taken
    let storage = Dictionary<Expr.Expr, Storage>(HashIdentity.Reference)
    let head = ResizeArray<Statement>()
    let whole = ResizeArray<Statement>()
    let mutable block = whole
    let mutable depth = 0
    let loopVariables = ResizeArray<string>()
    let targets = Dictionary<string * int, string>()

    let emit s = block.Add s

    let fresh (wanted: string) = Names.escaped (unique.Fresh(Names.identifier wanted))

    let loopVariable () =
        if depth = loopVariables.Count then
            loopVariables.Add(fresh ("ijklmnopq".Substring(min depth 8, 1)))

        loopVariables[depth]

    let loop count (body: Index -> unit) =
        let variableName = loopVariable ()
        let outer = block
        block <- ResizeArray()
        depth <- depth + 1
        body (variable variableName)
        depth <- depth - 1
        let inner = List.ofSeq block
        block <- outer
        emit (Loop(variableName, count, inner))

    /// Visits all indices of a shape: loops over the long axes outside, the others written out inside.
    let visit (sizes: int list) (body: Index list -> unit) =
        let long = sizes |> List.indexed |> List.filter (snd >> isLong)

        let rec known (chosen: Map<int, Index>) axis =
            if axis = sizes.Length then
                body [ for i in 0 .. axis - 1 -> chosen[i] ]
            elif chosen.ContainsKey axis then
                known chosen (axis + 1)
            else
                for n in 0 .. sizes[axis] - 1 do
                    known (chosen.Add(axis, Index.known n)) (axis + 1)

        let rec loops chosen rest =
            match rest with
            | [] -> known chosen 0
            | (axis, count) :: rest -> loop count (fun index -> loops (Map.add axis index chosen) rest)

        loops Map.empty long

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
    /// A name that nothing in the method has: as wanted, else numbered.
    member _.Fresh(wanted: string) = fresh wanted

    /// Tells where a node's elements are: an input's, or what was kept.
    member _.Define(e: Expr.Expr, place: Storage) = storage[e] <- place

    member _.IsStored e = isStored e

    /// What has been written, with its loops joined; at its head what the method takes from its arguments.
    member _.Statements =
        let body = List.ofSeq whole |> fuse |> contractArrays |> splitSums
        (List.ofSeq head @ body) |> List.map toCSharp

    /// One element of a node, computed where its caller stands unless it is stored.
    member this.Element(e: Expr.Expr, indices: Index list) : Value =
        match storage.TryGetValue e with
        | true, _ -> atPlace e (flat (sizesOf e) indices)
        | _ -> this.Compute(e, indices)

    member private this.Compute(e: Expr.Expr, indices: Index list) : Value =
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
            this.Element(a, moved axis (Index.shift (this.Constant from) indices[axis]))
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
            let n = this.Known indices[axis] - this.Constant from

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

    member private _.Constant(d: Dim) =
        match Dim.tryConstant d with
        | Some n -> int n
        | None -> Build.internalError "The size %s of a register kernel is open." (string d)

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
            let name = fresh "sum"
            emit (Declare(name, arithmetic.Spread value, None))
            Register(Name name)

        if List.exists isLong sizes then
            let name = fresh "sum"
            emit (Declare(name, arithmetic.Spread start, None))

            visit sizes (fun inner ->
                match step inner (Register(Name name)) with
                | Register value -> emit (Store(Name name, value, None))
                | value -> emit (Store(Name name, arithmetic.Spread value, None)))

            Register(Name name)
        else
            let mutable total, written = start, 0

            visit sizes (fun inner ->
                if written = longestSum then
                    total <- bound total
                    written <- 0

                total <- step inner total
                written <- written + 1)

            total

    // Storing

    /// A name for a node that is stored.
    member private this.NameOf(e: Expr.Expr) = fresh (this.WantedName e)

    /// The name that a node asks for.
    member _.WantedName(e: Expr.Expr) = Naming.wanted inputName e

    /// A variable at the head of the method.
    member _.Field(name: string, value: CSharp.Expr) = head.Add(Declare(name, value, None))

    /// A name for a part of an array: its length is known there, so that places in it need no check at run time.
    member _.Slice(name: string, array: string, offset: int, length: int) =
        let range =
            Literal(sprintf "%s..%d" (if offset = 0 then "" else string offset) (offset + length))

        head.Add(Declare(name, Element(Name array, [ range ]), None))

    /// Where a node's elements are in an array that is handed to the method: in variables, or in a named part of it.
    member this.Take(e: Expr.Expr, name: string, array: string, offset: int) =
        let place n = Element(Name array, [ Index.expression (known n) ])

        if hasLoops e then
            let own = fresh name
            this.Slice(own, array, offset, sizeOf e)
            storage[e] <- Registers own
        else
            storage[e] <-
                Variables
                    [| for n in 0 .. sizeOf e - 1 do
                           let variable = if e.Shape.IsEmpty then fresh name else this.ElementName(name, n)

                           head.Add(Declare(variable, place (offset + n), None))
                           Register(Name variable) |]

    /// Computes all elements of a node once. `kept` is an array, and a place in it, that outlives the method.
    member this.Store(e: Expr.Expr, kept: (string * int) option) =
        let sizes = sizesOf e
        let source = sourceOf e

        if hasLoops e then
            let name = this.NameOf e

            match kept with
            | Some(array, offset) -> this.Slice(name, array, offset, sizeOf e)
            | None -> emit (Scratch(name, sizeOf e))

            this.Write(
                e,
                fun indices value ->
                    emit (
                        Statement.Store(
                            Element(Name name, [ Index.expression (flat sizes indices) ]),
                            value,
                            source
                        )
                    )
            )

            storage[e] <- Registers name
        else
            let name = lazy (this.NameOf e)
            let values = ResizeArray<Value>()

            visit sizes (fun indices ->
                let value = this.Compute(e, indices)

                let stored =
                    match value with
                    | Value.Number _
                    | Shared _
                    | Register(Name _)
                    | Register(Element _) -> value
                    | Register register ->
                        let own =
                            if sizes.IsEmpty then name.Value else this.ElementName(name.Value, values.Count)

                        emit (Declare(own, register, (if values.Count = 0 then source else None)))
                        Register(Name own)

                values.Add stored)

            storage[e] <- Variables(values.ToArray())

            match kept with
            | Some(array, offset) ->
                values
                |> Seq.iteri (fun i value ->
                    emit (
                        Statement.Store(
                            Element(Name array, [ Index.expression (known (offset + i)) ]),
                            arithmetic.Spread value,
                            None
                        )
                    ))
            | None -> ()

    /// The name of one element's variable: `hidden0`, `W1_0`.
    member _.ElementName(name: string, position: int) =
        let stem = Names.identifier (name.TrimStart '@')
        let separator = if System.Char.IsDigit stem[stem.Length - 1] then "_" else ""
        fresh (sprintf "%s%s%d" stem separator position)

    /// Visits every element of a node, pieces one after another where it is made of pieces.
    member private this.Write(e: Expr.Expr, store: Index list -> CSharp.Expr -> unit) =
        let elementOf (a: Expr.Expr) place =
            visit (sizesOf a) (fun indices ->
                store (place indices) (arithmetic.Spread(this.Element(a, indices))))

        let zeros sizes place =
            visit sizes (fun indices -> store (place indices) (arithmetic.Spread(Value.Number 0.0)))

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
            let from, a = this.Constant from, e.Args.Head
            let length, whole = (sizesOf a)[axis], (sizesOf e)[axis]
            let moved n (indices: Index list) = List.updateAt axis (Index.shift n indices[axis]) indices
            zeros (List.updateAt axis from (sizesOf e)) id
            elementOf a (moved from)
            zeros (List.updateAt axis (whole - from - length) (sizesOf e)) (moved (from + length))
        | DiagonalMatrix
        | Identity _ when isPiecewise e ->
            zeros (sizesOf e) id
            let rows = List.removeAt (e.Shape.Length - 1) (sizesOf e)

            visit rows (fun indices ->
                let value =
                    match e.Args with
                    | [ a ] -> this.Element(a, indices)
                    | _ -> Value.Number 1.0

                store (indices @ [ List.last indices ]) (arithmetic.Spread value))
        | _ -> visit (sizesOf e) (fun indices -> store indices (arithmetic.Spread(this.Compute(e, indices))))

    /// Stores what the roots use more than once, what the user named, and what loops need in memory. `kept` are places
    /// that outlive the method.
    member this.Prepare(roots: Expr.Expr list, kept: IReadOnlyDictionary<Expr.Expr, string * int>) =
        let order = topologicalBy (fun e -> if isStored e then [] else e.Args) roots
        let uses = Dictionary<Expr.Expr, int>(HashIdentity.Reference)
        let forced = HashSet<Expr.Expr>(HashIdentity.Reference)
        let isRoot = HashSet<Expr.Expr>(roots, HashIdentity.Reference)

        let add (e: Expr.Expr) n =
            uses[e] <-
                n
                + (match uses.TryGetValue e with
                   | true, before -> before
                   | _ -> 0)

        for e in order do
            if not (isStored e) then
                e.Args |> List.iteri (fun position a -> add a (if repeats e position then 2 else 1))

                match e.Op with
                | Reshape _ when hasLoops e || hasLoops e.Args.Head -> forced.Add e.Args.Head |> ignore
                | _ -> ()

                if isPiecewise e then
                    forced.Add e |> ignore

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

            let isWanted = not (isFree e) && not (isMark e) && (uses[e] > 1 || isNamed e)

            if not (isStored e) && (place.IsSome || forced.Contains e || isWanted) then
                this.Store(e, place)

    /// Writes all elements of a node to an array from an offset on.
    member this.Result(e: Expr.Expr, name: string, array: string, offset: int, source: Source option) =
        let sizes = sizesOf e
        let mutable isFirst = true
        let array, offset = this.Target(e, name, array, offset)

        visit sizes (fun indices ->
            let target =
                Element(Name array, [ Index.expression (Index.shift offset (flat sizes indices)) ])

            emit (
                Statement.Store(
                    target,
                    arithmetic.Spread(this.Element(e, indices)),
                    (if isFirst then source else None)
                )
            )

            isFirst <- false)

    /// Assigns all elements of a node to variables.
    member this.Variables(e: Expr.Expr, names: string list, source: Source option) =
        List.zip (Index.unflatten (sizesOf e)) names
        |> List.iteri (fun i (indices, name) ->
            let value = arithmetic.Spread(this.Element(e, indices))
            emit (Statement.Store(Name name, value, (if i = 0 then source else None))))

    /// A part of an array that loops write to has a name of its own.
    member private this.Target(e: Expr.Expr, name: string, array: string, offset: int) =
        if not (hasLoops e) then
            array, offset
        else
            match targets.TryGetValue((array, offset)) with
            | true, own -> own, 0
            | _ ->
                let own = fresh name
                this.Slice(own, array, offset, sizeOf e)
                targets[(array, offset)] <- own
                own, 0

    /// Adds all elements of a node to an array from an offset on; a product is added in one rounding.
    member this.AddTo(e: Expr.Expr, sign: float, name: string, array: string, offset: int) =
        match e.Op, e.Args with
        | BatchSum, [ a ] -> this.AddTo(a, sign, name, array, offset)
        | Add, [ a; b ] when not (isStored e) && a.Shape = b.Shape ->
            this.AddTo(a, sign, name, array, offset)
            this.AddTo(b, sign, name, array, offset)
        | Subtract, [ a; b ] when not (isStored e) && a.Shape = b.Shape ->
            this.AddTo(a, sign, name, array, offset)
            this.AddTo(b, -sign, name, array, offset)
        | Negate, [ a ] when not (isStored e) -> this.AddTo(a, -sign, name, array, offset)
        | _ ->
            let sizes = sizesOf e

            let array, offset = this.Target(e, name, array, offset)

            visit sizes (fun indices ->
                let target =
                    Element(Name array, [ Index.expression (Index.shift offset (flat sizes indices)) ])

                let factors = if isStored e then None else this.Factors(e, indices)

                let value =
                    match factors with
                    | Some(a, b) ->
                        arithmetic.MultiplyAdd(arithmetic.Multiply(Value.Number sign, a), b, Register target)
                    | None ->
                        let value = this.Element(e, indices)

                        if sign < 0.0 then
                            arithmetic.Subtract(Register target, value)
                        else
                            arithmetic.Add(Register target, value)

                if value <> Register target then
                    emit (Statement.Store(target, arithmetic.Spread value, None)))

    /// The two factors of an element that is their product.
    member private this.Factors(e: Expr.Expr, indices: Index list) : (Value * Value) option =
        match e.Op, e.Args with
        | Multiply, [ a; b ] ->
            let operand (a: Expr.Expr) = this.Element(a, (if a.Shape.IsEmpty then [] else indices))
            Some(operand a, operand b)
        | Contract([], []), [ a; b ] ->
            let ofLeft, ofRight = List.splitAt a.Shape.Length indices
            Some(this.Element(a, ofLeft), this.Element(b, ofRight))
        | Permute axes, [ a ] when not (isStored a) ->
            this.Factors(a, [ for axis in 0 .. axes.Length - 1 -> indices[List.findIndex ((=) axis) axes] ])
        | _ -> None
