/// One expression of the IR as TorchSharp calls.
///
/// A value of shape [n] is a tensor [..., n]: axes are counted from the end and the batch stands before them. What
/// does not vary over the batch (parameters, constants) has its own shape alone, and broadcasts. A scalar that varies
/// meets a tensor as `x.unsqueeze(-1)`; expansion to the batch happens only where a stack or a concatenation needs it.
module internal DiffEqLang.Compiler.Backends.Torch.Lowering

open System
open System.Globalization
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Builtins
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp

/// Whether a tensor has the batch axes before its own.
type Batching =
    /// Parameters, constants: never.
    | Single
    /// Of time alone: there where the caller's time has them.
    | PerTime
    /// Always.
    | PerSample

let batching (e: Expr.Expr) =
    let perSample =
        Dependence.State
        ||| Dependence.Control
        ||| Dependence.Noise
        ||| Dependence.Sample
        ||| Dependence.Cotangent

    if e.DependsOn &&& perSample <> Dependence.Nothing then PerSample
    elif e.DependsOn.HasFlag Dependence.Time then PerTime
    else Single

/// Integers without a point, everything else in its shortest form that reads back the same.
let numberLiteral (x: float) =
    if Double.IsNaN x then
        Member(Name "double", "NaN")
    elif Double.IsPositiveInfinity x then
        Member(Name "double", "PositiveInfinity")
    elif Double.IsNegativeInfinity x then
        Member(Name "double", "NegativeInfinity")
    elif x = Math.Floor x && abs x < 1e9 then
        Literal((int64 x).ToString CultureInfo.InvariantCulture)
    else
        let text = x.ToString("R", CultureInfo.InvariantCulture)

        match text.IndexOf 'E' with
        | -1 -> Literal(if text.Contains '.' then text else text + ".0")
        | at -> Literal(sprintf "%se%d" (text.Substring(0, at)) (int (text.Substring(at + 1))))

/// A number for a call that takes a `Scalar`, kept alive by the runtime. Operators take plain numbers.
let scalar (x: float) = Invoke(Member(Name "Scalars", "Of"), [ argument (numberLiteral x) ])

let integer (n: int) = Literal(n.ToString CultureInfo.InvariantCulture)

let long (n: int64) = Literal(n.ToString CultureInfo.InvariantCulture)

/// Where an expression stands: what its names mean and how a tensor without operands is made.
type Context =
    {
        /// A bound node or an input, by its name there.
        Named: Expr.Expr -> CSharp.Expr option
        /// An open dim.
        OpenDim: string -> CSharp.Expr
        /// The batch axes as `long[]`; noted, so that the function declares them only where they are used.
        Batch: unit -> CSharp.Expr
        /// A tensor of a shape (with batch axes or without) with one value everywhere.
        Filled: CSharp.Expr -> CSharp.Expr -> CSharp.Expr
        /// What the arguments `dtype` and `device` are here.
        Placement: CSharp.Argument list
    }

/// A size as C# arithmetic: `50`, `2 * n + 1`.
let dim (context: Context) (d: Dim) =
    let term (coefficient, names) =
        match coefficient, List.map context.OpenDim names with
        | c, [] -> long c
        | 1L, first :: rest -> List.fold (fun product f -> Infix(product, "*", f)) first rest
        | c, factors -> List.fold (fun product f -> Infix(product, "*", f)) (long c) factors

    match Dim.terms d |> List.rev with
    | [] -> integer 0
    | first :: rest -> List.fold (fun sum t -> Infix(sum, "+", term t)) (term first) rest

let private dims context (shape: Shape.Shape) = shape |> List.map (dim context)

/// `[.. batch, 2, 3]`, or `[2, 3]` for what has no batch.
let sizes (context: Context) batched shape =
    match dims context shape with
    | [] when batched -> context.Batch()
    | own when batched -> Collection(Spread(context.Batch()) :: own)
    | own -> Collection own

let private call target name arguments = invokeMethod target name arguments

