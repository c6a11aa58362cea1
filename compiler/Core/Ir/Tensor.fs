/// Arrays of float64, row-major: the values of the reference interpreter. Truth values are 0 and 1.
module internal DiffEqLang.Compiler.Ir.Tensor

open System

[<CustomEquality; NoComparison>]
type Tensor =
    { Shape: int[]
      Data: float[] }

    override this.Equals other =
        match other with
        | :? Tensor as t -> this.Shape = t.Shape && this.Data = t.Data
        | _ -> false

    override this.GetHashCode() = hash this.Shape

let scalar (x: float) = { Shape = [||]; Data = [| x |] }

let sizeOf (shape: int[]) = Array.fold (*) 1 shape
let rank t = t.Shape.Length

/// The elements in row-major order; their number must be the shape's size.
let ofArray (shape: int[]) (data: float[]) =
    if sizeOf shape <> data.Length then
        invalidArg (nameof data) (sprintf "%d elements do not fill the shape %A." data.Length shape)

    { Shape = shape; Data = data }

let filled (shape: int[]) (x: float) = { Shape = shape; Data = Array.create (sizeOf shape) x }

let vector (xs: float seq) =
    let data = Seq.toArray xs
    { Shape = [| data.Length |]; Data = data }

let identity n =
    { Shape = [| n; n |]
      Data = Array.init (n * n) (fun k -> if k / n = k % n then 1.0 else 0.0) }

let reshape (shape: int[]) t = ofArray shape t.Data

/// Elements between neighbours along each axis.
let stridesOf (shape: int[]) =
    let strides = Array.create shape.Length 1

    for i in shape.Length - 2 .. -1 .. 0 do
        strides[i] <- strides[i + 1] * shape[i + 1]

    strides

let map f t = { t with Data = Array.map f t.Data }

/// Elementwise, with scalars standing for every element of the other operand.
let map2 f a b =
    if a.Shape = b.Shape then
        { a with Data = Array.map2 f a.Data b.Data }
    elif rank a = 0 then
        map (f a.Data[0]) b
    elif rank b = 0 then
        map (fun x -> f x b.Data[0]) a
    else
        invalidArg (nameof b) (sprintf "Shapes %A and %A do not match." a.Shape b.Shape)

/// Visits every index of `shape` with the position offset + index . strides.
let private visit (shape: int[]) (strides: int[]) offset (action: int -> int -> unit) =
    let index = Array.zeroCreate shape.Length
    let mutable position = offset

    for flat in 0 .. sizeOf shape - 1 do
        action flat position
        let mutable axis = shape.Length - 1
        let mutable carry = true

        while carry && axis >= 0 do
            index[axis] <- index[axis] + 1
            position <- position + strides[axis]

            if index[axis] = shape[axis] then
                position <- position - strides[axis] * shape[axis]
                index[axis] <- 0
                axis <- axis - 1
            else
                carry <- false

/// Reads along strides of the source's own: permutations, repetitions, slices and diagonals are all this.
let private gather (shape: int[]) (strides: int[]) offset t =
    let data = Array.zeroCreate (sizeOf shape)
    visit shape strides offset (fun flat position -> data[flat] <- t.Data[position])
    { Shape = shape; Data = data }

/// Writes along strides of the target's own into zeros: the adjoint of `gather`.
let private scatter (target: int[]) (strides: int[]) offset t =
    let data = Array.zeroCreate (sizeOf target)
    visit t.Shape strides offset (fun flat position -> data[position] <- t.Data[flat])
    { Shape = target; Data = data }

/// Result axis i is argument axis `axes[i]`.
let permute (axes: int[]) t =
    let strides = stridesOf t.Shape
    gather (axes |> Array.map (fun a -> t.Shape[a])) (axes |> Array.map (fun a -> strides[a])) 0 t

/// Argument axis i becomes result axis `axes[i]`; the other axes of the shape are repeated.
let broadcast (shape: int[]) (axes: int[]) t =
    let own = stridesOf t.Shape
    let strides = Array.zeroCreate shape.Length
    axes |> Array.iteri (fun i axis -> strides[axis] <- own[i])
    gather shape strides 0 t

/// Positions from (inclusive) to (exclusive) of an axis.
let slice axis from upTo t =
    let strides = stridesOf t.Shape
    gather (Array.updateAt axis (upTo - from) t.Shape) strides (from * strides[axis]) t

/// One position of an axis, which disappears.
let index axis position t =
    let one = slice axis position (position + 1) t
    reshape (Array.removeAt axis one.Shape) one

/// Zeros of `size` along an axis with the argument put at `from`.
let pad axis from size t =
    let target = Array.updateAt axis size t.Shape
    let strides = stridesOf target
    scatter target strides (from * strides[axis]) t

/// Operands of one shape on a new first axis.
let stack (ts: Tensor list) =
    { Shape = Array.append [| List.length ts |] ts.Head.Shape
      Data = ts |> List.map _.Data |> Array.concat }

/// Along the first axis; scalars count as length one.
let concat (ts: Tensor list) =
    let parts = ts |> List.map (fun t -> if rank t = 0 then reshape [| 1 |] t else t)

    { Shape = Array.updateAt 0 (parts |> List.sumBy (fun t -> t.Shape[0])) parts.Head.Shape
      Data = parts |> List.map _.Data |> Array.concat }

