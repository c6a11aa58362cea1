/// Linear algebra over registers against the reference interpreter's, every lane with a matrix of its own.
module DiffEqLang.Tests.Runtime.LaneMatricesTests

open System
open System.Numerics
open System.Runtime.InteropServices
open System.Runtime.Intrinsics
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Tensor
open DiffEqLang.Runtime.Simd
open DiffEqLang.Tests.Support.RandomExpr
open Expecto

/// The functions for registers of one type.
type private Registers<'R> =
    { Name: string
      Tolerance: float
      Lanes: int
      Create: float[] -> 'R
      Numbers: 'R -> float[]
      Determinant: 'R[] -> int -> 'R
      Solve: 'R[] -> 'R[] -> int -> unit
      Invert: 'R[] -> 'R[] -> int -> unit
      Cholesky: 'R[] -> int -> unit
      Factored: 'R[] -> 'R[] -> int -> unit }

/// Factorizes once, and solves for one column after another: b is [n, 2].
let private factored<'R, 'L
    when 'R: struct
    and 'R: (new: unit -> 'R)
    and 'R :> ValueType
    and 'L: struct
    and 'L: (new: unit -> 'L)
    and 'L :> ValueType
    and 'L :> ILanes<'L>>
    (a: 'R[])
    (b: 'R[])
    n
    =
    let factors = LuFactors<'L> n
    MemoryMarshal.Cast<'R, 'L>(Span a).CopyTo factors.Matrix
    factors.Factorize()

    for column in 0..1 do
        let right = Array.init n (fun i -> b[2 * i + column])
        factors.Solve(MemoryMarshal.Cast<'R, 'L>(Span right))
        right |> Array.iteri (fun i x -> b[2 * i + column] <- x)

let private portableDouble =
    { Name = "Vector<double>"
      Tolerance = 1e-10
      Lanes = Vector<float>.Count
      Create = fun (x: float[]) -> Vector<float> x
      Numbers = fun v -> Array.init Vector<float>.Count (fun i -> v[i])
      Determinant = fun a n -> LaneMatrices.Determinant(Span<Vector<float>> a, n)
      Solve = fun a b n -> LaneMatrices.Solve(Span<Vector<float>> a, Span<Vector<float>> b, n)
      Invert = fun a b n -> LaneMatrices.Invert(Span<Vector<float>> a, Span<Vector<float>> b, n)
      Cholesky = fun a n -> LaneMatrices.Cholesky(Span<Vector<float>> a, n)
      Factored = factored<Vector<float>, Lanes<float>> }

let private portableSingle =
    { Name = "Vector<float>"
      Tolerance = 2e-3
      Lanes = Vector<float32>.Count
      Create = fun (x: float[]) -> Vector<float32>(Array.map float32 x)
      Numbers = fun v -> Array.init Vector<float32>.Count (fun i -> float v[i])
      Determinant = fun a n -> LaneMatrices.Determinant(Span<Vector<float32>> a, n)
      Solve = fun a b n -> LaneMatrices.Solve(Span<Vector<float32>> a, Span<Vector<float32>> b, n)
      Invert = fun a b n -> LaneMatrices.Invert(Span<Vector<float32>> a, Span<Vector<float32>> b, n)
      Cholesky = fun a n -> LaneMatrices.Cholesky(Span<Vector<float32>> a, n)
      Factored = factored<Vector<float32>, Lanes<float32>> }

let private wideDouble =
    { Name = "Vector512<double>"
      Tolerance = 1e-10
      Lanes = Vector512<float>.Count
      Create = fun (x: float[]) -> Vector512.Create<float>(ReadOnlySpan x)
      Numbers = fun v -> Array.init Vector512<float>.Count (fun i -> v.GetElement i)
      Determinant = fun a n -> LaneMatrices.Determinant(Span<Vector512<float>> a, n)
      Solve = fun a b n -> LaneMatrices.Solve(Span<Vector512<float>> a, Span<Vector512<float>> b, n)
      Invert = fun a b n -> LaneMatrices.Invert(Span<Vector512<float>> a, Span<Vector512<float>> b, n)
      Cholesky = fun a n -> LaneMatrices.Cholesky(Span<Vector512<float>> a, n)
      Factored = factored<Vector512<float>, Lanes512<float>> }

let private wideSingle =
    { Name = "Vector512<float>"
      Tolerance = 2e-3
      Lanes = Vector512<float32>.Count
      Create = fun (x: float[]) -> Vector512.Create<float32>(ReadOnlySpan(Array.map float32 x))
      Numbers = fun v -> Array.init Vector512<float32>.Count (fun i -> float (v.GetElement i))
      Determinant = fun a n -> LaneMatrices.Determinant(Span<Vector512<float32>> a, n)
      Solve = fun a b n -> LaneMatrices.Solve(Span<Vector512<float32>> a, Span<Vector512<float32>> b, n)
      Invert = fun a b n -> LaneMatrices.Invert(Span<Vector512<float32>> a, Span<Vector512<float32>> b, n)
      Cholesky = fun a n -> LaneMatrices.Cholesky(Span<Vector512<float32>> a, n)
      Factored = factored<Vector512<float32>, Lanes512<float32>> }

let private packed (r: Registers<'R>) (samples: Tensor[]) : 'R[] =
    Array.init samples[0].Data.Length (fun i -> r.Create [| for s in samples -> s.Data[i] |])

let private lane (r: Registers<'R>) shape (registers: 'R[]) k =
    ofArray shape (registers |> Array.map (fun v -> (r.Numbers v)[k]))

/// Entries of any size and sign, so that lanes differ in their pivots; a multiple of 1/64, exact in both precisions.
let private matrix (random: Random) n : Tensor =
    ofArray [| n; n |] (Array.init (n * n) (fun _ -> float (random.Next(-128, 128)) / 64.0))

/// Well away from singular ones: else errors are those of the problem.
let rec private regular random n =
    let a = matrix random n
    let size = Array.sumBy abs

    if size a.Data * size (Tensor.inverse a).Data < 100.0 * float (n * n) then
        a
    else
        regular random n

let private definite random n =
    let a = matrix random n
    map2 (+) (contract [| 1 |] [| 1 |] a a) (Tensor.identity n)

let private expectClose (r: Registers<'R>) what expected actual =
    Expect.isLessThan (distance expected actual) r.Tolerance (sprintf "%s: %s" r.Name what)

/// The results of one kind, by lane.
let private run (r: Registers<'R>) what (n: int) (a: Tensor[]) (b: Tensor[]) =
    let matrices, right = packed r a, packed r b

    match what with
    | "det" -> r.Determinant matrices n |> r.Numbers |> Array.map Tensor.scalar
    | "solve" ->
        r.Solve matrices right n
        [| for k in 0 .. r.Lanes - 1 -> lane r b[0].Shape right k |]
    | "factors" ->
        r.Factored matrices right n
        [| for k in 0 .. r.Lanes - 1 -> lane r b[0].Shape right k |]
    | "inv" ->
        let inverse = Array.zeroCreate (n * n)
        r.Invert matrices inverse n
        [| for k in 0 .. r.Lanes - 1 -> lane r [| n; n |] inverse k |]
    | _ ->
        r.Cholesky matrices n
        [| for k in 0 .. r.Lanes - 1 -> lane r [| n; n |] matrices k |]

let private interpreted what (a: Tensor) (b: Tensor) =
    match what with
    | "det" -> determinant a
    | "solve"
    | "factors" -> solve a b
    | "inv" -> inverse a
    | _ -> cholesky a

let private kinds = [ "det"; "solve"; "factors"; "inv"; "cholesky" ]

let private operands (r: Registers<'R>) (random: Random) what n =
    let drawn = if what = "cholesky" then definite else regular
    let a = Array.init r.Lanes (fun _ -> drawn random n)
    a, Array.init r.Lanes (fun _ -> ofArray [| n; 2 |] (matrix random (2 * n)).Data[.. 2 * n - 1])

let private agrees (r: Registers<'R>) =
    test (sprintf "%s: each lane with pivots of its own" r.Name) {
        let random = Random 4

        for what in kinds do
            for n in 1..9 do
                let a, b = operands r random what n
                let found = run r what n a b

                for k in 0 .. r.Lanes - 1 do
                    expectClose r (sprintf "%s, n = %d" what n) (interpreted what a[k] b[k]) found[k]
    }

/// One lane's matrix has no inverse and no factor.
let private isAlone (r: Registers<'R>) =
    test (sprintf "%s: a lane that fails is alone, bit for bit" r.Name) {
        let random = Random 5

        for what in kinds do
            for n in 2..5 do
                for spoilt in [ Array.create (n * n) 1.0; Array.create (n * n) nan ] do
                    let a, b = operands r random what n
                    let before = run r what n a b
                    a[1] <- ofArray [| n; n |] spoilt
                    let after = run r what n a b

                    for k in 0 .. r.Lanes - 1 do
                        if k <> 1 then
                            Expect.sequenceEqual after[k].Data before[k].Data what

                    if what = "det" && not (Double.IsNaN spoilt[0]) then
                        Expect.equal after[1].Data[0] 0.0 "singular"
                    else
                        Expect.isFalse (Array.exists Double.IsFinite after[1].Data) what
    }

let tests =
    testList
        "Simd matrices"
        [ agrees portableDouble
          agrees portableSingle
          agrees wideDouble
          agrees wideSingle
          isAlone portableDouble
          isAlone portableSingle
          isAlone wideDouble
          isAlone wideSingle ]
