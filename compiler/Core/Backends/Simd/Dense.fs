/// Layers that are too wide to be written out element by element: products with a matrix of weights, and the outer products
/// that their gradients are sums of. The runtime has loops for these that take several rows at once (`Dense`), which no
/// sum by itself can.
///
///     W2 @ tanh(...)                  becomes       Dense.Product(W2, tanh, contraction);
///     gradient of W2, a sum of        becomes       Dense.AddOuter(cotangent, tanh, gradW2);
module internal DiffEqLang.Compiler.Backends.Simd.Dense

open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.Simd.Index
open DiffEqLang.Compiler.Backends.Simd.Statements
open DiffEqLang.Compiler.Backends.Simd.Unrolling

/// Below this many rows or columns a written loop is as fast: the runtime takes eight rows at once.
let private leastWide = 16

/// A matrix times one vector or several side by side: `operand` has the shape [n] or [n, directions].
type Product = { Weights: Expr.Expr; Operand: Expr.Expr; IsTransposed: bool }

let private isWide (matrix: Expr.Expr) = sizesOf matrix |> List.forall (fun n -> n >= leastWide)

/// The vectors that stand side by side in [n] or [n, directions]; none where there are too many.
let private tryDirections (e: Expr.Expr) =
    match sizesOf e with
    | [ _ ] -> Some 1
    | [ _; directions ] when not (isLong directions) -> Some directions
    | _ -> None

let tryProduct (isWeights: Expr.Expr -> bool) (e: Expr.Expr) : Product option =
    let product axis (weights: Expr.Expr) (operand: Expr.Expr) =
        if
            isWeights weights
            && weights.Shape.Length = 2
            && isWide weights
            && not (isWeights operand)
            && (tryDirections operand).IsSome
        then
            Some { Weights = weights; Operand = operand; IsTransposed = (axis = 0) }
        else
            None

    match e.Op, e.Args with
    | Contract([ axis ], [ 0 ]), [ weights; operand ] when isWeights weights -> product axis weights operand
    | Contract([ 0 ], [ axis ]), [ operand; weights ] when operand.Shape.Length = 1 ->
        product axis weights operand
    | _ -> None

/// left rightᵀ, summed over directions, with a sign.
type OuterProduct = { Left: Expr.Expr; Right: Expr.Expr; IsNegative: bool }

/// The outer products that a gradient is a sum of, where it is one.
let tryOuterProducts (gradient: Expr.Expr) : OuterProduct list option =
    let isOperand (paired: int list) (e: Expr.Expr) =
        paired = [ 1 .. e.Shape.Length - 1 ]
        && (tryDirections e).IsSome
        && (sizesOf e).Head >= leastWide

    let rec terms isNegative (e: Expr.Expr) : OuterProduct option list =
        match e.Op, e.Args with
        | BatchSum, [ a ] -> terms isNegative a
        | Add, [ a; b ] when a.Shape = b.Shape -> terms isNegative a @ terms isNegative b
        | Subtract, [ a; b ] when a.Shape = b.Shape -> terms isNegative a @ terms (not isNegative) b
        | Negate, [ a ] -> terms (not isNegative) a
        | Contract(left, right), [ a; b ] when isOperand left a && isOperand right b ->
            [ Some { Left = a; Right = b; IsNegative = isNegative } ]
        | Permute [ 1; 0 ], [ { Op = Contract(left, right); Args = [ a; b ] } ] when
            isOperand left a && isOperand right b
            ->
            [ Some { Left = b; Right = a; IsNegative = isNegative } ]
        | _ -> [ None ]

    let all = terms false gradient
    if List.forall Option.isSome all then Some(List.choose id all) else None

// Statements

let private call name (operand: Expr.Expr) (arguments: string list) =
    let directions =
        match tryDirections operand with
        | Some n when n > 1 -> [ labelled "directions" (Index.expression (known n)) ]
        | _ -> []

    Invoke(Member(Name "Dense", name), List.map (Name >> argument) arguments @ directions)

/// Fills an array with a product.
let multiply (product: Product) weights operand result source =
    let name = if product.IsTransposed then "TransposedProduct" else "Product"
    Overwrite(call name product.Operand [ weights; operand; result ], [ result ], source)

/// Adds an outer product to an array.
let addOuter (product: OuterProduct) left right sums =
    let name = if product.IsNegative then "SubtractOuter" else "AddOuter"
    Overwrite(call name product.Left [ left; right; sums ], [ sums ], None)