let private unsqueezed times target =
    List.fold (fun value _ -> call value "unsqueeze" [ integer -1 ]) target [ 1..times ]

/// Uniform values that elementwise operations take as they are.
let private (|Scalar|_|) (e: Expr.Expr) =
    match e with
    | Build.Uniform x -> Some x
    | _ -> None

let private isTensor (e: Expr.Expr) =
    match e with
    | Scalar _ -> false
    | _ -> true

let private mostBatched (args: Expr.Expr list) =
    match args |> List.map batching with
    | all when List.contains PerSample all -> PerSample
    | all when List.contains PerTime all -> PerTime
    | _ -> Single

/// `like` with another value in every element.
let filledLike like (x: float) =
    match x with
    | 0.0 -> invoke "zeros_like" [ like ]
    | 1.0 -> invoke "ones_like" [ like ]
    | x -> invoke "full_like" [ like; scalar x ]

/// A number as a tensor beside another operand: like that one where it has a name, else without axes. Never is the
/// other operand computed again for it.
let private beside (context: Context) (other: CSharp.Expr) (x: float) =
    match other with
    | Name _ -> filledLike other x
    | _ -> context.Filled (Collection []) (scalar x)

let private comparison c =
    match c with
    | Less -> Choice1Of2 "<"
    | LessOrEqual -> Choice1Of2 "<="
    | Greater -> Choice1Of2 ">"
    | GreaterOrEqual -> Choice1Of2 ">="
    | Equal -> Choice2Of2 "eq"
    | NotEqual -> Choice2Of2 "ne"

/// Numbers stacked into numbers, row-major: a tensor that is written out.
let rec private (|Table|_|) (e: Expr.Expr) =
    match e.Op with
    | Number x -> Some [ x ]
    | Stack
    | Concat ->
        let rows =
            e.Args
            |> List.map (fun a ->
                match a with
                | Table t -> Some t
                | _ -> None)

        if List.forall Option.isSome rows then
            Some(List.collect Option.get rows)
        else
            None
    | _ -> None

/// Letters for the axes of an einsum.
let private einsum (left: int list) (right: int list) (a: Expr.Expr) (b: Expr.Expr) =
    let letters = [ 'i' .. 'z' ]
    let leftAxes = letters |> List.take a.Shape.Length

    let rightAxes =
        b.Shape
        |> List.mapi (fun axis _ ->
            match List.tryFindIndex ((=) axis) right with
            | Some pair -> leftAxes[left[pair]]
            | None -> letters[a.Shape.Length + axis])

    let others paired axes =
        axes
        |> List.indexed
        |> List.filter (fun (i, _) -> not (List.contains i paired))
        |> List.map snd

    let text axes = String(List.toArray axes)

    sprintf
        "\"...%s,...%s->...%s\""
        (text leftAxes)
        (text rightAxes)
        (text (others left leftAxes @ others right rightAxes))

/// A cotangent times the derivative of a function by its own result, which the runtime does in fewer passes.
let private (|Pullback|_|) (context: Context) (args: Expr.Expr list) =
    let isInlined (e: Expr.Expr) = (context.Named e).IsNone

    let fits (cotangent: Expr.Expr) (result: Expr.Expr) =
        cotangent.DependsOn.HasFlag Dependence.Cotangent
        && cotangent.Shape = result.Shape
        && isTensor cotangent

    match args with
    | [ cotangent
        { Op = Subtract
          Args = [ Build.One; { Op = Power; Args = [ result; Scalar 2.0 ] } as square ] } as derivative ]
    | [ { Op = Subtract
          Args = [ Build.One; { Op = Power; Args = [ result; Scalar 2.0 ] } as square ] } as derivative
        cotangent ] when isInlined derivative && isInlined square && fits cotangent result ->
        match result.Op with
        | Op.Call("tanh", _) -> Some("Tanh", cotangent, result)
        | _ -> None
    | _ -> None

