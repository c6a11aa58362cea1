/// Operations element by element: operands are brought to one rank, numbers stay numbers.
module internal DiffEqLang.Compiler.Backends.Torch.Elementwise

open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp.Literals
open DiffEqLang.Compiler.Builtins
open DiffEqLang.Compiler.Backends.Torch.Arrangement
open DiffEqLang.Compiler.Backends.Torch.Batching
open DiffEqLang.Compiler.Backends.Torch.Contraction
open DiffEqLang.Compiler.Backends.Torch.Context

/// One number everywhere.
let uniform (context: Context) (e: Expr.Expr) =
    match e with
    | Build.Uniform x -> context.Place.Filled (sizes context.Place false e.Shape) (scalar x)
    | _ -> context.Lower e

/// A tensor brought to a whole shape.
let private expanded (context: Context) (shape: Shape.Shape) (a: Expr.Expr) =
    match a.Op, a.Args with
    | Broadcast _, _ -> context.Lower a
    | _ when a.Shape.IsEmpty -> broadcast context shape [] a
    | _ -> context.Lower a

/// An operand of an elementwise operation whose result has `rank` axes. A number stays a number; a repeated tensor
/// is only lined up where another operand already has the whole shape.
let private operand (context: Context) rank repeats (e: Expr.Expr) =
    match e, e.Op, e.Args with
    | Build.Uniform x, _, _ -> scalar x
    | _, Broadcast(shape, axes), [ a ] when repeats && context.IsInlined e -> aligned context shape axes a
    | _ ->
        let value = context.Lower e
        if e.Shape.IsEmpty && batching e <> Single then unsqueezed rank value else value

let private elementwise
    (context: Context)
    (e: Expr.Expr)
    (combine: CSharp.Expr list -> CSharp.Expr)
    : CSharp.Expr =
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

let private binary context e operator =
    elementwise context e (fun operands -> Infix(operands[0], operator, operands[1]))

let private isNumber (e: CSharp.Expr) =
    match e with
    | Member(Name "Scalars", _)
    | Invoke(Member(Name "Scalars", "Of"), _) -> true
    | _ -> false

let private sumOf = Member(Name "Sums", "Of")

/// `Sums.Of(a, b, c)`: see `runtime/Equations/Sums.cs` for why not `a + b + c`.
let private plus left right =
    match left, right with
    | left, right when isNumber left -> Invoke(sumOf, [ argument left; argument right ])
    | left, right when isNumber right -> Invoke(sumOf, [ argument right; argument left ])
    | left, Prefix("-", positive) -> Infix(left, "-", positive)
    | Invoke(callee, terms), right when callee = sumOf && not (isNumber terms.Head.Value) ->
        Invoke(sumOf, terms @ [ argument right ])
    | left, right -> Invoke(sumOf, [ argument left; argument right ])

/// A sum with a negative term as a difference.
let sum (context: Context) (e: Expr.Expr) a b =
    match affine context a b, affine context b a with
    | Some call, _
    | None, Some call -> call
    | None, None -> elementwise context e (fun operands -> plus operands[0] operands[1])

/// A number less a tensor is a sum with the tensor's negative.
let difference context e =
    elementwise context e (fun operands ->
        match operands with
        | [ number; Prefix("-", positive) ] when isNumber number -> plus number positive
        | [ number; tensor ] when isNumber number -> plus number (Prefix("-", tensor))
        | operands -> Infix(operands[0], "-", operands[1]))

/// A cotangent times the derivative of tanh by its own result, which the runtime does in fewer passes.
let private (|TanhPullback|_|) (context: Context) (args: Expr.Expr list) =
    let fits (cotangent: Expr.Expr) (result: Expr.Expr) =
        cotangent.DependsOn.HasFlag Dependence.Cotangent
        && cotangent.Shape = result.Shape
        && isTensor cotangent

    match args with
    | [ cotangent
        { Op = Subtract
          Args = [ Build.One; { Op = Power; Args = [ result; Build.Uniform 2.0 ] } as square ] } as derivative ]
    | [ { Op = Subtract
          Args = [ Build.One; { Op = Power; Args = [ result; Build.Uniform 2.0 ] } as square ] } as derivative
        cotangent ] when context.IsInlined derivative && context.IsInlined square && fits cotangent result ->
        match result.Op with
        | Op.Call("tanh", _) -> Some(cotangent, result)
        | _ -> None
    | _ -> None

