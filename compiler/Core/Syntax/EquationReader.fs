/// Equations: the form of the left side tells what an equation determines.
module internal DiffEqLang.Compiler.Syntax.EquationReader

open System
open DiffEqLang.Contracts
open DiffEqLang.Grammar
open DiffEqLang.Compiler.Syntax.Tree
open DiffEqLang.Compiler.Syntax.ExpressionReader
open DiffEqLang.Compiler.Syntax.Slips

// Equations

/// `dx` names the differential of `x`: the name without its first `skip` letters, and where it stands.
let private stateOf skip (name: string) (span: SourceSpan) : Ident =
    { Name = name.Substring skip
      Span = SourceSpan(span.File, span.Line, span.Column + skip, span.EndLine, span.EndColumn) }

/// `dx / dt`, `d2q / dt2`: the state and the order, or None.
let private (|Leibniz|_|) (expr: Expr) =
    match expr.Kind with
    | Binary(Divide, { Kind = Name above; Span = span }, _, { Kind = Name below }) when
        above.Length > 1 && above[0] = 'd'
        ->
        let digits = below.Substring(min 2 below.Length)

        match below.StartsWith("dt", StringComparison.Ordinal), Int32.TryParse digits with
        | true, _ when digits = "" && not (Char.IsAsciiDigit above[1]) -> Some(stateOf 1 above span, 1)
        | true, (true, order) when
            order > 0
            && above.StartsWith("d" + digits, StringComparison.Ordinal)
            && above.Length > 1 + digits.Length
            ->
            Some(stateOf (1 + digits.Length) above span, order)
        | _ -> None
    | _ -> None

let private target (expr: Expr) =
    match expr.Kind with
    | _ when expr.Kind.IsBinary ->
        match expr with
        | Leibniz(state, order) -> Derivative(state, order)
        | _ -> Other expr
    | Prime(state, order) -> Derivative(state, order)
    | Name name when name.Length > 1 && name[0] = 'd' -> Differential(stateOf 1 name expr.Span)
    | Number(0.0, _) -> Zero expr.Span
    | _ -> Other expr

let equation (reading: Reading) (context: DeqParser.EquationContext) =
    let sides = [ for side in context.expression () -> expression reading side ]
    expectEquals reading (context.assign ())

    match sides with
    | [ left; right ] -> Some(Equation(target left, right))
    | [ left ] ->
        if not (reading.Errors.AnyOn context.Start.Line) && not left.Kind.IsMissing then
            reading.Report(
                DiagnosticCatalogue.MissingEquals,
                spanOf reading context,
                "this is no declaration, and no equation without `=`"
            )

        None
    | _ -> None
