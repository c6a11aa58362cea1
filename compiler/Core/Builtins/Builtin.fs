/// What a function of the language is: everything the compiler knows about it stands in one record.
module internal DiffEqLang.Compiler.Builtins.Builtin

open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Shape
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Tensor
open DiffEqLang.Compiler.Printing

/// How a function differentiates. Expressions are built with `Ir.Build`; calls of other functions by
/// `Build.elementwise` or the named constructors of this folder.
type DerivativeRule =
    /// Elementwise: from the operands and the result, the partial derivative by each operand (elementwise).
    | Elementwise of (Expr list -> Expr -> Expr list)
    /// Anything else. Forward: from the node and each operand's tangent (its shape followed by trailing axes, or
    /// None where it does not vary) the result's tangent. Reverse: from the node and its cotangent each operand's.
    | General of forward: (Expr -> Expr option list -> Expr) * reverse: (Expr -> Expr -> Expr option list)

/// A function that is a node of its own, `Op.Call`.
type Primitive =
    {
        /// The reference value, in float64, from attributes and operands.
        Value: int list -> Tensor list -> Tensor
        Derivative: DerivativeRule
        /// The call in TorchSharp for [..., shape] operands: from attributes, the operands with their ranks.
        Torch: int list -> (CSharp.Expr * int) list -> CSharp.Expr
    }

type Definition =
    | Primitive of Primitive
    /// Written out in operations of the IR: from attributes and operands.
    | Expansion of (int list -> Expr list -> Expr)

/// Where tests draw an operand from.
type Domain =
    | Interval of low: float * high: float
    /// Symmetric positive definite.
    | PositiveDefinite
    /// Square, with a diagonal that dominates its rows.
    | WellConditioned

type Sample = { Shape: int list; Domain: Domain }

type Builtin =
    {
        Name: string
        /// One sentence for the reference, with what happens at the edge of the domain.
        Doc: string
        /// Least and most number of operands.
        Arity: int * int
        /// Whether it takes `axis = k` (negative: from the end). The attributes are then [] or [k].
        TakesAxis: bool
        /// From attributes and the operands' shapes: the result's, or what is wrong, for the user.
        Shape: int list -> Shape list -> Result<Shape, string>
        Definition: Definition
        /// From the operands in LaTeX.
        Latex: string list -> string
        /// Cases for tests, each with a sample for every operand: inside the domain, away from kinks.
        Samples: Sample list list
    }

/// Whether all of a call's work is elementwise.
let isElementwise builtin =
    match builtin.Definition with
    | Primitive { Derivative = Elementwise _ } -> true
    | Primitive { Derivative = General _ }
    | Expansion _ -> false

/// `\name\left(a, b\right)`, as LaTeX knows the function.
let latexCommand name (operands: string list) =
    sprintf @"\%s\left(%s\right)" name (String.concat ", " operands)

/// The same for functions that LaTeX has no command for.
let latexName name operands = latexCommand (sprintf "operatorname{%s}" name) operands

let private axisMessage rank axis = sprintf "axis = %d is not an axis of an operand of rank %d." axis rank

/// The axes that `axis = k` names, counted from the front; without it, `otherwise`.
let axesOf (attributes: int list) (shape: Shape) (otherwise: int list) =
    match attributes with
    | [] -> Ok otherwise
    | [ axis ] when axis >= -shape.Length && axis < shape.Length ->
        Ok [ (if axis < 0 then axis + shape.Length else axis) ]
    | axis :: _ -> Error(axisMessage shape.Length axis)

/// The same where Shape has been asked before.
let knownAxes attributes shape otherwise =
    match axesOf attributes shape otherwise with
    | Ok axes -> axes
    | Error message -> Build.internalError "%s" message

/// The axis from the end, as torch sees it behind batch axes.
let fromEnd rank axis = CSharp.Literal(string (axis - rank))

/// The shape rule of elementwise functions.
let elementwiseShape (_: int list) shapes = Build.elementwiseShape shapes

/// The derivative of a function that folds axes away, result(x) with d result = sum over axes of weights * dx.
/// Weights: from the operand and the result repeated to the operand's shape.
let weightedSum (axesOfNode: Expr -> int list) (weights: Expr -> Expr -> Expr) =
    let weightsOf (node: Expr) =
        let operand = node.Args.Head
        weights operand (Tangent.restore operand (axesOfNode node) node)

    let forward node (tangents: Expr option list) =
        Build.sum (axesOfNode node) (Tangent.times (weightsOf node) (tangents |> List.pick id))

    let reverse (node: Expr) cotangent =
        [ Some(Build.mul (weightsOf node) (Tangent.restore node.Args.Head (axesOfNode node) cotangent)) ]

    General(forward, reverse)

/// A random operand for tests.
let draw (random: System.Random) (sample: Sample) =
    let shape = List.toArray sample.Shape

    let within low high =
        ofArray shape (Array.init (sizeOf shape) (fun _ -> low + (high - low) * random.NextDouble()))

    match sample.Domain with
    | Interval(low, high) -> within low high
    | WellConditioned ->
        map2 (+) (within -1.0 1.0) (map ((*) (1.5 * float shape[0])) (Tensor.identity shape[0]))
    | PositiveDefinite ->
        let a = within -1.0 1.0
        map2 (+) (contract [| 1 |] [| 1 |] a a) (Tensor.identity shape[0])