let rec lower (context: Context) (e: Expr.Expr) : CSharp.Expr =
    match context.Named e with
    | Some name -> name
    | None ->
        match e.Op, e.Args with
        | _, _ when
            (match e with
             | Scalar _ -> true
             | _ -> false)
            ->
            uniform context e
        | Op.Input s, _ -> invalidOp (sprintf "The input %s has no name here." s.Name)
        | Add, [ a; b ] -> sum context e a b
        | Subtract, _ ->
            elementwise context e (fun (operands: CSharp.Expr list) -> Infix(operands[0], "-", operands[1]))
        | Multiply, Pullback context (name, cotangent, result) ->
            Invoke(
                Member(Name "Pullback", name),
                [ argument (lower context cotangent); argument (lower context result) ]
            )
        | Multiply, _ ->
            elementwise context e (fun (operands: CSharp.Expr list) -> Infix(operands[0], "*", operands[1]))
        | Divide, _ ->
            elementwise context e (fun (operands: CSharp.Expr list) -> Infix(operands[0], "/", operands[1]))
        | Power, [ basis; exponent ] -> power context e basis exponent
        | Negate, [ a ] -> Prefix("-", lower context a)
        | Op.Call(name, attributes), args -> builtin context e name attributes args
        | Compare c, _ ->
            elementwise context e (fun (operands: CSharp.Expr list) ->
                match comparison c with
                | Choice1Of2 operator -> Infix(operands[0], operator, operands[1])
                | Choice2Of2 name -> call operands[0] name [ operands[1] ])
        | And, _ ->
            elementwise context e (fun (operands: CSharp.Expr list) -> Infix(operands[0], "&", operands[1]))
        | Or, _ ->
            elementwise context e (fun (operands: CSharp.Expr list) -> Infix(operands[0], "|", operands[1]))
        | Not, [ a ] -> call (lower context a) "logical_not" []
        | Op.Select, [ condition; a; b ] -> select context e condition a b
        | Contract(left, right), [ a; b ] -> contract context left right a b
        | Permute axes, [ a ] -> permute context axes a
        | Op.Reduce(reduction, axes), [ a ] -> reduce context reduction axes a
        | Broadcast(shape, axes), [ a ] -> broadcast context shape axes a
        | Op.Index(axis, position), [ a ] ->
            call (lower context a) "select" [ integer (axis - a.Shape.Length); integer position ]
        | Op.Slice(axis, from, upTo), [ a ] ->
            call
                (lower context a)
                "narrow"
                [ integer (axis - a.Shape.Length)
                  dim context from
                  dim context (Dim.subtract upTo from) ]
        | Pad(axis, from, size), [ a ] -> pad context axis from size a
        | Stack, args -> stack context e args
        | Concat, args -> concat context e args
        | Reshape shape, [ a ] -> reshape context shape a
        | Op.Diagonal, [ a ] -> call (lower context a) "diagonal" [ integer 0; integer -2; integer -1 ]
        | DiagonalMatrix, [ a ] -> call (lower context a) "diag_embed" []
        | Identity n, _ -> Invoke(Name "eye", argument (dim context n) :: context.Placement)
        | BatchSum, [ a ] -> lower context a
        | op, args -> Build.internalError "The torch back end met %A with %d operands." op args.Length

/// One number everywhere.
and private uniform context e =
    match e with
    | Scalar x -> context.Filled (sizes context false e.Shape) (scalar x)
    | _ -> lower context e

/// An operand of an elementwise operation whose result has `rank` axes. A number stays a number; a repeated tensor
/// is only lined up where another operand already has the whole shape.
and private operand context rank repeats (e: Expr.Expr) =
    match e, e.Op, e.Args with
    | Scalar x, _, _ -> numberLiteral x
    | _, Broadcast(shape, axes), [ a ] when repeats && (context.Named e).IsNone ->
        aligned context shape axes a
    | _ ->
        let value = lower context e
        if e.Shape.IsEmpty && batching e <> Single then unsqueezed rank value else value

