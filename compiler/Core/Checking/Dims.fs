/// Sizes: integer arithmetic over dims, and the shapes that types write with it.
module internal DiffEqLang.Compiler.Checking.Dims

open DiffEqLang.Compiler.Syntax
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Shape
open DiffEqLang.Compiler.Checking.Errors
open DiffEqLang.Compiler.Checking.Context

/// The largest whole number that a double holds without gaps.
let private largest = 9007199254740992.0

let private power (operand: Dim) (exponent: Dim) =
    match Dim.tryConstant exponent with
    | Some k when k >= 0L && k <= 16L -> Some(List.fold Dim.multiply Dim.one (List.replicate (int k) operand))
    | _ -> None

let private arithmetic (operator: Tree.BinaryOperator) (a: Dim) (b: Dim) =
    match operator with
    | Tree.Add -> Some(Dim.add a b)
    | Tree.Subtract -> Some(Dim.subtract a b)
    | Tree.Multiply -> Some(Dim.multiply a b)
    | Tree.Divide -> Dim.tryConstant b |> Option.bind (Dim.tryDivide a)
    | Tree.Power -> power a b
    | Tree.Contract
    | Tree.Less
    | Tree.LessOrEqual
    | Tree.Greater
    | Tree.GreaterOrEqual
    | Tree.Equal
    | Tree.NotEqual
    | Tree.And
    | Tree.Or -> None

/// Whether a value's error is already reported.
let isPoisoned (context: Context) (e: Tree.Expr) =
    Traversal.parts e
    |> List.exists (fun part ->
        match part.Kind with
        | Tree.Name name ->
            match lookup context name with
            | Some Poisoned
            | None -> name <> "t" && name <> "pi" && name <> "inf"
            | Some(Known _)
            | Some(Size _)
            | Some(Inlined _)
            | Some(Network _) -> false
        | Tree.Missing -> true
        | Tree.Number _
        | Tree.Prime _
        | Tree.Unary _
        | Tree.Binary _
        | Tree.Call _
        | Tree.Index _
        | Tree.Transpose _
        | Tree.Stack _
        | Tree.If _
        | Tree.Quoted _
        | Tree.ImplicitPart _
        | Tree.Parenthesized _ -> false)

/// The size that an expression means, if it is made of whole numbers and dims alone.
let rec trySize (context: Context) (e: Tree.Expr) : Dim option =
    match e.Kind with
    | Tree.Number(value, _) when value = floor value && abs value < largest ->
        Some(Dim.constant (int64 value))
    | Tree.Name name ->
        match lookup context name with
        | Some(Size size) -> Some size
        | Some(Known _)
        | Some(Inlined _)
        | Some(Network _)
        | Some Poisoned
        | None -> None
    | Tree.Parenthesized operand
    | Tree.Unary(Tree.Plus, operand) -> trySize context operand
    | Tree.Unary(Tree.Minus, operand) -> trySize context operand |> Option.map (Dim.scale -1L)
    | Tree.Binary(operator, left, _, right) ->
        match trySize context left, trySize context right with
        | Some a, Some b ->
            try
                arithmetic operator a b
            with :? System.OverflowException ->
                None
        | _ -> None
    | Tree.Number _
    | Tree.Prime _
    | Tree.Unary(Tree.Not, _)
    | Tree.Call _
    | Tree.Index _
    | Tree.Transpose _
    | Tree.Stack _
    | Tree.If _
    | Tree.Quoted _
    | Tree.ImplicitPart _
    | Tree.Missing -> None

/// A size of at least one (where it is known).
let size (context: Context) (e: Tree.Expr) : Dim option =
    match trySize context e with
    | Some size ->
        match Dim.tryConstant size with
        | Some n when n < 1L -> fail context e.Span (Shape(SizeNotPositive(textOf context e.Span, string n)))
        | _ -> Some size
    | None when isPoisoned context e -> None
    | None -> fail context e.Span (Shape(SizeNotInteger(textOf context e.Span)))

/// All of the results, where none is missing.
let allOrNone (items: 'T option list) =
    if List.forall Option.isSome items then Some(List.choose id items) else None

/// `R`, `R[2*h, n + 1]`
let shape (context: Context) (typeExpr: Tree.TypeExpr) : Shape option =
    if typeExpr.Base.Name <> "R" then
        fail context typeExpr.Base.Span (Shape(UnknownType typeExpr.Base.Name))
    else
        typeExpr.Dims |> List.map (size context) |> allOrNone

/// The shape of a declaration; a scalar where no type is written.
let declaredShape context (typeExpr: Tree.TypeExpr option) =
    match typeExpr with
    | Some typeExpr -> shape context typeExpr
    | None -> Some Shape.scalar
