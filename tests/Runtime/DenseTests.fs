/// Products of whole layers over registers, against sums written as the definition has them: every register type, sizes
/// around the blocks that the loops take at once.
module DiffEqLang.Tests.Runtime.DenseTests

open System
open System.Numerics
open System.Runtime.InteropServices
open System.Runtime.Intrinsics
open Expecto
open DiffEqLang.Runtime.Simd

/// The functions of one register type, over numbers.
type private Functions =
    {
        Name: string
        Lanes: int
        Tolerance: float
        /// Weights, operand, length of the result, directions, whether transposed.
        Product: float[] -> float[] -> int -> int -> bool -> float[]
        /// Left, right, sums before, directions, whether subtracted: numbers of the sums' registers.
        Outer: float[] -> float[] -> float[] -> int -> bool -> float[]
    }

let private functionsOf<'R, 'T
    when 'R: struct
    and 'T: struct
    and 'R :> ValueType
    and 'R: (new: unit -> 'R)
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)>
    (name: string)
    (tolerance: float)
    (ofFloat: float -> 'T)
    (toFloat: 'T -> float)
    (product: 'T[] -> 'R[] -> 'R[] -> int -> bool -> unit)
    (outer: 'R[] -> 'R[] -> 'R[] -> int -> bool -> unit)
    =
    let lanes = sizeof<'R> / sizeof<'T>

    let pack (numbers: float[]) =
        MemoryMarshal.Cast<'T, 'R>(ReadOnlySpan(Array.map ofFloat numbers)).ToArray()

    let unpack (registers: 'R[]) =
        MemoryMarshal.Cast<'R, 'T>(ReadOnlySpan registers).ToArray() |> Array.map toFloat

    { Name = name
      Lanes = lanes
      Tolerance = tolerance
      Product =
        fun weights x length directions transposed ->
            let result = Array.zeroCreate<'R> length
            product (Array.map ofFloat weights) (pack x) result directions transposed
            unpack result
      Outer =
        fun left right sums directions subtracts ->
            let into = pack sums
            outer (pack left) (pack right) into directions subtracts
            unpack into }

let private all =
    [ functionsOf<Vector<float>, float>
          "Vector<double>"
          1e-13
          id
          id
          (fun w x r n t -> if t then Dense.TransposedProduct(w, x, r, n) else Dense.Product(w, x, r, n))
          (fun l r s n m -> if m then Dense.SubtractOuter(l, r, s, n) else Dense.AddOuter(l, r, s, n))
      functionsOf<Vector<float32>, float32>
          "Vector<float>"
          1e-5
          float32
          float
          (fun w x r n t -> if t then Dense.TransposedProduct(w, x, r, n) else Dense.Product(w, x, r, n))
          (fun l r s n m -> if m then Dense.SubtractOuter(l, r, s, n) else Dense.AddOuter(l, r, s, n))
      functionsOf<Vector512<float>, float>
          "Vector512<double>"
          1e-13
          id
          id
          (fun w x r n t -> if t then Dense.TransposedProduct(w, x, r, n) else Dense.Product(w, x, r, n))
          (fun l r s n m -> if m then Dense.SubtractOuter(l, r, s, n) else Dense.AddOuter(l, r, s, n))
      functionsOf<Vector512<float32>, float32>
          "Vector512<float>"
          1e-5
          float32
          float
          (fun w x r n t -> if t then Dense.TransposedProduct(w, x, r, n) else Dense.Product(w, x, r, n))
          (fun l r s n m -> if m then Dense.SubtractOuter(l, r, s, n) else Dense.AddOuter(l, r, s, n)) ]

let private draw (random: Random) n = Array.init n (fun _ -> float (float32 (random.NextDouble() - 0.5)))

/// Rows and columns on both sides of what the loops take at once.
let private sizes = [ 1, 1; 8, 16; 9, 17; 23, 40; 16, 300; 3, 7; 12, 31 ]

let private products (f: Functions) =
    test (sprintf "products over %s" f.Name) {
        let random = Random 5

        for rows, columns in sizes do
            for directions in 1..5 do
                for transposed in [ false; true ] do
                    let weights = draw random (rows * columns)
                    let operands, results = if transposed then rows, columns else columns, rows
                    let x = draw random (operands * directions * f.Lanes)
                    let weight i j = if transposed then weights[j * columns + i] else weights[i * columns + j]

                    let expected =
                        [| for i in 0 .. results - 1 do
                               for d in 0 .. directions - 1 do
                                   for lane in 0 .. f.Lanes - 1 ->
                                       Seq.init operands (fun j ->
                                           weight i j * x[(j * directions + d) * f.Lanes + lane])
                                       |> Seq.sum |]

                    let actual = f.Product weights x (results * directions) directions transposed

                    Array.iter2
                        (fun e a ->
                            Expect.isLessThan
                                (abs (e - a))
                                (f.Tolerance * 10.0)
                                (sprintf "%d x %d" rows columns))
                        expected
                        actual
    }

let private outerProducts (f: Functions) =
    test (sprintf "outer products over %s" f.Name) {
        let random = Random 6

        for rows, columns in sizes do
            for directions in 1..3 do
                for subtracts in [ false; true ] do
                    let left = draw random (rows * directions * f.Lanes)
                    let right = draw random (columns * directions * f.Lanes)
                    let before = draw random (rows * columns * f.Lanes)
                    let sign = if subtracts then -1.0 else 1.0

                    let expected =
                        [| for i in 0 .. rows - 1 do
                               for j in 0 .. columns - 1 ->
                                   before[i * columns + j]
                                   + sign
                                     * (Seq.init (directions * f.Lanes) (fun k ->
                                         left[i * directions * f.Lanes + k]
                                         * right[j * directions * f.Lanes + k])
                                        |> Seq.sum) |]

                    let actual = f.Outer left right before directions subtracts

                    Array.iter2
                        (fun e a ->
                            Expect.isLessThan
                                (abs (e - a))
                                (f.Tolerance * 10.0)
                                (sprintf "%d x %d" rows columns))
                        expected
                        actual[.. expected.Length - 1]

                    Expect.equal
                        actual[expected.Length ..]
                        before[expected.Length ..]
                        "the rest is left alone"
    }

/// Wrong lengths must not read beyond an array.
let private lengths =
    test "lengths that do not fit are refused" {
        let registers n = Array.zeroCreate<Vector<float>> n
        let refused what (f: unit -> unit) = Expect.throwsT<ArgumentException> f what
        let weights = Array.zeroCreate<float> 12
        refused "an operand too short" (fun () -> Dense.Product(weights, registers 2, registers 4))
        refused "a result too long" (fun () -> Dense.TransposedProduct(weights, registers 4, registers 4))

        refused "directions that do not divide" (fun () ->
            Dense.Product(weights, registers 3, registers 4, 2))

        refused "sums too few" (fun () -> Dense.AddOuter(registers 3, registers 4, registers 11))
    }

let tests =
    testList "Dense" [ yield! List.map products all; yield! List.map outerProducts all; lengths ]
