/// Lays C# expressions out: precedence decides parentheses, the document algebra decides lines.
module internal DiffEqLang.Compiler.Printing.CSharpExpressionLayout

open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Printing.Document

/// How tightly an expression binds (ECMA-334, 12.4.2); larger binds tighter.
type private Precedence =
    | Loose = 0
    | Conditional = 1
    | Coalescing = 2
    | Or = 3
    | And = 4
    | BitOr = 5
    | BitXor = 6
    | BitAnd = 7
    | Equality = 8
    | Relational = 9
    | Shift = 10
    | Additive = 11
    | Multiplicative = 12
    | Switch = 13
    | Unary = 14
    | Primary = 15

let private ofOperator operator =
    match operator with
    | "??" -> Precedence.Coalescing
    | "||" -> Precedence.Or
    | "&&" -> Precedence.And
    | "|" -> Precedence.BitOr
    | "^" -> Precedence.BitXor
    | "&" -> Precedence.BitAnd
    | "=="
    | "!=" -> Precedence.Equality
    | "<"
    | "<="
    | ">"
    | ">="
    | "is" -> Precedence.Relational
    | "<<"
    | ">>" -> Precedence.Shift
    | "+"
    | "-" -> Precedence.Additive
    | "*"
    | "/"
    | "%" -> Precedence.Multiplicative
    | other -> invalidArg (nameof operator) (sprintf "no C# operator is spelled %s" other)

let private precedence expr =
    match expr with
    | Literal text when text.StartsWith '-' -> Precedence.Unary
    | Name _
    | Literal _
    | Member _
    | Invoke _
    | Element _
    | Collection _
    | New _
    | Initialized _
    | ArrayOf _
    | StackAlloc _
    | Tuple _ -> Precedence.Primary
    | Prefix _ -> Precedence.Unary
    | Infix(_, operator, _) -> ofOperator operator
    | Conditional _ -> Precedence.Conditional
    | Switch _ -> Precedence.Switch
    | Spread _
    | OutVar _
    | OutTarget _
    | Lambda _
    | Throw _ -> Precedence.Loose

let comma = Text "," ^^ space

let private startsWithSign operator expr =
    match expr with
    | Prefix(inner, _) -> inner = operator
    | Literal text -> text.StartsWith operator
    | _ -> false

/// An operand of no more columns does not stand on a line of its own.
let private longestShort = 16

/// More literals than this are laid out in rows.
let private longestList = 32

let private isLiteral expr =
    match expr with
    | Literal _ -> true
    | Name _
    | Member _
    | Invoke _
    | Element _
    | Collection _
    | Prefix _
    | Infix _
    | Conditional _
    | New _
    | Initialized _
    | ArrayOf _
    | Tuple _
    | Spread _
    | Switch _
    | OutVar _
    | OutTarget _
    | Lambda _
    | StackAlloc _
    | Throw _ -> false

/// A number, a name, `Scalars.Of(0.5)`: so short that it is written on one line, whatever comes behind it.
let private (|Short|_|) expr =
    let rec text expr =
        match expr with
        | Name text
        | Literal text -> Some text
        | Member(target, name) -> text target |> Option.map (fun target -> target + "." + name)
        | Invoke(callee, [ { Label = None; Value = value } ]) ->
            Option.map2 (sprintf "%s(%s)") (text callee) (text value)
        | Invoke _
        | Element _
        | Collection _
        | Prefix _
        | Infix _
        | Conditional _
        | New _
        | Initialized _
        | ArrayOf _
        | Tuple _
        | Spread _
        | Switch _
        | OutVar _
        | OutTarget _
        | Lambda _
        | StackAlloc _
        | Throw _ -> None

    text expr |> Option.filter (fun text -> text.Length <= longestShort)

/// Literals, as many to a line as there is room for.
let private table items =
    let row literals =
        literals
        |> List.map (fun item ->
            match item with
            | Literal text -> text
            | _ -> "")
        |> String.concat ", "
        |> Text

    let rows = items |> List.chunkBySize 16 |> List.map row

    Text "["
    ^^ Nest(4, HardLine ^^ separated (Text "," ^^ HardLine) rows)
    ^^ HardLine
    ^^ Text "]"