/// The diagonal of the last two axes, as one last axis.
let diagonal t =
    let n = t.Shape[rank t - 1]
    let strides = stridesOf t.Shape
    let kept = rank t - 2
    let diagonalStride = strides[kept] + strides[kept + 1]

    gather
        (Array.append t.Shape[.. kept - 1] [| n |])
        (Array.append strides[.. kept - 1] [| diagonalStride |])
        0
        t

/// The last axis put on the diagonal of two.
let diagonalMatrix t =
    let last = rank t - 1
    let target = Array.append t.Shape [| t.Shape[last] |]
    let strides = stridesOf target
    scatter target (Array.append strides[.. last - 1] [| strides[last] + strides[last + 1] |]) 0 t

/// Folds the given axes away.
let reduce (combine: float -> float -> float) (start: float) (axes: int[]) t =
    let kept = [| 0 .. rank t - 1 |] |> Array.except axes
    let rows = permute (Array.append kept axes) t
    let width = axes |> Array.fold (fun n a -> n * t.Shape[a]) 1

    { Shape = kept |> Array.map (fun a -> t.Shape[a])
      Data =
        Array.init (rows.Data.Length / max width 1) (fun r ->
            Seq.fold combine start (ArraySegment(rows.Data, r * width, width))) }

let sum axes t = reduce (+) 0.0 axes t

/// Sum of products over paired axes; the result has the left's other axes, then the right's.
let contract (left: int[]) (right: int[]) a b =
    let freeA = [| 0 .. rank a - 1 |] |> Array.except left
    let freeB = [| 0 .. rank b - 1 |] |> Array.except right
    let inner = left |> Array.fold (fun n i -> n * a.Shape[i]) 1
    let rows = permute (Array.append freeA left) a
    let columns = permute (Array.append freeB right) b
    let m = sizeOf (freeA |> Array.map (fun i -> a.Shape[i]))
    let n = sizeOf (freeB |> Array.map (fun i -> b.Shape[i]))

    let element k =
        let i, j = k / n, k % n
        let mutable total = 0.0

        for l in 0 .. inner - 1 do
            total <- total + rows.Data[i * inner + l] * columns.Data[j * inner + l]

        total

    { Shape =
        Array.append (freeA |> Array.map (fun i -> a.Shape[i])) (freeB |> Array.map (fun i -> b.Shape[i]))
      Data = Array.init (m * n) element }

/// Zeros above the diagonal of the last two axes.
let lowerTriangle t =
    let columns = t.Shape[rank t - 1]
    let rows = t.Shape[rank t - 2]

    { t with
        Data = t.Data |> Array.mapi (fun k x -> if k % columns > k / columns % rows then 0.0 else x) }

/// LU with partial pivoting (Golub and Van Loan, Matrix Computations, 3.4): the factors in one matrix, the row order, its sign.
let private factorize a =
    let n = a.Shape[0]
    let lu = Array2D.init n n (fun i j -> a.Data[i * n + j])
    let order = [| 0 .. n - 1 |]
    let mutable sign = 1.0

    for k in 0 .. n - 1 do
        let pivot = Seq.maxBy (fun i -> abs lu[i, k]) (seq { k .. n - 1 })

        if pivot <> k then
            sign <- -sign
            let row = order[k]
            order[k] <- order[pivot]
            order[pivot] <- row

            for j in 0 .. n - 1 do
                let x = lu[k, j]
                lu[k, j] <- lu[pivot, j]
                lu[pivot, j] <- x

        if lu[k, k] <> 0.0 then
            for i in k + 1 .. n - 1 do
                lu[i, k] <- lu[i, k] / lu[k, k]

                for j in k + 1 .. n - 1 do
                    lu[i, j] <- lu[i, j] - lu[i, k] * lu[k, j]

    lu, order, sign

/// Of one square matrix.
let determinant a =
    let lu, _, sign = factorize a
    scalar (Seq.fold (fun product i -> product * lu[i, i]) sign (seq { 0 .. a.Shape[0] - 1 }))

/// The solution x of a x = b, for one matrix a and b a vector or the columns of a matrix. A singular a gives infinities or NaN.
let solve a b =
    let n = a.Shape[0]
    let lu, order, _ = factorize a
    let width = b.Data.Length / max n 1
    let x = Array.init (n * width) (fun k -> b.Data[order[k / width] * width + k % width])

    for column in 0 .. width - 1 do
        for i in 0 .. n - 1 do
            for j in 0 .. i - 1 do
                x[i * width + column] <- x[i * width + column] - lu[i, j] * x[j * width + column]

        for i in n - 1 .. -1 .. 0 do
            for j in i + 1 .. n - 1 do
                x[i * width + column] <- x[i * width + column] - lu[i, j] * x[j * width + column]

            x[i * width + column] <- x[i * width + column] / lu[i, i]

    { b with Data = x }

let inverse a = solve a (identity a.Shape[0])

/// The lower triangular factor of (a + aᵀ)/2, which is `a` where it is symmetric; NaN where that is not positive definite.
let cholesky a =
    let n = a.Shape[0]
    let l = Array.zeroCreate (n * n)

    for j in 0 .. n - 1 do
        for i in j .. n - 1 do
            let mutable rest = 0.5 * (a.Data[i * n + j] + a.Data[j * n + i])

            for k in 0 .. j - 1 do
                rest <- rest - l[i * n + k] * l[j * n + k]

            l[i * n + j] <- if i = j then sqrt rest else rest / l[j * n + j]

    let isDefinite = Seq.forall (fun i -> l[i * n + i] > 0.0) (seq { 0 .. n - 1 })
    { a with Data = if isDefinite then l else Array.map (fun _ -> nan) l }
