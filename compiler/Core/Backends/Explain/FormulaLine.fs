/// An equation to show: a left side as the notations write it, and an expression.
module internal DiffEqLang.Compiler.Backends.Explain.FormulaLine

open DiffEqLang.Compiler.Ir.Expr

/// A left side and what it equals; both as the notations write them.
type Formula = { Left: string; LeftLatex: string; Right: Expr }

let formula left latex right = { Left = left; LeftLatex = latex; Right = right }
