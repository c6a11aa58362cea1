/// What a function of the language is: everything the compiler knows about it stands in one record.
module internal DiffEqLang.Compiler.Builtins.Builtin

open DiffEqLang.Compiler.Ir.Shape
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Tensor
open DiffEqLang.Compiler.Printing

/// How a function differentiates. Expressions are built with `Ir.Build`.
type DerivativeRule =
    /// Elementwise: from the operands and the result, the partial derivative by each operand (elementwise).
    | Elementwise of (Expr list -> Expr -> Expr list)
    /// Anything else. Forward: from the node and each operand's tangent (its shape followed by trailing axes, or
    /// None where it does not vary) the result's tangent. Reverse: from the node and its cotangent each operand's.
    | General of forward: (Expr -> Expr option list -> Expr) * reverse: (Expr -> Expr -> Expr option list)

type Builtin =
    { Name: string
      /// One sentence for the reference, with what happens at the edge of the domain.
      Doc: string
      /// Least and most number of operands.
      Arity: int * int
      /// From attributes (such as an axis) and the operands' shapes: the result's, or what is wrong, for the user.
      Shape: int list -> Shape list -> Result<Shape, string>
      /// The reference value, in float64.
      Value: int list -> Tensor list -> Tensor
      Derivative: DerivativeRule
      /// The call in TorchSharp for [..., shape] operands: from attributes, the operands with their ranks.
      Torch: int list -> (CSharp.Expr * int) list -> CSharp.Expr
      /// From the operands in LaTeX.
      Latex: string list -> string
      /// Where tests draw operands from, for derivative checks: low and high by operand.
      SampleDomain: (float * float) list }
