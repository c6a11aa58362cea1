/// Sparse Jacobians and their factors, against dense ones.
module DiffEqLang.Tests.Runtime.SparseTests

open System
open DiffEqLang.Runtime
open DiffEqLang.Runtime.Sparse
open DiffEqLang.Tests.Support.Gradients
open DiffEqLang.Tests.Support.Odes
open Expecto
open TorchSharp

/// Rows of up to five entries anywhere.
let private randomPattern (random: Random) size =
    let run row =
        let columns = Seq.init (random.Next 6) (fun _ -> random.Next size) |> Seq.distinct |> Seq.sort
        struct (1, [| for column in columns -> column - row |])

    SparsityPattern(size, ReadOnlySpan(Array.init size run))

let private line (size: int) =
    SparsityPattern(
        size,
        ReadOnlySpan [| struct (1, [| 0; 1 |]); struct (size - 2, [| -1; 0; 1 |]); struct (1, [| -1; 0 |]) |]
    )

let private dense (matrix: ColumnMatrix) (values: float[]) =
    let full = Array2D.zeroCreate matrix.Size matrix.Size

    for column in 0 .. matrix.Size - 1 do
        for i in matrix.ColumnStarts[column] .. matrix.ColumnStarts[column + 1] - 1 do
            full[matrix.Rows[i], column] <- values[i]

    full

let private factors =
    test "factors solve with random matrices and their transposes, new or along the last one's structure" {
        for seed in 1..60 do
            let random = Random seed
            let size = 1 + random.Next 80
            let pattern = randomPattern random size
            let matrix = ColumnMatrix pattern
            let lu = SparseLu(matrix, ReverseCuthillMcKee.Of pattern)

            for g in [ 0.1; 0.3; 1.0; -0.2 ] do
                let values =
                    matrix.Values(
                        g,
                        ReadOnlySpan [| for _ in 1 .. pattern.Count -> 4.0 * random.NextDouble() - 2.0 |]
                    )

                let full = dense matrix values
                Expect.isTrue (lu.Factorize values) $"seed {seed}"
                let right = [| for _ in 1..size -> random.NextDouble() |]
                let solved, transposed = Array.copy right, Array.copy right
                lu.Solve(Span solved)
                lu.SolveTransposed(Span transposed)

                // What is left of the equations, against their terms: rounding, however ill the matrix is conditioned.
                let residual (entry: int -> int -> float) (x: float[]) =
                    Seq.init size (fun row ->
                        let terms = [ for column in 0 .. size - 1 -> entry row column * x[column] ]
                        abs (List.sum terms - right[row]) / (1.0 + List.sumBy abs terms))
                    |> Seq.max

                Expect.isLessThan
                    (residual (fun row column -> full[row, column]) solved)
                    1e-11
                    $"seed {seed}, {g}"

                Expect.isLessThan
                    (residual (fun row column -> full[column, row]) transposed)
                    1e-11
                    $"seed {seed}, {g}, transposed"
    }

let private singular =
    test "a singular matrix has no factors, and the next regular one has" {
        let pattern = line 3
        let matrix = ColumnMatrix pattern
        let lu = SparseLu(matrix, ReverseCuthillMcKee.Of pattern)

        Expect.isFalse
            (lu.Factorize(matrix.Values(1.0, ReadOnlySpan [| 1.0; 0.0; 0.0; 1.0; 0.0; 0.0; 1.0 |])))
            "I - I"

        Expect.isFalse (lu.Factorize(matrix.Values(1.0, ReadOnlySpan(Array.create 7 nan)))) "not a number"
        Expect.isTrue (lu.Factorize(matrix.Values(1.0, ReadOnlySpan(Array.create 7 0.25)))) "regular"
    }

let private filling =
    test "factors of a line have no more entries than its matrix, in whatever order its points stand" {
        let random = Random 3
        let size = 400
        let place = Array.init size id
        random.Shuffle place

        // Point place[i] is the neighbour of place[i + 1].
        let neighbours = Array.init size (fun _ -> ResizeArray<int>())

        for i in 0 .. size - 2 do
            neighbours[place[i]].Add place[i + 1]
            neighbours[place[i + 1]].Add place[i]

        let run row = struct (1, [| for column in Seq.sort neighbours[row] -> column - row |])
        let pattern = SparsityPattern(size, ReadOnlySpan(Array.init size run))
        let matrix = ColumnMatrix pattern
        let lu = SparseLu(matrix, ReverseCuthillMcKee.Of pattern)

        Expect.isTrue
            (lu.Factorize(matrix.Values(0.3, ReadOnlySpan(Array.create pattern.Count 1.0))))
            "factors"

        Expect.equal lu.Count matrix.Rows.Length "entries"
    }

