/// What a kernel's method gives: elements written to arrays and variables, and sums added to arrays.
module internal DiffEqLang.Compiler.Backends.Simd.Results

open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.Simd.Index
open DiffEqLang.Compiler.Backends.Simd.Registers
open DiffEqLang.Compiler.Backends.Simd.Statements
open DiffEqLang.Compiler.Backends.Simd.Elements
open DiffEqLang.Compiler.Backends.Simd.Unrolling

/// A part of an array that loops write to has a name of its own.
let private target (writer: Writer) (array: string) (offset: int) (name: string) (e: Expr.Expr) =
    if hasLoops e then
        writer.Body.Target(name, array, offset, sizeOf e), 0
    else
        array, offset

/// Writes all elements of a node to an array from an offset on.
let give
    (writer: Writer)
    (array: string)
    (offset: int)
    (name: string)
    (source: Source option)
    (e: Expr.Expr)
    =
    let sizes = sizesOf e
    let mutable isFirst = true
    let array, offset = target writer array offset name e

    writer.Body.Visit(
        sizes,
        fun indices ->
            let target =
                Element(Name array, [ Index.expression (Index.shift offset (flat sizes indices)) ])

            writer.Body.Emit(
                Store(
                    target,
                    writer.Arithmetic.Spread(writer.Element(e, indices)),
                    (if isFirst then source else None)
                )
            )

            isFirst <- false
    )

/// Assigns all elements of a node to variables.
let assign (writer: Writer) (names: string list) (source: Source option) (e: Expr.Expr) =
    List.zip (Index.unflatten (sizesOf e)) names
    |> List.iteri (fun i (indices, name) ->
        let value = writer.Arithmetic.Spread(writer.Element(e, indices))
        writer.Body.Emit(Store(Name name, value, (if i = 0 then source else None))))

/// The two factors of an element that is their product.
let rec private factors (writer: Writer) (e: Expr.Expr) (indices: Index list) : (Value * Value) option =
    match e.Op, e.Args with
    | Multiply, [ a; b ] ->
        let operand (a: Expr.Expr) = writer.Element(a, (if a.Shape.IsEmpty then [] else indices))
        Some(operand a, operand b)
    | Contract([], []), [ a; b ] ->
        let ofLeft, ofRight = List.splitAt a.Shape.Length indices
        Some(writer.Element(a, ofLeft), writer.Element(b, ofRight))
    | Permute axes, [ a ] when not (writer.IsStored a) ->
        factors writer a [ for axis in 0 .. axes.Length - 1 -> indices[List.findIndex ((=) axis) axes] ]
    | _ -> None

/// The same with a sign.
let rec private addScaled
    (writer: Writer)
    (array: string)
    (offset: int)
    (name: string)
    (sign: float)
    (e: Expr.Expr)
    =
    match e.Op, e.Args with
    | BatchSum, [ a ] -> addScaled writer array offset name sign a
    | Add, [ a; b ] when not (writer.IsStored e) && a.Shape = b.Shape ->
        addScaled writer array offset name sign a
        addScaled writer array offset name sign b
    | Subtract, [ a; b ] when not (writer.IsStored e) && a.Shape = b.Shape ->
        addScaled writer array offset name sign a
        addScaled writer array offset name (-sign) b
    | Negate, [ a ] when not (writer.IsStored e) -> addScaled writer array offset name (-sign) a
    | _ ->
        let sizes = sizesOf e

        let array, offset = target writer array offset name e

        writer.Body.Visit(
            sizes,
            fun indices ->
                let target =
                    Element(Name array, [ Index.expression (Index.shift offset (flat sizes indices)) ])

                let ofProduct = if writer.IsStored e then None else factors writer e indices

                let value =
                    match ofProduct with
                    | Some(a, b) ->
                        writer.Arithmetic.MultiplyAdd(
                            writer.Arithmetic.Multiply(Value.Number sign, a),
                            b,
                            Register target
                        )
                    | None ->
                        let value = writer.Element(e, indices)

                        if sign < 0.0 then
                            writer.Arithmetic.Subtract(Register target, value)
                        else
                            writer.Arithmetic.Add(Register target, value)

                if value <> Register target then
                    writer.Body.Emit(Store(target, writer.Arithmetic.Spread value, None))
        )

/// Adds all elements of a node to an array from an offset on; a product is added in one rounding.
let addTo writer array offset name e = addScaled writer array offset name 1.0 e

/// Adds sums of outer products, whose operands are stored, to a part of an array: summed over the lanes.
let addOuterProducts (writer: Writer) array offset name (e: Expr.Expr) (products: Dense.OuterProduct list) =
    let sums = writer.Body.Target(name, array, offset, sizeOf e)

    for product in products do
        writer.Body.Emit(Dense.addOuter product (writer.Array product.Left) (writer.Array product.Right) sums)
