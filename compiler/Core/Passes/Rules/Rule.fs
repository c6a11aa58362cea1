/// A rewrite rule of `Passes/Simplify`: a name, a function, and an expression that it fires on. Tests check that it does
/// and that the value stays the same at random points.
module internal DiffEqLang.Compiler.Passes.Rules.Rule

open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Builtins

type Rule =
    {
        Name: string
        /// An expression to fire on.
        Example: unit -> Expr
        /// The replacement, None where the rule does not apply.
        Apply: Expr -> Expr option
    }

/// An input for examples.
let operand name (sizes: int list) =
    Build.input { Name = name; Role = State; Shape = sizes |> List.map (int64 >> Dim.constant) }

/// Whether an operation acts element by element on operands of one shape (or scalars).
let isElementwise (e: Expr) =
    match e.Op with
    | Add
    | Subtract
    | Multiply
    | Divide
    | Power
    | Negate
    | Compare _
    | And
    | Or
    | Not -> true
    | Call(name, _) -> Builtin.isElementwise (Catalogue.find name)
    | Number _
    | Input _
    | Select
    | Contract _
    | Permute _
    | Reduce _
    | Broadcast _
    | Index _
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

/// A number times something: the number stands on the left.
let (|Scaled|_|) (e: Expr) =
    match e.Op, e.Args with
    | Multiply, [ { Op = Number c }; x ] -> Some(c, x)
    | _ -> None

let (|Negated|_|) (e: Expr) =
    match e.Op, e.Args with
    | Negate, [ x ] -> Some x
    | _ -> None

/// A number that is a whole one, as an exponent.
let (|Whole|_|) (e: Expr) =
    match e.Op with
    | Number x when System.Math.Floor x = x && abs x <= 1024.0 -> Some(int x)
    | _ -> None

/// A matrix that is zero off the diagonal of its last two axes, by that diagonal.
let (|DiagonalForm|_|) (e: Expr) =
    match e.Op, e.Args with
    | DiagonalMatrix, [ d ] -> Some d
    | Identity n, _ -> Some(Build.ones [ n ])
    | _ -> None
