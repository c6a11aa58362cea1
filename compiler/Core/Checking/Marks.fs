/// The stiff part of a right side: its terms within `implicit { ... }`.
module internal DiffEqLang.Compiler.Checking.Marks

open DiffEqLang.Compiler.Syntax

/// The terms of a sum that are wanted, by whether they are marked, without their marks; None where there are none.
let rec private termsThat (isWanted: bool -> bool) (e: Tree.Expr) : Tree.Expr option =
    match e.Kind with
    | Tree.ImplicitPart inner ->
        if isWanted true then Some { e with Kind = Tree.Parenthesized inner } else None
    | Tree.Parenthesized inner ->
        termsThat isWanted inner
        |> Option.map (fun inner -> { e with Kind = Tree.Parenthesized inner })
    | Tree.Unary((Tree.Plus | Tree.Minus) as sign, operand) ->
        termsThat isWanted operand
        |> Option.map (fun operand -> { e with Kind = Tree.Unary(sign, operand) })
    | Tree.Binary((Tree.Add | Tree.Subtract) as operator, left, span, right) ->
        match operator, termsThat isWanted left, termsThat isWanted right with
        | _, Some left, Some right -> Some { e with Kind = Tree.Binary(operator, left, span, right) }
        | Tree.Subtract, None, Some right -> Some { e with Kind = Tree.Unary(Tree.Minus, right) }
        | _, None, only
        | _, only, None -> only
    | _ -> if isWanted false then Some e else None

/// All terms, without marks.
let without (right: Tree.Expr) : Tree.Expr = termsThat (fun _ -> true) right |> Option.defaultValue right

/// The terms that are not marked, and those that are; None where none is.
let split (right: Tree.Expr) : (Tree.Expr option * Tree.Expr) option =
    termsThat id right |> Option.map (fun marked -> termsThat not right, marked)