let private groups =
    testList
        "groups of rows"
        [ test "share no column" {
              for seed in 1..30 do
                  let pattern = randomPattern (Random seed) 60
                  let groups = RowColoring.Of pattern

                  for group in Seq.distinct groups do
                      let columns =
                          [ for row in 0..59 do
                                if groups[row] = group then
                                    yield! (pattern.Row row).ToArray() ]

                      Expect.equal (List.distinct columns) columns $"group {group} of seed {seed}"
          }
          test "are three on a line, however long" {
              for size in [ 10; 1000 ] do
                  Expect.equal (Array.max (RowColoring.Of(line size)) + 1) 3 $"{size} rows"
          } ]

/// du/dt = k (uᵢ₋₁ - 2uᵢ + uᵢ₊₁) + (1 - u) u, no flux at the ends, with k trained; its pattern given or withheld.
let private fisher (k: Tensor) size isSparse : OdeEquations =
    let n = int64 size

    let laplacian (u: Tensor) =
        let left = torch.cat ([| u.narrow (-1L, 0L, 1L); u.narrow (-1L, 0L, n - 1L) |], -1L)
        let right = torch.cat ([| u.narrow (-1L, 1L, n - 1L); u.narrow (-1L, n - 1L, 1L) |], -1L)
        left.Plus(right).Minus(scale 2.0 u)

    let pattern = line size

    { new OdeEquations() with
        member _.Parameters = [| k |]
        member _.JacobianPattern = if isSparse then pattern else null
        member _.Drift(_, u) = (laplacian u).mul(k).Plus(u.Minus(u.Squared()))

        member _.DriftVjp(_, u, w, into) =
            let spread = laplacian w
            into.Add(0, (w.mul (laplacian u)).sum(-1L).unsqueeze -1L)
            (spread.mul k).Plus(w.mul (plus 1.0 (scale -2.0 u))) }

let private bump size = vector [ for i in 0 .. size - 1 -> exp (-((float i - 20.0) ** 2.0) / 30.0) ]

let private methods =
    [ "bdf"; "rodas5p"; "rosenbrock23"; "kvaerno5"; "trbdf2"; "implicit_euler" ]

let private jacobian =
    test "entries by groups of rows are those of the whole Jacobian" {
        use _ = torch.NewDisposeScope()
        let size = 60
        let equations = fisher (vector [ 3.0 ]) size true
        let states = torch.stack [| bump size; scale 0.5 (bump size) |]
        let time = torch.tensor (0.0, dtype = torch.float64)
        let whole = values (equations.DriftJacobian(time, states))
        let pattern = equations.JacobianPattern
        let entries = SparseJacobian(equations, pattern).At(time, states)

        for sample in 0..1 do
            let mutable next = 0
            let rest = Array.copy whole[sample * size * size .. (sample + 1) * size * size - 1]

            for row in 0 .. size - 1 do
                for column in (pattern.Row row).ToArray() do
                    Expect.equal entries[sample].[next] rest[row * size + column] "entry"
                    rest[row * size + column] <- 0.0
                    next <- next + 1

            Expect.allEqual rest 0.0 "the others"
    }

let private solves =
    testList
        "solves and their gradients are those with dense matrices"
        [ for name in methods do
              for coupling in [ StepCoupling.PerSample; StepCoupling.Batch ] do
                  test $"{name} {coupling}" {
                      use _ = torch.NewDisposeScope()
                      let size = 60

                      let run isSparse =
                          let k = trained (vector [ 30.0 ])
                          let start = trained (torch.stack [| bump size; scale 0.5 (bump size) |])
                          let rtol = if name = "implicit_euler" then 1e-3 else 1e-5

                          let options =
                              SolveOptions(
                                  Save = SaveAt.Times(ReadOnlySpan [| 0.0; 0.3; 1.0 |]),
                                  Method = tolerances name rtol 1e-8,
                                  Coupling = coupling
                              )

                          let solution = solveWith options (fisher k size isSparse) start
                          solution.EnsureSuccess()
                          backward ((solution.Packed.Squared()).sum())
                          values solution.Packed, gradientOf k, gradientOf start, solution.Statistics

                      let state, ofParameter, ofStart, statistics = run true
                      let state', ofParameter', ofStart', statistics' = run false
                      Expect.sequenceEqual statistics.Accepted statistics'.Accepted "steps"

                      Expect.equal
                          (statistics.Jacobians, statistics.Factorizations)
                          (statistics'.Jacobians, statistics'.Factorizations)
                          "counts"

                      Expect.isLessThan (distance state state') 1e-10 "states"
                      Expect.isLessThan (distance ofStart ofStart') 1e-8 "gradient of the start"
                      Expect.isLessThan (distance ofParameter ofParameter') 1e-7 "gradient of the parameter"
                  } ]

let private wrong =
    test "a pattern that does not cover its rows, or leaves the matrix, is refused" {
        for runs in [ [| struct (2, [| 0 |]) |]; [| struct (4, [| 0 |]) |]; [| struct (3, [| 0; 1 |]) |] ] do
            Expect.throwsT<ArgumentException>
                (fun () -> SparsityPattern(3, ReadOnlySpan runs) |> ignore)
                $"{runs}"
    }

let tests = testList "Sparse" [ factors; singular; filling; groups; jacobian; solves; wrong ]
