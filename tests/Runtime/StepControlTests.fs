module DiffEqLang.Tests.Runtime.StepControlTests

open System
open System.Numerics
open System.Threading
open DiffEqLang.Runtime
open DiffEqLang.Tests.Support.OdeMethods
open DiffEqLang.Tests.Support.Odes
open DiffEqLang.Tests.Support.Detest
open Expecto
open TorchSharp

let tests =
    testList
        "Step control"
        [ test "rough logarithms and powers have nine digits" {
              let log2 (x: float) = RoughLogarithm.Log2(Vector<float> x)[0]
              let exp2 (x: float) = RoughLogarithm.Exp2(Vector<float> x)[0]

              for i in -3000 .. 3000 do
                  let x = 0.0991 * float i
                  let power = Math.Pow(2.0, x)
                  Expect.isLessThan (abs (log2 power - x)) (1e-9 * max 1.0 (abs x)) $"log2 of 2^{x}"
                  Expect.isLessThan (abs (exp2 x / power - 1.0)) 1e-9 $"2^{x}"

              for unbounded in [ infinity; nan; -nan ] do
                  Expect.isGreaterThan (log2 unbounded) 1000.0 $"log2 {unbounded}"

              Expect.isLessThan (log2 0.0) -1000.0 "log2 0"
              Expect.equal (exp2 1e9) (exp2 1000.0) "beyond"
          }

          testList
              "y' = a + (y - a t - b)^5 both ways"
              [ for name in allMethods do
                    test name {
                        let equations =
                            ode (fun t y ->
                                plus 0.2 ((plus -3.0 (y.Minus(scale 0.2 (t.unsqueeze -1L)))).pow(scalar 5.0)))

                        for start, finish in [ 1.0, 8.0; 8.0, 1.0 ] do
                            let final =
                                finalState
                                    (span start finish (coarseMethod name))
                                    equations
                                    (vector [ 0.2 * start + 3.0 ])

                            Expect.isLessThan
                                (abs (final[0] / (0.2 * finish + 3.0) - 1.0))
                                3e-4
                                $"{start} to {finish}"
                    } ]

          testList
              "y' = 2y/t + t^4 sin 2t - t^2 + 4t^3 there and back"
              [ for name in adaptiveMethods do
                    test name {
                        let equations =
                            components (fun t y ->
                                let forcing =
                                    add
                                        (sub (mul (t.pow (scalar 4.0)) ((scale 2.0 t).sin())) (t.Squared()))
                                        (scale 4.0 (t.pow (scalar 3.0)))

                                [ add (scale 2.0 (y[0].div t)) forcing ])

                        let there =
                            finalState (span 1.0 8.0 (anyMethod name)) equations (vector [ 4.45027807613942 ])

                        Expect.isLessThan (abs (there[0] / 9737.32274478061 - 1.0)) 1e-5 "there"
                        let back = finalState (span 8.0 1.0 (anyMethod name)) equations (vector there)
                        Expect.isLessThan (abs (back[0] - 4.45027807613942)) 1e-4 "and back"
                    } ]

          test "a skew system keeps its norm and returns" {
              let a =
                  List.init 10 (fun i ->
                      List.init 10 (fun j ->
                          if i = j then 0.0 else float (sign (j - i)) / float (1 + abs (i - j))))

              let start = vector [ for i in 0..9 -> cos (float i) ]

              for name in adaptiveMethods do
                  let options first last = span first last (tolerances name 1e-8 1e-10)
                  let there = finalState (options 1.0 8.0) (linear a) start
                  let norm (v: float[]) = sqrt (Array.sumBy (fun x -> x * x) v)
                  Expect.isLessThan (abs (norm there - norm (values start))) 1e-5 $"{name}: norm"

                  Expect.isLessThan
                      (distance (finalState (options 8.0 1.0) (linear a) (vector there)) (values start))
                      1e-5
                      $"{name}: back"
          }

          test "p' = -q, q' = p" {
              let final =
                  finalState
                      (span 0.0 1.0 (fixedStep "rk4" 1e-2))
                      (linear [ [ 0.0; -1.0 ]; [ 1.0; 0.0 ] ])
                      (vector [ 1.0; -0.5 ])

              Expect.isLessThan (distance final [| 0.961037798272; 0.571319831874 |]) 1e-9 "state"
          }

          test "MaxSteps ends what needs more steps, and says what helps" {
              let options finish =
                  SolveOptions(
                      Start = Nullable 1.0,
                      End = Nullable finish,
                      Method = fixedStep "euler" 1.0,
                      MaxSteps = 7
                  )

              let short = solveWith (options 4.9) growth (vector [ 1.0 ])

              Expect.equal
                  (List.ofSeq short.Status, short.Statistics.Accepted[0])
                  ([ SolveStatus.Success ], 4L)
                  "fits"

              let long = solveWith (options 13.0) growth (vector [ 1.0 ])

              Expect.equal
                  (List.ofSeq long.Status, long.Statistics.Accepted[0])
                  ([ SolveStatus.MaxSteps ], 7L)
                  "does not"

              Expect.equal long.LastTime[0] 8.0 "the time reached"
              Expect.equal (values long.LastState) [| 128.0 |] "the state reached"
              Expect.isTrue (Double.IsNaN (values long.Packed).[0]) "nothing is claimed of the end"
              Expect.stringContains long.Message "MaxSteps" "remedy"
              let error = Expect.throwsT<SolveException> (fun () -> long.EnsureSuccess()) "raises"
              ignore error
          }

          testList
              "each sample of a batch is as if alone"
              [ for name in allMethods do
                    test name {
                        // van der Pol from calm and from wild starts, which step apart
                        let equations =
                            components (fun _ y ->
                                [ y[1]; sub (mul (scale 3.0 (plus 1.0 (y[0].Squared().neg()))) y[1]) y[0] ])

                        let starts = [ [ 2.0; 0.0 ]; [ 0.01; 0.0 ]; [ -1.0; 4.0 ]; [ 0.5; -3.0 ] ]
                        let options = saving [ 0.0; 0.7; 1.3; 2.9; 4.0 ] (coarseMethod name)
                        let together = solveWith options equations (matrix starts)
                        Expect.isTrue together.Succeeded "together"

                        for i, start in List.indexed starts do
                            let alone = solveWith options equations (vector start)

                            Expect.isLessThan
                                (distance
                                    (values (together.Packed.select (1L, int64 i)))
                                    (values alone.Packed))
                                (rounding name)
                                $"sample {i}"

                            Expect.equal
                                together.Statistics.Accepted[i]
                                alone.Statistics.Accepted[0]
                                $"steps of sample {i}"
                    } ]

          testList
              "a sample of NaN or one that blows up leaves the others alone"
              [ for name in allMethods do
                    test name {
                        let starts = [ [ 0.5 ]; [ nan ]; [ 2.0 ]; [ 0.1 ] ] // 2 blows up at t = 1/2
                        let options = saving [ 0.0; 0.25; 0.9 ] (anyMethod name)
                        let solution = solveWith options blowUp (matrix starts)
                        Expect.equal solution.Status[0] SolveStatus.Success "first"
                        Expect.equal solution.Status[1] SolveStatus.NonFinite "NaN"
                        Expect.notEqual solution.Status[2] SolveStatus.Success "blown up"
                        Expect.equal solution.Status[3] SolveStatus.Success "last"
                        Expect.isFalse solution.Succeeded "as a whole"

                        for i in [ 0; 3 ] do
                            let alone = solveWith options blowUp (vector starts[i])

                            Expect.isLessThan
                                (distance
                                    (values (solution.Packed.select (1L, int64 i)))
                                    (values alone.Packed))
                                (0.1 * rounding name)
                                $"sample {i}"

                        let found = values (solution.Packed.select (1L, 2L))
                        let tolerance = if name = "euler" then 0.05 else 1e-4
                        Expect.isLessThan (abs (found[1] - 4.0)) tolerance "before it blew up"
                        Expect.isTrue (Double.IsNaN found[2]) "after"
                        Expect.isGreaterThan solution.LastTime[2] 0.25 "last good time"
                        Expect.isTrue (Double.IsFinite (values solution.LastState).[2]) "last good state"
                        Expect.equal solution.LastTime[1] 0.0 "never got anywhere"
                    } ]

          test "coupled samples share steps and status, and agree to the tolerance" {
              let options =
                  SolveOptions(
                      Start = Nullable 0.0,
                      End = Nullable 2.0,
                      Method = tolerances "tsit5" 1e-8 1e-10,
                      Coupling = StepCoupling.Batch
                  )

              let starts = matrix [ [ 1.0; 3.0 ]; [ 2.0; 1.0 ]; [ 0.5; 0.5 ] ]
              let coupled = solveWith options classB[0].Equations starts
              Expect.equal (coupled.Statistics.Accepted |> Seq.distinct |> Seq.length) 1 "one step count"
              Expect.equal coupled.Status.Count 3 "a status each"

              let apart =
                  finalState (span 0.0 2.0 (tolerances "tsit5" 1e-10 1e-12)) classB[0].Equations starts

              Expect.isLessThan (distance (values coupled.LastState) apart) 1e-6 "states"
          }

          test "batch axes are kept, whatever their number" {
              let options = saving [ 0.0; 1.0 ] (tolerances "dopri5" 1e-9 1e-9)
              let start = (torch.arange (0, 12, dtype = torch.float64)).reshape(2L, 3L, 2L)
              let solution = solveWith options growth start
              Expect.equal solution.Packed.shape [| 2L; 2L; 3L; 2L |] "[times, batch, batch, N]"
              Expect.equal solution.LastState.shape [| 2L; 3L; 2L |] "last state"
              Expect.equal solution.Status.Count 6 "samples"

              Expect.isLessThan
                  (distance (values solution.LastState) (values start |> Array.map (fun x -> x * Math.E)))
                  1e-7
                  "values"
          }

          test "cancelling stops at once, with what was reached" {
              use source = new CancellationTokenSource()
              let mutable evaluations = 0

              let slow =
                  ode (fun _ y ->
                      evaluations <- evaluations + 1

                      (if evaluations = 40 then
                           source.Cancel())

                      y)

              let solution =
                  solveWith
                      (SolveOptions(
                          Start = Nullable 0.0,
                          End = Nullable 1.0,
                          Method = fixedStep "euler" 1e-3,
                          CancellationToken = source.Token
                      ))
                      slow
                      (vector [ 1.0 ])

              Expect.equal (List.ofSeq solution.Status) [ SolveStatus.Cancelled ] "status"
              Expect.equal evaluations 40 "not one more"
              Expect.floatClose Accuracy.high solution.LastTime[0] 0.04 "time"
          }

          test "progress runs from start to end" {
              let seen = ResizeArray<float>()

              let progress =
                  { new IProgress<SolveProgress> with
                      member _.Report p = seen.Add p.Fraction }

              solveWith
                  (SolveOptions(
                      Start = Nullable 2.0,
                      End = Nullable 0.0,
                      Method = fixedStep "euler" 0.25,
                      Progress = progress
                  ))
                  growth
                  (vector [ 1.0 ])
              |> ignore

              Expect.equal (List.ofSeq seen) [ for i in 1..8 -> float i / 8.0 ] "fractions"
          }

          testList
              "every controller meets the tolerance"
              [ for name, controller in
                    [ "I", StepController.I; "PI", StepController.PI; "PID", StepController.PID ] do
                    test name {
                        let method =
                            Method(
                                "dopri5",
                                Rtol = Nullable 1e-8,
                                Atol = Nullable 1e-8,
                                Controller = controller
                            )

                        let final =
                            finalState (span 0.0 20.0 method) classB[0].Equations (vector classB[0].Initial)

                        Expect.isLessThan (distance final (Array.ofList classB[0].Final)) 1e-6 "error"
                    } ]

          test "a first step that is much too large is mended" {
              let method = Method("tsit5", Rtol = Nullable 1e-8, Atol = Nullable 1e-8, Dt = Nullable 20.0)
              let solution = solveWith (span 0.0 20.0 method) classA[2].Equations (vector [ 1.0 ])
              Expect.isGreaterThan solution.Statistics.Rejected[0] 0L "rejected"
              Expect.isLessThan (abs ((values solution.LastState).[0] - exp (sin 20.0))) 1e-6 "and right"
          }

          test "time is carried in float64, the state in its own type" {
              let start = torch.tensor ([| 1.0f |])
              let mutable timeType = torch.float64

              let equations =
                  ode (fun t y ->
                      timeType <- t.dtype
                      y.neg ())

              let solution =
                  solveWith (span 1e6 (1e6 + 1.0) (tolerances "dopri5" 1e-5 1e-6)) equations start

              Expect.equal solution.Packed.dtype torch.float32 "state"
              Expect.equal timeType torch.float32 "time as the equations see it"
              Expect.isLessThan (abs ((values solution.Packed).[0] - exp -1.0)) 1e-4 "value"
          }

          test "the first evaluation serves, and an accepted step's last is the next one's first" {
              let mutable evaluations = 0

              let counted =
                  ode (fun _ y ->
                      evaluations <- evaluations + 1
                      y)

              let solution =
                  solveWith (span 0.0 1.0 (tolerances "dopri5" 1e-6 1e-6)) counted (vector [ 1.0 ])

              let attempts = solution.Statistics.Accepted[0] + solution.Statistics.Rejected[0]
              Expect.equal (int64 evaluations) (2L + 6L * attempts) "two to start, six a step"
              Expect.equal solution.Statistics.Evaluations (int64 evaluations) "as counted"
              evaluations <- 0
              solveWith (span 0.0 1.0 (fixedStep "rk4" 0.1)) counted (vector [ 1.0 ]) |> ignore
              Expect.equal evaluations 40 "four a step of rk4"
          }

          test "what makes no sense is refused with a word on how to mend it" {
              let refused (options: SolveOptions) (word: string) =
                  try
                      solveWith options growth (vector [ 1.0 ]) |> ignore
                      failtest $"accepted: {word}"
                  with :? ArgumentException as e ->
                      Expect.stringContains e.Message word "message"

              refused (span 0.0 1.0 (Method "rk5")) "Did you mean 'rk4'?"
              refused (span 0.0 1.0 (Method "gear")) "dopri5"
              refused (span 0.0 1.0 (Method "rk4")) "dt"
              refused (span 0.0 1.0 (Methods.Rk4 -0.1)) "positive"
              refused (span 0.0 1.0 (Methods.Dopri5(Nullable -1.0))) "negative"
              refused (span 0.0 1.0 (Method("rk4", Adaptive = Nullable true))) "error"
              refused (SolveOptions(Method = Methods.Dopri5())) "time"
              refused (span nan 1.0 (Methods.Dopri5())) "finite"
              refused (saving [ 0.0; 2.0; 1.0 ] (Methods.Dopri5())) "direction"
          }

          test "equations that return their input, a constant or the time are safe" {
              let constant = vector [ 3.0 ]

              let equations =
                  [ ode (fun _ y -> y), Math.E
                    ode (fun _ _ -> constant), 4.0
                    ode (fun t y -> t.unsqueeze(-1L).expand_as y), 1.5 ]

              for name in allMethods do
                  for equations, expected in equations do
                      let solution =
                          solveWith
                              (saving [ 0.0; 0.5; 1.0 ] (anyMethod name))
                              equations
                              (matrix [ [ 1.0 ]; [ 1.0 ] ])

                      Expect.isLessThan (abs ((values solution.LastState).[1] - expected)) 2e-3 name

              Expect.equal (values constant) [| 3.0 |] "the constant lives on, unchanged"
          }

          test "the initial state is not changed" {
              let start = vector [ 1.0; 2.0 ]

              for name in allMethods do
                  solveWith (span 0.0 1.0 (anyMethod name)) growth start |> ignore

              Expect.equal (values start) [| 1.0; 2.0 |] "start"
          } ]