let product context (e: Expr.Expr) =
    match e.Args with
    | TanhPullback context (cotangent, result) ->
        call (Name "Pullback") "Tanh" [ context.Lower cotangent; context.Lower result ]
    | _ -> binary context e "*"

let quotient context e = binary context e "/"

let power (context: Context) (e: Expr.Expr) (basis: Expr.Expr) (exponent: Expr.Expr) =
    let target () =
        match basis with
        | Build.Uniform x -> beside context (context.Lower exponent) x
        | _ when basis.Shape.IsEmpty && not e.Shape.IsEmpty -> operand context e.Shape.Length false basis
        | _ -> context.Lower basis

    match exponent with
    | Build.Uniform 0.5 -> call (target ()) "sqrt" []
    | Build.Uniform -1.0 -> call (target ()) "reciprocal" []
    | Build.Uniform -0.5 -> call (target ()) "rsqrt" []
    // Not `square()`, which hands torch a number that nothing keeps alive.
    | Build.Uniform x -> call (target ()) "pow" [ scalar x ]
    | _ -> call (target ()) "pow" [ operand context e.Shape.Length false exponent ]

/// Functions of `Builtins` say how they are called. Numbers among the operands become tensors.
let builtin (context: Context) (e: Expr.Expr) name attributes (args: Expr.Expr list) =
    let primitive = Catalogue.findPrimitive name

    let tensors =
        match primitive.Derivative with
        | Builtin.Elementwise _ ->
            let whole =
                args |> List.filter isTensor |> List.sortByDescending _.Shape.Length |> List.tryHead

            args
            |> List.map (fun a ->
                match a, whole with
                | Build.Uniform x, Some whole ->
                    beside context (operand context e.Shape.Length false whole) x
                | _ -> operand context e.Shape.Length false a)
        | Builtin.General _ -> args |> List.map context.Lower

    // An elementwise operand has been given the axes of the result.
    let rank (a: Expr.Expr) =
        match primitive.Derivative with
        | Builtin.Elementwise _ -> e.Shape.Length
        | Builtin.General _ -> a.Shape.Length

    primitive.Torch attributes (List.zip tensors (List.map rank args))

let select (context: Context) (e: Expr.Expr) (condition: Expr.Expr) a b =
    let rank = e.Shape.Length
    let condition' = operand context rank false condition
    let single x = context.Place.Filled (Collection []) (scalar x)

    match a, b with
    | Build.Uniform x, Build.Uniform y ->
        let mask =
            if condition.Shape.Length < rank then
                context.Lower(Build.broadcast e.Shape [] condition)
            else
                condition'

        invoke "where" [ mask; single x; single y ]
    | Build.Uniform x, _ ->
        let b = context.Lower b
        invoke "where" [ condition'; beside context b x; b ]
    | _, Build.Uniform y ->
        let a = context.Lower a
        invoke "where" [ condition'; a; beside context a y ]
    | _ -> invoke "where" [ condition'; operand context rank false a; operand context rank false b ]

let private comparison c =
    match c with
    | Less -> Choice1Of2 "<"
    | LessOrEqual -> Choice1Of2 "<="
    | Greater -> Choice1Of2 ">"
    | GreaterOrEqual -> Choice1Of2 ">="
    | Equal -> Choice2Of2 "eq"
    | NotEqual -> Choice2Of2 "ne"

let compare context e c =
    match comparison c with
    | Choice1Of2 operator -> binary context e operator
    | Choice2Of2 name -> elementwise context e (fun operands -> call operands[0] name [ operands[1] ])

let logicalAnd context e = binary context e "&"
let logicalOr context e = binary context e "|"