/// New axes of length one where the shape has more.
and private aligned context (shape: Shape.Shape) axes (a: Expr.Expr) =
    let value = lower context a

    let missing =
        [ 0 .. shape.Length - 1 ] |> List.filter (fun axis -> not (List.contains axis axes))

    if a.Shape.IsEmpty && batching a = Single then
        value
    else
        // From the last axis on, so that positions from the end are final.
        missing
        |> List.rev
        |> List.fold (fun value axis -> call value "unsqueeze" [ integer (axis - shape.Length) ]) value

and private isRepeated context (e: Expr.Expr) =
    match e.Op with
    | Broadcast _ -> (context.Named e).IsNone
    | _ -> false

and private elementwise context (e: Expr.Expr) (combine: CSharp.Expr list -> CSharp.Expr) : CSharp.Expr =
    let isWhole (a: Expr.Expr) = a.Shape.Length = e.Shape.Length && isTensor a && not (isRepeated context a)
    let hasWhole = List.exists isWhole e.Args

    match e.Args |> List.tryFind isTensor with
    // No operand has the whole shape: the first that varies gets it.
    | Some widest when not e.Shape.IsEmpty && not hasWhole ->
        e.Args
        |> List.map (fun a ->
            if a = widest then
                expanded context e.Shape a
            else
                operand context e.Shape.Length true a)
        |> combine
    | Some _ -> e.Args |> List.map (operand context e.Shape.Length hasWhole) |> combine
    | None ->
        match e.Args with
        | first :: rest ->
            combine (uniform context first :: List.map (operand context e.Shape.Length hasWhole) rest)
        | [] -> combine []

/// A tensor brought to a whole shape.
and private expanded context (shape: Shape.Shape) (a: Expr.Expr) =
    match a.Op, a.Args with
    | Broadcast _, _ -> lower context a
    | _ when a.Shape.IsEmpty -> broadcast context shape [] a
    | _ -> lower context a

/// W @ x + b in one call where W and b are shared by the batch; a sum with a negative term as a difference.
and private sum context e a b =
    match affine context a b, affine context b a with
    | Some call, _
    | None, Some call -> call
    | None, None ->
        elementwise context e (fun (operands: CSharp.Expr list) ->
            match operands[1], b.Op, b.Args with
            | Prefix("-", positive), _, _ -> Infix(operands[0], "-", positive)
            | second, _, _ -> Infix(operands[0], "+", second))

and private affine context (product: Expr.Expr) (bias: Expr.Expr) =
    let isBias =
        bias.Shape.Length = 1
        && batching bias = Single
        && isTensor bias
        && not (isRepeated context bias)

    match product.Op, product.Args with
    | Contract(left, right), [ a; b ] when isBias && (context.Named product).IsNone ->
        let linear (weight: CSharp.Expr) input =
            Some(invoke "linear" [ lower context input; weight; lower context bias ])

        match a.Shape.Length, b.Shape.Length, left, right with
        | 2, 1, [ 1 ], [ 0 ] when batching a = Single -> linear (lower context a) b
        | 2, 1, [ 0 ], [ 0 ] when batching a = Single -> linear (transposed context a) b
        | 1, 2, [ 0 ], [ 0 ] when batching b = Single -> linear (transposed context b) a
        | 1, 2, [ 0 ], [ 1 ] when batching b = Single -> linear (lower context b) a
        | _ -> None
    | _ -> None

and private power context e basis exponent =
    let target () =
        match basis with
        | Scalar x -> beside context (lower context exponent) x
        | _ when basis.Shape.IsEmpty && not e.Shape.IsEmpty -> operand context e.Shape.Length false basis
        | _ -> lower context basis

    match exponent with
    | Scalar 0.5 -> call (target ()) "sqrt" []
    | Scalar -1.0 -> call (target ()) "reciprocal" []
    | Scalar -0.5 -> call (target ()) "rsqrt" []
    | Scalar 2.0 -> call (target ()) "square" []
    | Scalar x -> call (target ()) "pow" [ scalar x ]
    | _ -> call (target ()) "pow" [ operand context e.Shape.Length false exponent ]

