/// The systems of coupled stages: the coordinates in which they fall apart, the order of their elimination, and their factors over registers.
module DiffEqLang.Tests.Runtime.StageFactorsTests

open System
open System.Numerics
open System.Runtime.InteropServices
open System.Runtime.Intrinsics
open DiffEqLang.Runtime.Simd
open DiffEqLang.Tableaux
open Expecto

let private spectrum = Radau.Tableau.Spectrum

let private product (a: float[] seq) (b: float[] seq) =
    let columns = b |> Seq.toArray |> Array.transpose
    [| for row in a -> [| for column in columns -> Array.fold2 (fun sum x y -> sum + x * y) 0.0 row column |] |]

let private expectNear what (expected: float[][]) (actual: float[][]) =
    for expected, actual in Seq.zip (Array.concat expected) (Array.concat actual) do
        Expect.floatClose Accuracy.high actual expected what

/// A pattern that has each entry with a probability; its diagonal is not always there.
let private randomPattern (random: Random) n =
    let some =
        [| for place in 0 .. n * n - 1 do
               if random.NextDouble() < 0.4 then
                   place |]

    if some.Length = 0 then [| 0 |] else some

/// Solves both systems in every lane; gives x, and the real and imaginary part of y, by component and lane.
let private solved<'R, 'L
    when 'R: struct
    and 'R: (new: unit -> 'R)
    and 'R :> ValueType
    and 'L: struct
    and 'L: (new: unit -> 'L)
    and 'L :> ValueType
    and 'L :> ILanes<'L>>
    (plan: EliminationPlan)
    (h: float)
    (jacobian: float[])
    (right: float[][])
    =
    let lanes = sizeof<'R> / sizeof<float>
    let spread (numbers: float[]) = numbers |> Array.collect (Array.replicate lanes)
    let matrix, alone, results = spread jacobian, spread right[0], right |> Array.map spread
    let factors = StageFactors<'L>(plan, spectrum)
    factors.Factorize('L.Of h, Span<'L>.op_Implicit(MemoryMarshal.Cast<float, 'L>(Span matrix)))

    factors.Solve(
        MemoryMarshal.Cast<float, 'L>(Span results[0]),
        MemoryMarshal.Cast<float, 'L>(Span results[1]),
        MemoryMarshal.Cast<float, 'L>(Span results[2])
    )

    factors.Solve(MemoryMarshal.Cast<float, 'L>(Span alone))
    Expect.sequenceEqual alone results[0] "the real system alone"
    results |> Array.map (Array.chunkBySize lanes)

let private isSolved name (solve: EliminationPlan -> float -> float[] -> float[][] -> float[][][]) =
    test $"both systems are solved, {name}" {
        let random = Random 6

        for n in 1..9 do
            for _ in 1..5 do
                let pattern = randomPattern random n
                let jacobian = Array.zeroCreate (n * n)

                for place in pattern do
                    jacobian[place] <- 4.0 * random.NextDouble() - 2.0

                let right = Array.init 3 (fun _ -> Array.init n (fun _ -> random.NextDouble()))
                let h = 0.2
                let found = solve (EliminationPlan(n, ReadOnlySpan pattern)) h jacobian right

                for lane in 0 .. found[0].[0].Length - 1 do
                    let x = Array.init n (fun i -> found[0].[i].[lane])
                    let y = Array.init n (fun i -> Complex(found[1].[i].[lane], found[2].[i].[lane]))

                    for i in 0 .. n - 1 do
                        let sum = Seq.sum (seq { for j in 0 .. n - 1 -> jacobian[i * n + j] * x[j] })
                        Expect.floatClose Accuracy.high (spectrum.Real * x[i] - h * sum) right[0].[i] "real"

                        let sum =
                            Seq.fold
                                (fun (sum: Complex) j -> sum + jacobian[i * n + j] * y[j])
                                Complex.Zero
                                [ 0 .. n - 1 ]

                        let left = Complex(spectrum.Alpha, -spectrum.Beta) * y[i] - h * sum
                        Expect.floatClose Accuracy.high left.Real right[1].[i] "real part"
                        Expect.floatClose Accuracy.high left.Imaginary right[2].[i] "imaginary part"
    }

let tests =
    testList
        "Stage factors"
        [ test "radau's stages have the eigenvalues that Hairer and Wanner print" {
              Expect.floatClose Accuracy.high spectrum.Real 3.637834252744496 "real"
              Expect.floatClose Accuracy.high spectrum.Alpha 2.681082873627752 "alpha"
              Expect.floatClose Accuracy.high spectrum.Beta 3.050430199247411 "beta"

              Expect.floatClose
                  Accuracy.high
                  (1.0 / spectrum.Real)
                  Radau.Tableau.Error.Filter.Value
                  "the filter's"
          }

          test "their coordinates make blocks of the inverse of A" {
              let a = [| for row in Seq.take 3 (Seq.skip 1 Radau.Tableau.A) -> row[1..] |]
              let identity = [| [| 1.0; 0.0; 0.0 |]; [| 0.0; 1.0; 0.0 |]; [| 0.0; 0.0; 1.0 |] |]
              expectNear "A" identity (product spectrum.OfSlopes a)
              expectNear "T" identity (product spectrum.Inverse spectrum.T)

              let blocks =
                  [| [| spectrum.Real; 0.0; 0.0 |]
                     [| 0.0; spectrum.Alpha; spectrum.Beta |]
                     [| 0.0; -spectrum.Beta; spectrum.Alpha |] |]

              expectNear "blocks" blocks (product spectrum.Inverse (product spectrum.OfSlopes spectrum.T))
          }

          test "the polynomial of a step goes on into the next" {
              let cubic x = x * (2.0 + x * (0.7 - 1.3 * x)) // zero at the start
              let nodes = [| for i in 1..3 -> Radau.Tableau.C[i] |]
              let z = nodes |> Array.map cubic

              for ratio in [ 0.3; 1.0; 2.5 ] do
                  for i in 0..2 do
                      let expected = cubic (1.0 + ratio * nodes[i]) - cubic 1.0

                      let actual =
                          Seq.sum (
                              seq {
                                  for power, matrix in Seq.indexed spectrum.Continued do
                                      for j in 0..2 -> matrix[i].[j] * ratio ** float (power + 1) * z[j]
                              }
                          )

                      Expect.floatClose Accuracy.high actual expected "an increment"
          }

          test "the error is weighed by increments as by slopes" {
              let error = Radau.Tableau.Error
              let slopes = [| 0.3; -1.1; 0.7; 2.0 |]
              let h = 0.2

              let z =
                  [| for i in 1..3 ->
                         h * Seq.sum (seq { for j in 0..3 -> Radau.Tableau.A[i].[j] * slopes[j] }) |]

              let bySlopes = h * Array.sum (Array.map2 (*) error.Estimates[0] slopes)
              let weights = spectrum.OfFilteredError error
              let byIncrements = weights[0] * h * slopes[0] + Array.sum (Array.map2 (*) weights[1..] z)
              Expect.floatClose Accuracy.high byIncrements (bySlopes / error.Filter.Value) "estimate"
          }

          test "other methods have none, and run where they ran" {
              for tableau in Catalogue.All do
                  Expect.equal (isNull tableau.Spectrum) (tableau.Name <> "radau") tableau.Name

                  Expect.equal
                      tableau.FitsRegisters
                      (not tableau.IsImplicit || not (isNull tableau.Rosenbrock) || tableau.Name = "radau")
                      tableau.Name
          }

          test "an arrow that points at its last unknown fills nothing in; all else is a pattern's own" {
              let n = 8
              // Row and column 0 are full: eliminated first, they would fill the whole matrix in.
              let arrow =
                  [| for i in 0 .. n - 1 do
                         for j in 0 .. n - 1 do
                             if i = 0 || j = 0 || i = j then
                                 i * n + j |]

              let plan = EliminationPlan(n, ReadOnlySpan arrow)
              Expect.equal plan.Entries arrow.Length "entries"
              Expect.equal (Seq.sumBy Array.length plan.Lower) (n - 1) "multipliers"
              Expect.equal (EliminationPlan(n, ReadOnlySpan<int>.Empty).Entries) (n * n) "a full matrix"
          }

          isSolved "Vector<double>" solved<Vector<float>, Lanes<float>>
          isSolved "Vector512<double>" solved<Vector512<float>, Lanes512<float>> ]