let rec expression expr : Document =
    match expr with
    | Name name -> Text name
    | Literal text -> Text text
    | Member(target, name) -> atLeast Precedence.Primary target ^^ Text("." + name)
    | Invoke(callee, arguments) -> atLeast Precedence.Primary callee ^^ argumentList arguments
    | Element(target, indices) ->
        atLeast Precedence.Primary target ^^ list "[" "]" (List.map expression indices)
    | Collection items when items.Length > longestList && List.forall isLiteral items -> table items
    | Collection items -> list "[" "]" (List.map expression items)
    // `- -x` would read as a decrement.
    | Prefix(operator, operand) when startsWithSign operator operand ->
        Text(operator + "(") ^^ expression operand ^^ Text ")"
    | Prefix(operator, operand) -> Text operator ^^ atLeast Precedence.Unary operand
    | Infix(left, operator, right) -> Group(infix left operator right)
    | Conditional(condition, thenBranch, elseBranch) ->
        Group(
            atLeast Precedence.Coalescing condition
            ^^ Nest(
                4,
                space ^^ Text "? " ^^ expression thenBranch ^^ space ^^ Text ": " ^^ expression elseBranch
            )
        )
    | New("", arguments) -> Text "new" ^^ argumentList arguments
    | New(typeName, arguments) -> Text("new " + typeName) ^^ argumentList arguments
    | Initialized(creation, []) -> expression creation
    | Initialized(creation, properties) ->
        let property (name, value) = Text(name + " = ") ^^ expression value

        Group(
            expression creation
            ^^ space
            ^^ Text "{"
            ^^ Nest(4, space ^^ separated comma (List.map property properties))
            ^^ space
            ^^ Text "}"
        )
    | ArrayOf(elementType, items) ->
        Group(
            Text(sprintf "new %s[] {" elementType)
            ^^ Nest(4, space ^^ separated comma (List.map expression items))
            ^^ space
            ^^ Text "}"
        )
    | Tuple items -> list "(" ")" (List.map expression items)
    | Spread inner -> Text ".. " ^^ expression inner
    | Switch(subject, arms) ->
        let arm (pattern, value) = expression pattern ^^ Text " => " ^^ expression value ^^ Text ","

        atLeast Precedence.Primary subject
        ^^ Text " switch"
        ^^ HardLine
        ^^ Text "{"
        ^^ Nest(4, HardLine ^^ lines (List.map arm arms))
        ^^ HardLine
        ^^ Text "}"
    | Throw inner -> Text "throw " ^^ expression inner
    | OutVar name -> Text("out var " + name)
    | OutTarget target -> Text "out " ^^ expression target
    | Lambda(parameter, value) -> Text(parameter + " => ") ^^ expression value
    | StackAlloc(elementType, length) -> Text(sprintf "stackalloc %s[%d]" elementType length)

/// In parentheses where it binds more loosely than its place asks for.
and private atLeast required expr =
    if precedence expr < required then
        Text "(" ^^ expression expr ^^ Text ")"
    else
        expression expr

/// A chain of operators of one precedence breaks as a whole, each operator leading its line. All of them are left
/// associative: only the right operand needs to bind tighter.
and private infix left operator right =
    let level = ofOperator operator

    let rec operands expr rest =
        match expr with
        | Infix(l, o, r) when ofOperator o = level -> operands l ((o, r) :: rest)
        | first -> first, rest

    let first, rest = operands left [ operator, right ]
    let tighter = enum<Precedence>(int level + 1)

    let operatorAndOperand (before: Document) (o, operand) =
        before ^^ Text(o + " ") ^^ atLeast tighter operand

    let firstOperand, beforeFirst =
        match first with
        | Short text -> Text text, Text " "
        | first -> atLeast tighter first, space

    let operators =
        operatorAndOperand beforeFirst rest.Head :: List.map (operatorAndOperand space) rest.Tail

    firstOperand ^^ Nest(4, concat operators)

and private list opening closing items = enclosed opening closing (separated comma items)

and argumentList arguments =
    let one (a: Argument) =
        match a.Label with
        | None -> expression a.Value
        | Some label -> Text(label + ": ") ^^ expression a.Value

    list "(" ")" (List.map one arguments)
