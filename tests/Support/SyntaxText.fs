/// Syntax trees as short text without places, for tests to compare.
module DiffEqLang.Tests.Support.SyntaxText

open System
open System.Collections
open Microsoft.FSharp.Reflection
open DiffEqLang.Contracts
open DiffEqLang.Compiler.Syntax
open DiffEqLang.Compiler.Syntax.Tree

let private symbol operator =
    match operator with
    | Add -> "+"
    | Subtract -> "-"
    | Multiply -> "*"
    | Divide -> "/"
    | Power -> "^"
    | Contract -> "@"
    | Less -> "<"
    | LessOrEqual -> "<="
    | Greater -> ">"
    | GreaterOrEqual -> ">="
    | Equal -> "=="
    | NotEqual -> "!="
    | And -> "and"
    | Or -> "or"

/// Every operation in its own parentheses; what was parenthesised stands in `<>`.
let rec internal exprText (expr: Expr) =
    let list items = String.concat ", " items

    match expr.Kind with
    | Number(_, text) -> text
    | Name name -> name
    | Prime(name, order) -> name.Name + String('\'', order)
    | Unary(Plus, operand) -> $"(+{exprText operand})"
    | Unary(Minus, operand) -> $"(-{exprText operand})"
    | Unary(Not, operand) -> $"(not {exprText operand})"
    | Binary(operator, left, _, right) -> $"({exprText left} {symbol operator} {exprText right})"
    | Call(callee, given) -> $"{callee.Name}({list (List.map argumentText given)})"
    | Index(target, subscripts) -> $"{exprText target}[{list (List.map subscriptText subscripts)}]"
    | Transpose target -> $"{exprText target}.T"
    | Stack items -> $"[{list (List.map exprText items)}]"
    | If(condition, yes, no) -> $"(if {exprText condition} then {exprText yes} else {exprText no})"
    | Parenthesized inner -> $"<{exprText inner}>"
    | ImplicitPart inner -> $"implicit<{exprText inner}>"
    | Quoted text -> $"\"{text}\""
    | Missing -> "?"

and private argumentText argument =
    match argument.Name with
    | Some name -> $"{name.Name}={exprText argument.Value}"
    | None -> exprText argument.Value

and private subscriptText subscript =
    let part = Option.map exprText >> Option.defaultValue ""

    match subscript with
    | At index -> exprText index
    | Range(from, upTo, _) -> $"{part from}..{part upTo}"

/// Any value of the tree: cases by name, records as their fields in parentheses, `-` for None, places left out.
let rec internal treeText (value: obj) : string =
    match value with
    | null -> "-"
    | :? string as text -> if text = "" then "''" else text
    | :? Ident as name -> name.Name
    | :? Expr as expr -> exprText expr
    | :? IEnumerable as items ->
        items |> Seq.cast<obj> |> Seq.map treeText |> String.concat "; " |> sprintf "[%s]"
    | value when FSharpType.IsRecord(value.GetType(), true) ->
        FSharpValue.GetRecordFields(value, true) |> fieldTexts |> sprintf "(%s)"
    | value when FSharpType.IsUnion(value.GetType(), true) ->
        match FSharpValue.GetUnionFields(value, value.GetType(), true) with
        | case, [| single |] when case.Name = "Some" -> treeText single
        | case, [||] -> case.Name
        | case, fields -> $"{case.Name} {fieldTexts fields}"
    | value -> string value

and private fieldTexts fields =
    fields
    |> Array.filter (fun field -> not (field :? SourceSpan) && not (field :? SourceFile))
    |> Array.map treeText
    |> String.concat ", "

/// The whole of a file but its comments.
let internal fileText (file: File) = treeText file.Items

/// A statement as the one of a model.
let inModel (statement: string) = $"model M {{\n{statement}\n}}\n"

let internal readText (text: string) = Reader.read (SourceFile("m.deq", text))

/// `1:2-1:5 DEQ0101 message (hint)`
let diagnosticText (d: Diagnostic) =
    let hint = if isNull d.Hint then "" else $" ({d.Hint})"
    $"{d.Span.Line}:{d.Span.Column}-{d.Span.EndLine}:{d.Span.EndColumn} {d.Code} {d.Message}{hint}"
