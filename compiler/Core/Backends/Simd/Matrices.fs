/// Linear algebra on a matrix a lane: calls of the runtime over arrays of the method's own, which they overwrite.
///
///     x = solve(A, b)      becomes      factors[0] = A0; ...
///                                       x[0] = b0; ...
///                                       LaneMatrices.Solve(factors, x, 3);
module internal DiffEqLang.Compiler.Backends.Simd.Matrices

open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp
open DiffEqLang.Compiler.Backends.Simd.Index
open DiffEqLang.Compiler.Backends.Simd.Statements
open DiffEqLang.Compiler.Backends.Simd.Unrolling
open DiffEqLang.Compiler.Backends.Simd.Elements

/// Writes all elements of a node into an array.
let private fill (writer: Writer) array (e: Expr.Expr) =
    let sizes = sizesOf e

    writer.Body.Visit(
        sizes,
        fun indices ->
            let target = Element(Name array, [ Index.expression (flat sizes indices) ])
            let value = writer.Arithmetic.Spread(writer.Element(e, indices))
            writer.Body.Emit(Store(target, value, None))
    )

let private scratch (writer: Writer) name (e: Expr.Expr) =
    let own = writer.Body.Fresh name
    writer.Body.Emit(Scratch(own, sizeOf e))
    fill writer own e
    own

let private call method arrays (rows: int) =
    invokeMethod
        (Name "LaneMatrices")
        method
        ([ for array in arrays -> Name array ] @ [ Literals.integer rows ])

/// The determinant of a matrix.
let determinant (writer: Writer) (matrix: Expr.Expr) =
    let factors = scratch writer "factors" matrix
    call "Determinant" [ factors ] (sizesOf matrix).Head

/// Computes inv, solve or cholesky into an array.
let compute (writer: Writer) (array: string) (e: Expr.Expr) =
    let matrix = e.Args.Head
    let rows = (sizesOf matrix).Head

    let overwrite method arrays =
        writer.Body.Emit(Overwrite(call method arrays rows, arrays, writer.SourceOf e))

    match e.Op, e.Args with
    | Op.Call("inv", _), _ -> overwrite "Invert" [ scratch writer "factors" matrix; array ]
    | Op.Call("solve", _), [ _; right ] ->
        let factors = scratch writer "factors" matrix
        fill writer array right
        overwrite "Solve" [ factors; array ]
    | Op.Call("cholesky", _), _ ->
        fill writer array matrix
        overwrite "Cholesky" [ array ]
    | op, _ -> Build.internalError "%A is no function of matrices over registers." op
