/// The shape rules of operators, with the errors that name both operands. Everything is strict: elementwise
/// operands have one shape, or one of them is a scalar.
module internal DiffEqLang.Compiler.Checking.Operators

open DiffEqLang.Contracts
open DiffEqLang.Compiler.Syntax
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Shape
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Checking.Errors
open DiffEqLang.Compiler.Checking.Context

/// An operand: as written, and what it became.
type Part = { Tree: Tree.Expr; Expr: Expr }

let shown context (part: Part) = operand context part.Tree part.Expr.Shape

/// As the user writes it.
let symbol (operator: Tree.BinaryOperator) =
    match operator with
    | Tree.Add -> "+"
    | Tree.Subtract -> "-"
    | Tree.Multiply -> "*"
    | Tree.Divide -> "/"
    | Tree.Power -> "^"
    | Tree.Contract -> "@"
    | Tree.Less -> "<"
    | Tree.LessOrEqual -> "<="
    | Tree.Greater -> ">"
    | Tree.GreaterOrEqual -> ">="
    | Tree.Equal -> "=="
    | Tree.NotEqual -> "!="
    | Tree.And -> "and"
    | Tree.Or -> "or"

/// Arithmetic takes numbers: a truth value is an error.
let isNumber context construct (part: Part) =
    if part.Expr.IsBoolean then
        report context part.Tree.Span (Shape(NumberIsCondition(construct, textOf context part.Tree.Span)))

    not part.Expr.IsBoolean

/// Logic takes truth values: a number is an error.
let isCondition context construct (part: Part) =
    if not part.Expr.IsBoolean then
        report context part.Tree.Span (Shape(ConditionIsNumber(construct, textOf context part.Tree.Span)))

    part.Expr.IsBoolean

let fitElementwise (a: Shape) (b: Shape) = a = b || Shape.isScalar a || Shape.isScalar b

let private contracts (a: Shape) (b: Shape) =
    not (Shape.isScalar a || Shape.isScalar b) && List.last a = List.head b

/// `M * v` is refused by its shapes; where `M @ v` would do, the message says so.
let private elementwiseError context operator left right =
    let isProduct = operator = Tree.Multiply && contracts left.Expr.Shape right.Expr.Shape
    let left, right = shown context left, shown context right

    if isProduct then
        ProductMeansContract(left, right)
    else
        ElementwiseShapes(symbol operator, left, right)

let private elementwise context operator span build left right =
    if fitElementwise left.Expr.Shape right.Expr.Shape then
        Some(build left.Expr right.Expr)
    else
        fail context span (Shape(elementwiseError context operator left right))

let private contract context span left right =
    if Shape.isScalar left.Expr.Shape || Shape.isScalar right.Expr.Shape then
        fail context span (Shape(ContractScalar(shown context left, shown context right)))
    elif contracts left.Expr.Shape right.Expr.Shape then
        Some(Build.matmul left.Expr right.Expr)
    else
        fail context span (Shape(ContractShapes(shown context left, shown context right)))

/// `left operator right`; `span` is the operator's.
let binary context operator (span: SourceSpan) (left: Part) (right: Part) : Expr option =
    let name = symbol operator

    let both accepts combine =
        // Both are asked, so that both are reported.
        match accepts context name left, accepts context name right with
        | true, true -> combine ()
        | _ -> None

    let arithmetic build = both isNumber (fun () -> elementwise context operator span build left right)

    let logic build = both isCondition (fun () -> elementwise context operator span build left right)

    match operator with
    | Tree.Add -> arithmetic Build.add
    | Tree.Subtract -> arithmetic Build.sub
    | Tree.Multiply -> arithmetic Build.mul
    | Tree.Divide -> arithmetic Build.div
    | Tree.Power -> arithmetic Build.pow
    | Tree.Contract -> both isNumber (fun () -> contract context span left right)
    | Tree.Less -> arithmetic (Build.compare Less)
    | Tree.LessOrEqual -> arithmetic (Build.compare LessOrEqual)
    | Tree.Greater -> arithmetic (Build.compare Greater)
    | Tree.GreaterOrEqual -> arithmetic (Build.compare GreaterOrEqual)
    | Tree.Equal -> arithmetic (Build.compare Equal)
    | Tree.NotEqual -> arithmetic (Build.compare NotEqual)
    | Tree.And -> logic Build.logicalAnd
    | Tree.Or -> logic Build.logicalOr

let unary context operator (part: Part) =
    match operator with
    | Tree.Plus -> if isNumber context "+" part then Some part.Expr else None
    | Tree.Minus -> if isNumber context "-" part then Some(Build.neg part.Expr) else None
    | Tree.Not ->
        if isCondition context "not" part then
            Some(Build.logicalNot part.Expr)
        else
            None

let transpose context (part: Part) =
    if Shape.rank part.Expr.Shape = 2 then
        Some(Build.transpose part.Expr)
    else
        fail context part.Tree.Span (Shape(TransposeRank(shown context part)))

/// `[a, b]`: equal shapes on a new first axis.
let stack context (span: SourceSpan) (items: Part list) =
    let areNumbers = items |> List.map (isNumber context "a stack") |> List.forall id

    match items with
    | [] -> fail context span (Shape EmptyStack)
    | first :: rest when areNumbers ->
        match rest |> List.tryFind (fun item -> item.Expr.Shape <> first.Expr.Shape) with
        | Some other ->
            fail context other.Tree.Span (Shape(StackShapes(shown context first, shown context other)))
        | None -> Some(Build.stack (items |> List.map _.Expr))
    | _ -> None

/// `if c then a else b`: the branches of one shape, or one a scalar; the condition too, or a scalar.
let choose context (condition: Part) (thenBranch: Part) (elseBranch: Part) =
    let fits a b = fitElementwise a.Expr.Shape b.Expr.Shape

    let accepted =
        [ isCondition context "if" condition
          isNumber context "a branch" thenBranch
          isNumber context "a branch" elseBranch ]

    if not (List.forall id accepted) then
        None
    elif not (fits thenBranch elseBranch) then
        fail
            context
            elseBranch.Tree.Span
            (Shape(BranchShapes(shown context thenBranch, shown context elseBranch)))
    else
        let wider = if Shape.isScalar thenBranch.Expr.Shape then elseBranch else thenBranch

        if fits condition wider then
            Some(Build.select condition.Expr thenBranch.Expr elseBranch.Expr)
        else
            fail
                context
                condition.Tree.Span
                (Shape(ElementwiseShapes("if", shown context condition, shown context wider)))
