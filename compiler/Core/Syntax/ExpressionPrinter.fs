/// Expressions as text: products tight (`a*b`, `x^2`), all else spaced (`a + b`, `W @ x`), long ones broken behind an
/// operator or inside brackets, where a line goes on by itself.
module internal DiffEqLang.Compiler.Syntax.ExpressionPrinter

open DiffEqLang.Compiler.Printing.Document
open DiffEqLang.Compiler.Syntax.Tree

/// The operator with its surroundings: what stands before a possible line end, and whether that is a space.
let private spelling operator =
    match operator with
    | Add -> " +", true
    | Subtract -> " -", true
    | Multiply -> "*", false
    | Divide -> "/", false
    | Power -> "^", false
    | Contract -> " @", true
    | Less -> " <", true
    | LessOrEqual -> " <=", true
    | Greater -> " >", true
    | GreaterOrEqual -> " >=", true
    | Equal -> " ==", true
    | NotEqual -> " !=", true
    | And -> " and", true
    | Or -> " or", true

let private unary operator =
    match operator with
    | Plus -> "+"
    | Minus -> "-"
    | Not -> "not "

/// The columns that one row of a broken chain takes.
let private longestRow = 72

let flatText document = (layout System.Int32.MaxValue document).TrimEnd '\n'

/// Content between brackets that may go onto lines of its own.
let bracketed (opening: string) (closing: string) (items: Document list) =
    match items with
    | [] -> Text(opening + closing)
    | items ->
        let content = separated (Text "," ^^ space) items
        Group(Text opening ^^ Nest(2, softBreak ^^ content) ^^ softBreak ^^ Text closing)

/// The operands of a chain `a + b - c` down its left side, without recursion: chains may be long.
let private leftSpine expr =
    let rec down (expr: Expr) (behind: (BinaryOperator * Expr) list) =
        match expr.Kind with
        | Binary(operator, left, _, right) when operator <> Power -> down left ((operator, right) :: behind)
        | _ -> expr, behind

    down expr []

let rec expression (expr: Expr) : Document =
    match expr.Kind with
    | Number(_, text) -> Text text
    | Name name -> Text name
    | Prime(name, order) -> Text(name.Name + String.replicate order "'")
    | Unary(operator, operand) -> Text(unary operator) ^^ expression operand
    | Binary(Power, left, _, right) -> expression left ^^ Text "^" ^^ expression right
    | Binary _ -> chain expr
    | Call(callee, given) -> Text callee.Name ^^ arguments given
    | Index(target, subscripts) -> expression target ^^ bracketed "[" "]" (List.map subscript subscripts)
    // A point right behind a number would be its decimal point.
    | Transpose({ Kind = Number _ } as target) -> expression target ^^ Text " .T"
    | Transpose target -> expression target ^^ Text ".T"
    | Stack items -> bracketed "[" "]" (List.map expression items)
    | If(condition, thenBranch, elseBranch) ->
        Text "if "
        ^^ expression condition
        ^^ space
        ^^ Text "then "
        ^^ expression thenBranch
        ^^ space
        ^^ Text "else "
        ^^ expression elseBranch
        |> Group
    | Parenthesized inner ->
        Group(Text "(" ^^ Nest(2, softBreak ^^ expression inner) ^^ softBreak ^^ Text ")")
    | ImplicitPart inner ->
        Group(Text "implicit {" ^^ Nest(2, space ^^ expression inner) ^^ space ^^ Text "}")
    | Quoted text -> Text $"\"{text}\""
    | Missing -> invalidOp "only files without syntax errors are formatted"

/// Operands are packed into rows; a chain too long for one line has one row a line.
and private chain expr =
    let first, rest = leftSpine expr
    let mutable length = (flatText (expression first)).Length
    let mutable result = expression first

    for operator, operand in rest do
        let text, spaced = spelling operator
        let operand = expression operand
        let added = text.Length + (flatText operand).Length + 1
        let between = if spaced then " " else ""
        length <- length + added

        if length > longestRow then
            length <- added
            result <- result ^^ Text text ^^ Break between ^^ operand
        else
            result <- result ^^ Text(text + between) ^^ operand

    Group result

and arguments (given: Argument list) : Document = bracketed "(" ")" (List.map argument given)

and private argument argument =
    match argument.Name with
    | Some name -> Text(name.Name + " = ") ^^ expression argument.Value
    | None -> expression argument.Value

and private subscript subscript =
    let part = Option.map expression >> Option.defaultValue Empty

    match subscript with
    | At index -> expression index
    | Range(from, upTo, _) -> part from ^^ Text ".." ^^ part upTo
