/// Where an expression is lowered, and what every family of operations needs there.
module internal DiffEqLang.Compiler.Backends.Torch.Context

open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp
open DiffEqLang.Compiler.Backends.CSharp.Literals

/// Where an expression stands: what its names mean and how a tensor without operands is made.
type Place =
    {
        /// A bound node or an input, by its name there.
        Named: Expr.Expr -> CSharp.Expr option
        /// An open dim.
        OpenDim: string -> CSharp.Expr
        /// The batch axes as `long[]`; noted, so that the function declares them only where they are used.
        Batch: unit -> CSharp.Expr
        /// A tensor of a shape (with batch axes or without) with one value everywhere.
        Filled: CSharp.Expr -> CSharp.Expr -> CSharp.Expr
        /// What the arguments `dtype` and `device` are here.
        Placement: CSharp.Argument list
    }

/// A place, and how operands are lowered there: it ties the families of operations together.
type Context =
    { Place: Place
      Lower: Expr.Expr -> CSharp.Expr }

    /// Whether the expression is written where it is used.
    member context.IsInlined(e: Expr.Expr) = (context.Place.Named e).IsNone

/// A size as C# arithmetic.
let dim (context: Context) d = Literals.dim context.Place.OpenDim d

/// `[.. batch, 2, 3]`, or `[2, 3]` for what has no batch.
let sizes (place: Place) batched (shape: Shape.Shape) =
    match shape |> List.map (Literals.dim place.OpenDim) with
    | [] when batched -> place.Batch()
    | own when batched -> Collection(Spread(place.Batch()) :: own)
    | own -> Collection own

/// A number for a call that takes a `Scalar`, kept alive by the runtime. Operators take plain numbers.
let scalar (x: float) = Invoke(Member(Name "Scalars", "Of"), [ argument (number x) ])

let call target name arguments = invokeMethod target name arguments

let unsqueezed times target =
    List.fold (fun value _ -> call value "unsqueeze" [ integer -1 ]) target [ 1..times ]

let isTensor (e: Expr.Expr) =
    match e with
    | Build.Uniform _ -> false
    | _ -> true

/// `like` with another value in every element.
let filledLike like (x: float) =
    match x with
    | 0.0 -> invoke "zeros_like" [ like ]
    | 1.0 -> invoke "ones_like" [ like ]
    | x -> invoke "full_like" [ like; scalar x ]

/// A number as a tensor beside another operand: like that one where it has a name, else without axes. Never is the
/// other operand computed again for it.
let beside (context: Context) (other: CSharp.Expr) (x: float) =
    match other with
    | Name _ -> filledLike other x
    | _ -> context.Place.Filled (Collection []) (scalar x)
