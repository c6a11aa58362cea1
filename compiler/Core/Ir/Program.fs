/// Straight-line code: what a back end prints. A DAG becomes a list of bindings, each used more than once or long
/// enough to deserve a name, and results; everything else is inlined where it is used.
module internal DiffEqLang.Compiler.Ir.Program

open DiffEqLang.Compiler.Ir.Expr

/// `let Name = Value`. In `Value` and later expressions a node that is bound stands for its name.
type Binding = { Name: string; Value: Expr; Origin: Origin option }

/// A pure function of inputs, e.g. the drift or its vector-Jacobian product.
type Function =
    {
        Name: string
        Inputs: Symbol list
        /// In order; a binding uses earlier ones only.
        Bindings: Binding list
        /// By name of the result (a state, a parameter).
        Results: (string * Expr) list
    }
