/// The nodes of `grad`, `jac` ...: what the operators ask of their operands and what shape they give.
module internal DiffEqLang.Compiler.Ir.DerivativeOperators

open DiffEqLang.Compiler.Ir.Shape
open DiffEqLang.Compiler.Ir.Expr

let private resultShape operator (f: Expr) (x: Expr) =
    match operator with
    | Gradient
    | Vjp -> x.Shape
    | Jacobian -> f.Shape @ x.Shape
    | Hessian -> x.Shape @ x.Shape
    | Divergence
    | Laplacian -> scalar
    | Jvp -> f.Shape

/// What the operator asks of the shapes of f, x and v.
let check operator (f: Shape) (x: Shape) (v: Shape option) : Result<unit, string> =
    let expect what expected actual =
        if expected = actual then
            Ok()
        else
            Error(sprintf "%s is %s where %s is needed." what (print actual) (print expected))

    match operator, v with
    | (Gradient | Hessian | Laplacian), None -> expect "The differentiated expression" scalar f
    | Divergence, None -> expect "The differentiated expression" x f
    | Jacobian, None -> Ok()
    | Jvp, Some v -> expect "The direction" x v
    | Vjp, Some w -> expect "The weight" f w
    | (Gradient | Hessian | Laplacian | Divergence | Jacobian), Some _ ->
        Error "There is one operand too many."
    | (Jvp | Vjp), None -> Error "The third operand is missing."

/// `grad`, `jac` ... of f by the node x, with the vector of `jvp` and `vjp`.
let apply operator (f: Expr) (x: Expr) (v: Expr option) =
    match check operator f.Shape x.Shape (Option.map _.Shape v) with
    | Ok() -> make (Derivative operator) ([ f; x ] @ Option.toList v) (resultShape operator f x) false
    | Error message -> Build.internalError "%s" message
