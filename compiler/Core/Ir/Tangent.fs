/// Arithmetic of tangents. The tangent of a node of shape S has the shape S followed by seed axes K: none for a
/// Jacobian-vector product, the shape of x for a Jacobian by x. All directions are carried at once, tensors whole.
module internal DiffEqLang.Compiler.Ir.Tangent

open DiffEqLang.Compiler.Ir.Shape
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Build

/// The seed axes of a tangent of something of the given shape.
let seedShape (ofShape: Shape) (tangent: Expr) : Shape = List.skip ofShape.Length tangent.Shape

/// factor (S or scalar) times tangent (S ++ K), elementwise over S, the same for every direction.
let times (factor: Expr) (tangent: Expr) =
    if isScalar factor.Shape || factor.Shape = tangent.Shape then
        mul factor tangent
    else
        mul (broadcast tangent.Shape (allAxes factor) factor) tangent

/// The tangent of an operand, as one of the elementwise result of shape S: a scalar's (K) is repeated over S.
let spread (result: Shape) (operand: Shape) (tangent: Expr) =
    if operand = result then
        tangent
    else
        let seeds = seedShape operand tangent
        broadcast (result @ seeds) [ result.Length .. result.Length + seeds.Length - 1 ] tangent

/// Moves the seed axes of a tangent of rank `rank` to the front: S ++ K becomes K ++ S.
let seedsFirst rank (tangent: Expr) =
    permute ([ rank .. tangent.Shape.Length - 1 ] @ [ 0 .. rank - 1 ]) tangent

/// The way back, for a value of rank `rank` beside its seeds: K ++ S becomes S ++ K.
let seedsLast rank (e: Expr) =
    let seeds = e.Shape.Length - rank
    permute ([ seeds .. e.Shape.Length - 1 ] @ [ 0 .. seeds - 1 ]) e

/// Something of the shape that a reduction of `argument` over `axes` has, repeated along these axes again.
let restore (argument: Expr) (axes: int list) (reduced: Expr) =
    broadcast argument.Shape (List.except axes (allAxes argument)) reduced