/// Functions of `Builtins` say how they are called. Numbers among the operands become tensors.
and private builtin context e name attributes args =
    let primitive = Catalogue.findPrimitive name

    let tensors =
        match primitive.Derivative with
        | Builtin.Elementwise _ ->
            let whole =
                args |> List.filter isTensor |> List.sortByDescending _.Shape.Length |> List.tryHead

            args
            |> List.map (fun a ->
                match a, whole with
                | Scalar x, Some whole -> beside context (operand context e.Shape.Length false whole) x
                | _ -> operand context e.Shape.Length false a)
        | Builtin.General _ -> args |> List.map (lower context)

    // An elementwise operand has been given the axes of the result.
    let rank (a: Expr.Expr) =
        match primitive.Derivative with
        | Builtin.Elementwise _ -> e.Shape.Length
        | Builtin.General _ -> a.Shape.Length

    primitive.Torch attributes (List.zip tensors (List.map rank args))

and private select context e condition a b =
    let rank = e.Shape.Length
    let condition' = operand context rank false condition
    let single x = context.Filled (Collection []) (scalar x)

    match a, b with
    | Scalar x, Scalar y ->
        let mask =
            if condition.Shape.Length < rank then
                lower context (Build.broadcast e.Shape [] condition)
            else
                condition'

        invoke "where" [ mask; single x; single y ]
    | Scalar x, _ ->
        let b = lower context b
        invoke "where" [ condition'; beside context b x; b ]
    | _, Scalar y ->
        let a = lower context a
        invoke "where" [ condition'; a; beside context a y ]
    | _ -> invoke "where" [ condition'; operand context rank false a; operand context rank false b ]

/// The matrix whose axes are exchanged.
and private transposed context (matrix: Expr.Expr) =
    match matrix.Op, matrix.Args with
    | Permute [ 1; 0 ], [ inner ] when (context.Named matrix).IsNone -> lower context inner
    | _ -> Member(lower context matrix, (if batching matrix = Single then "T" else "mT"))

and private contract context left right a b =
    let matrixVector (matrix: Expr.Expr) axis vector =
        if batching matrix = Single then
            let m = if axis = 1 then transposed context matrix else lower context matrix
            call (lower context vector) "matmul" [ m ]
        else
            let m = if axis = 1 then lower context matrix else transposed context matrix

            if batching vector = Single then
                call m "matmul" [ lower context vector ]
            else
                call (call m "matmul" [ unsqueezed 1 (lower context vector) ]) "squeeze" [ integer -1 ]

    match a.Shape.Length, b.Shape.Length, left, right with
    | 1, 1, [ 0 ], [ 0 ] -> call (Infix(lower context a, "*", lower context b)) "sum" [ integer -1 ]
    | 2, 1, [ axis ], [ 0 ] -> matrixVector a axis b
    | 1, 2, [ 0 ], [ axis ] -> matrixVector b axis a
    | 2, 2, [ i ], [ j ] ->
        let l = if i = 1 then lower context a else transposed context a
        let r = if j = 0 then lower context b else transposed context b
        call l "matmul" [ r ]
    | 1, 1, [], [] ->
        Infix(
            call (lower context a) "unsqueeze" [ integer -1 ],
            "*",
            call (lower context b) "unsqueeze" [ integer -2 ]
        )
    | 2, 2, [ 0; 1 ], [ 0; 1 ]
    | 2, 2, [ 1; 0 ], [ 1; 0 ] ->
        call (Infix(lower context a, "*", lower context b)) "sum" [ integer -2; integer -1 ]
    | _ -> invoke "einsum" [ Literal(einsum left right a b); lower context a; lower context b ]

and private permute context axes a =
    match axes with
    | [ 1; 0 ] -> transposed context a
    | _ when batching a = Single -> call (lower context a) "permute" (axes |> List.map integer)
    | _ ->
        let letters = axes |> List.map (fun i -> char (int 'i' + i))
        let source = String [| for i in 0 .. axes.Length - 1 -> char (int 'i' + i) |]

        invoke
            "einsum"
            [ Literal(sprintf "\"...%s->...%s\"" source (String(List.toArray letters)))
              lower context a ]

and private reduce context reduction axes a =
    let value () = lower context a
    let fromEnd = axes |> List.map (fun axis -> axis - a.Shape.Length)

    match reduction, a with
    | Reduction.Sum, Build.One when a.Shape.Length = 1 ->
        context.Filled (Collection []) (dim context a.Shape[0])
    | Reduction.Sum, _ when axes.Length <= 3 -> call (value ()) "sum" (fromEnd |> List.map integer)
    | Reduction.Sum, _ -> call (value ()) "sum" [ Collection(fromEnd |> List.map integer) ]
    | Product, _ ->
        // From the last axis on: the others keep their positions from the end as axes disappear behind them.
        fromEnd |> List.fold (fun value axis -> call value "prod" [ integer axis ]) (value ())
    | Maximum, _ -> call (value ()) "amax" (fromEnd |> List.map integer)
    | Minimum, _ -> call (value ()) "amin" (fromEnd |> List.map integer)

and private broadcast context shape axes a =
    let value = aligned context shape axes a

    match batching a with
    | PerTime ->
        // Time may or may not have the batch's axes: it gets them first.
        call value "expand" [ sizes context true shape ]
    | PerSample -> call value "expand" [ sizes context true shape ]
    | Single -> call value "expand" [ sizes context false shape ]

and private pad context axis from size a =
    let rank = a.Shape.Length
    let behind = Dim.subtract size (Dim.add from a.Shape[axis])
    let untouched = List.replicate (2 * (rank - 1 - axis)) (integer 0)
    invoke "pad" [ lower context a; Collection(untouched @ [ dim context from; dim context behind ]) ]

/// The operands of a stack or a concatenation, all with the batch axes or all without. Time alone may or may not have
/// them: it gets them.
and private sameBatch context (args: Expr.Expr list) =
    let common = mostBatched args

    let sibling =
        args
        |> List.tryFind (fun a ->
            isTensor a && batching a = common && common <> PerTime && (context.Named a).IsSome)

    args
    |> List.map (fun a ->
        match a, sibling with
        | Scalar x, Some s when s.Shape = a.Shape -> filledLike (lower context s) x
        | Scalar x, _ -> context.Filled (sizes context (common <> Single) a.Shape) (scalar x)
        | _ when common = Single || batching a = PerSample -> lower context a
        | _, Some s when s.Shape = a.Shape -> call (lower context a) "expand_as" [ lower context s ]
        | _ -> call (lower context a) "expand" [ sizes context true a.Shape ])

and private stack context e args =
    match e with
    | Table values -> table context e values
    | _ -> invoke "stack" [ Collection(sameBatch context args); integer -e.Shape.Length ]

and private concat context e args =
    match e with
    | Table values -> table context e values
    | _ ->
        let parts =
            List.map2
                (fun (a: Expr.Expr) value -> if a.Shape.IsEmpty then unsqueezed 1 value else value)
                args
                (sameBatch context args)

        invoke "cat" [ Collection parts; integer -e.Shape.Length ]

and private table context e values =
    let array = ArrayOf("double", List.map numberLiteral values)

    let shape =
        if e.Shape.Length = 1 then
            []
        else
            [ argument (Collection(dims context e.Shape)) ]

    Invoke(Name "tensor", [ argument array ] @ shape @ context.Placement)

/// Flattening and views of vectors need no batch; anything else names the whole shape.
and private reshape context shape a =
    let value = lower context a

    match a.Shape.Length, shape.Length, batching a with
    | 0, 1, _ -> unsqueezed 1 value
    | 1, 0, _ -> call value "squeeze" [ integer -1 ]
    | 1, 1, _ -> value
    | rank, 1, _ -> call value "flatten" [ integer -rank ]
    | _, _, Single -> call value "reshape" [ sizes context false shape ]
    | _, _, PerSample -> call value "reshape" [ sizes context true shape ]
    | _, _, PerTime ->
        call (call value "expand" [ sizes context true a.Shape ]) "reshape" [ sizes context true shape ]
