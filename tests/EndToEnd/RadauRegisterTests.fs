/// radau over SIMD registers, against radau on tensors.
module DiffEqLang.Tests.EndToEnd.RadauRegisterTests

open System
open Expecto
open TorchSharp
open DiffEqLang.Runtime
open DiffEqLang.Runtime.Simd
open DiffEqLang.Tests.Support
open DiffEqLang.Tests.Support.StiffProblems

let private compiledAs dtype text = GeneratedCode.createAs dtype (GeneratedCode.ofText "m.deq" text) "M"
let private compiled text = compiledAs torch.ScalarType.Float64 text

let private ofRadau rtol problem = SolveOptions(Threads = Nullable 1, Method = methodFor "radau" rtol problem)

/// The packed state that the `init` lines give.
let private startOf (model: OdeModel) : float[] =
    use _ = torch.NewDisposeScope()
    let declared = model.DeclaredInitialState()
    model.Layout.Pack([| for slot in model.Layout.Slots -> declared[slot.Name] |]).data<float>().ToArray()

/// Solves samples side by side on registers: their last states, one after another, and how they ended.
let private ensemble (model: OdeModel) (options: SolveOptions) (starts: float[] list) =
    let states, statuses =
        Array.zeroCreate (starts.Length * starts.Head.Length), Array.zeroCreate starts.Length

    let start = ReadOnlyMemory(Array.concat starts)

    Ensemble<float>(model).From(start).Solve(options, Memory states, Memory statuses)
    |> ignore

    states, statuses

let tests =
    testList
        "RadauRegisters"
        [ test "a sample is itself in any company, also beside one that is no number" {
              for problem in problems do
                  let model = create problem :?> OdeModel
                  let options = ofRadau 1e-5 problem
                  let start = startOf model
                  let alone = ensemble model options [ start ] |> fst
                  let slower = start |> Array.map ((*) 0.9)
                  let spoilt = start |> Array.map (fun _ -> nan)

                  let together, statuses =
                      ensemble
                          model
                          options
                          [ slower; start; spoilt; slower; start; slower; slower; start; start ]

                  for sample in [ 1; 4; 7; 8 ] do
                      let own = together[sample * start.Length .. (sample + 1) * start.Length - 1]
                      Expect.sequenceEqual own alone problem.Name

                  Expect.equal statuses[2] SolveStatus.NonFinite "spoilt"

                  Expect.isTrue
                      (statuses |> Array.removeAt 2 |> Array.forall ((=) SolveStatus.Success))
                      "the others"
          }

          test "fixed steps end where those on tensors end" {
              for problem in [ oregonator; hires ] do
                  use _ = torch.NewDisposeScope()

                  let solve (target: SolveTarget) =
                      let model = create problem

                      let solution =
                          model.Solve(
                              options =
                                  SolveOptions(
                                      Target = Nullable target,
                                      End = Nullable 1.0,
                                      Save = SaveAt.Grid 8,
                                      Method = Method("radau", Dt = Nullable 0.01, Adaptive = Nullable false)
                                  )
                          )

                      solution.EnsureSuccess()
                      solution.Packed.data<float>().ToArray()

                  for a, b in Seq.zip (solve SolveTarget.Simd) (solve SolveTarget.Torch) do
                      Expect.isLessThan (abs (a - b)) (1e-9 * abs b + 1e-12) problem.Name
          }

          test "statuses are those on tensors: used up, and where no stages are found" {
              let status (target: SolveTarget) (text: string) most =
                  use _ = torch.NewDisposeScope()
                  let model = compiled text
                  let options = SolveOptions(Target = Nullable target, MaxSteps = most)
                  model.Solve(options = options).Status[0]

              let model drift =
                  $"model M {{\nstate x\nx' = {drift}\ninit x = 1\nsolve {{ t = 0 .. 4, method = radau, dtype = float64 }}\n}}"

              for drift, most in
                  [ "-1e3*(x - cos(t))", 5
                    "x^2", 100_000
                    "-1/(x - 0.5)^3", 100_000
                    "-sqrt(x - 0.5)", 100_000 ] do
                  Expect.equal
                      (status SolveTarget.Simd (model drift) most)
                      (status SolveTarget.Torch (model drift) most)
                      drift
          }

          test "float32 keeps what its tolerance asks" {
              use _ = torch.NewDisposeScope()
              let text = oregonator.Text.Replace("0 .. 360", "0 .. 30").Replace("rodas5p", "radau")
              let wide = compiled $"model M {{\n{text}\n}}"

              let narrow =
                  compiledAs
                      torch.ScalarType.Float32
                      ($"model M {{\n{text}\n}}".Replace("float64", "float32"))

              let solve (model: DifferentialModel) =
                  let method = Methods.Radau(Nullable 1e-4, Nullable 1e-6)

                  let solution =
                      model.Solve(options = SolveOptions(Target = Nullable SolveTarget.Simd, Method = method))

                  solution.EnsureSuccess()
                  solution.LastState.``to``(torch.float64).data<float>().ToArray()

              for a, b in Seq.zip (solve narrow) (solve wide) do
                  Expect.isLessThan (abs (a - b)) (0.02 * abs b) "state"
          }

          test "saved states lie on the polynomial, as on tensors" {
              use _ = torch.NewDisposeScope()

              let solve (target: SolveTarget) =
                  let model = create hires
                  let method = Methods.Radau(Nullable 1e-9, Nullable 1e-12)

                  let options = SolveOptions(Target = Nullable target, Method = method, Save = SaveAt.Grid 50)

                  model.Solve(options = options).Packed.data<float>().ToArray()

              for a, b in Seq.zip (solve SolveTarget.Simd) (solve SolveTarget.Torch) do
                  Expect.isLessThan (abs (a - b)) (1e-6 * abs b + 1e-9) "state"
          }

          test "the solve block's choice runs there" {
              let text =
                  "model M {\nstate x\nx' = -50*(x - cos(t))\ninit x = 1\nsolve { t = 0 .. 4, method = radau, target = simd, dtype = float64 }\n}"

              use _ = torch.NewDisposeScope()
              let model = compiled text
              let here = model.Solve()
              let there = model.Solve(options = SolveOptions(Target = Nullable SolveTarget.Torch))
              here.EnsureSuccess()

              Expect.isGreaterThan
                  here.Statistics.Evaluations
                  (3L * here.Statistics.Accepted[0])
                  "three evaluations an iteration"

              Expect.equal
                  here.Statistics.Jacobians
                  (here.Statistics.Accepted[0] + here.Statistics.Rejected[0])
                  "one in every attempt"

              Expect.isLessThan
                  (abs (here.LastState.data<float>()[0] - there.LastState.data<float>()[0]))
                  1e-5
                  "state"
          } ]
