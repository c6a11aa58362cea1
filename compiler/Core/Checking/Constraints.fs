/// The algebraic constraints of a model, `0 = ...`, as many as it has algebraic unknowns.
module internal DiffEqLang.Compiler.Checking.Constraints

open DiffEqLang.Contracts
open DiffEqLang.Compiler.Syntax
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Shape
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Typed
open DiffEqLang.Compiler.Checking.Errors
open DiffEqLang.Compiler.Checking.Context
open DiffEqLang.Compiler.Checking.Scope

/// The right sides of `0 = ...`, in the order of the file.
let written (context: Context) : (Tree.Expr * SourceSpan) list =
    context.Scope.Statements
    |> List.choose (fun (statement, declaration) ->
        match statement with
        | EquationStatement(Tree.Zero _, right) -> Some(right, declaration.Span)
        | EquationStatement _
        | InitialStatement _
        | HistoryStatement _
        | CalculusStatement _
        | EventStatement _
        | SolveStatement _ -> None)

let private constraint' context (right: Tree.Expr, span: SourceSpan) : Equation option =
    let isNumber e = Operators.isNumber context "a constraint" { Tree = right; Expr = e }

    Expressions.elaborate context right
    |> Option.filter isNumber
    |> Option.map (fun residual ->
        Constraint(textOf context span, recordOrigin context right.Span None residual, span))

/// As many constraints as algebraic unknowns, element by element; `undetermined` are states without an equation.
let private count (context: Context) (algebraic: StateDecl list) (residuals: Expr list) undetermined place =
    let total shapes = shapes |> List.map Shape.size |> List.fold Dim.add Dim.zero
    let equations = residuals |> List.map _.Shape |> total
    let unknowns = algebraic |> List.map _.Symbol.Shape |> total

    if equations <> unknowns then
        report context place (Structure(ConstraintCount(string equations, string unknowns, undetermined)))

/// The constraints, which must be as many as the algebraic unknowns; those of a model with noise are refused.
let check (context: Context) (algebraic: StateDecl list) undetermined : Equation list =
    let written = written context
    let found = written |> List.choose (constraint' context)

    let declared = context.Scope.Entities |> List.filter (fun e -> kindOf e = AlgebraicName)

    let residuals =
        found
        |> List.choose (fun equation ->
            match equation with
            | Constraint(_, residual, _) -> Some residual
            | Ordinary _
            | Stochastic _ -> None)

    match List.tryLast written, declared with
    | None, [] -> ()
    | Some(_, span), _ when context.Scope.Entities |> List.exists (fun e -> kindOf e = WienerName) ->
        report context span (NotSupportedYet(EquationForm "an algebraic constraint in a model with noise"))
    // Without the sizes of all there is no telling.
    | _ when found.Length < written.Length || declared.Length <> algebraic.Length -> ()
    | Some(_, span), _ -> count context algebraic residuals undetermined span
    | None, first :: _ -> count context algebraic residuals undetermined first.Span

    found
