/// The parts of expressions as they are written.
module internal DiffEqLang.Compiler.Syntax.Traversal

open System.Collections.Generic
open DiffEqLang.Compiler.Syntax

/// The direct parts of an expression.
let children (e: Tree.Expr) =
    match e.Kind with
    | Tree.Number _
    | Tree.Name _
    | Tree.Prime _
    | Tree.Quoted _
    | Tree.Missing -> []
    | Tree.Unary(_, operand) -> [ operand ]
    | Tree.Binary(_, left, _, right) -> [ left; right ]
    | Tree.Call(_, arguments) -> arguments |> List.map _.Value
    | Tree.Index(target, subscripts) ->
        target
        :: (subscripts
            |> List.collect (function
                | Tree.At position -> [ position ]
                | Tree.Range(from, upTo, _) -> Option.toList from @ Option.toList upTo))
    | Tree.Transpose operand
    | Tree.ImplicitPart operand
    | Tree.Parenthesized operand -> [ operand ]
    | Tree.Stack items -> items
    | Tree.If(condition, thenBranch, elseBranch) -> [ condition; thenBranch; elseBranch ]

/// An expression and all its parts, from left to right. Iterative: depth is no limit.
let parts (root: Tree.Expr) =
    let result = ResizeArray<Tree.Expr>()
    let pending = Stack<Tree.Expr>()
    pending.Push root

    while pending.Count > 0 do
        let e = pending.Pop()
        result.Add e

        for child in List.rev (children e) do
            pending.Push child

    List.ofSeq result
