/// radau over SIMD registers, against radau on tensors.
module DiffEqLang.Tests.EndToEnd.RadauRegisterTests

open System
open System.Numerics
open System.Runtime.InteropServices
open Expecto
open TorchSharp
open DiffEqLang.Runtime
open DiffEqLang.Runtime.Simd
open DiffEqLang.Tableaux
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

let private lanes = Vector<float>.Count

let private writable (numbers: float[]) : Span<Lanes<float>> =
    MemoryMarshal.Cast<float, Lanes<float>>(Span numbers)

let private readable (numbers: float[]) : ReadOnlySpan<Lanes<float>> =
    MemoryMarshal.Cast<float, Lanes<float>>(ReadOnlySpan numbers)

/// What two registers of samples begin with.
type private Start =
    {
        Times: float[]
        Steps: float[]
        LastSteps: float[]
        State: float[]
        Parameters: float[]
        /// z of the last step.
        Last: float[]
        Slopes: float[]
        /// Masks of the iterations.
        Active: float[][]
    }

let private randomStart (kernel: LaneKernel<Vector<float>>) =
    let random = Random 11

    let numbers size = Array.init (2 * size * lanes) (fun _ -> 0.2 + random.NextDouble())

    let mask _ = if random.Next 3 > 0 then BitConverter.Int64BitsToDouble -1L else 0.0

    { Times = numbers 1
      Steps = numbers 1 |> Array.map ((*) 0.1)
      LastSteps = numbers 1 |> Array.mapi (fun i h -> if i % lanes = 1 then 0.0 else 0.1 * h)
      State = numbers kernel.StateSize
      Parameters = numbers kernel.ParameterSize
      Last = numbers (3 * kernel.StateSize) |> Array.map ((*) 0.05)
      Slopes = numbers kernel.StateSize
      Active = Array.init 3 (fun _ -> Array.init (2 * lanes) mask) }

/// Takes a step of some of the registers: z after the beginning and every iteration with the sizes of its changes, and what ends it.
let private stepped
    (kernel: LaneKernel<Vector<float>>)
    (iteration: IStageIteration<Lanes<float>>)
    (start: Start)
    first
    count
    =
    let part size (numbers: float[]) = Array.sub numbers (first * size * lanes) (count * size * lanes)
    let n = kernel.StateSize
    let times, steps, state = part 1 start.Times, part 1 start.Steps, part n start.State
    let room = Array.zeroCreate (count * iteration.RoomSize * lanes)

    let stages, after =
        Array.zeroCreate (count * 4 * n * lanes), Array.zeroCreate (count * n * lanes)

    let squares = Array.zeroCreate (count * lanes)

    let ofRegister size (numbers: float[]) register =
        ArraySegment(numbers, register * size * lanes, size * lanes)

    for register in 0 .. count - 1 do
        let last = Array.sub start.Last ((first + register) * 3 * n * lanes) (3 * n * lanes)
        Array.blit last 0 room ((register * iteration.RoomSize + 3 * n) * lanes) last.Length
        let slope = Array.sub start.Slopes ((first + register) * n * lanes) (n * lanes)
        Array.blit slope 0 stages (register * 4 * n * lanes) slope.Length

    let increments () =
        [| for register in 0 .. count - 1 do
               yield! Seq.take (3 * n * lanes) (ofRegister iteration.RoomSize room register) |]

    let rtol, atol = Lanes<float>.Of 1e-3, Lanes<float>.Of 1e-2

    iteration.Begin(
        readable times,
        readable steps,
        readable (part 1 start.LastSteps),
        readable state,
        readable (part kernel.ParameterSize start.Parameters),
        rtol,
        atol,
        writable room
    )

    [| increments ()

       for active in start.Active do
           iteration.Iterate(
               readable times,
               readable steps,
               readable (part 1 active),
               readable state,
               readable (part kernel.ParameterSize start.Parameters),
               writable room,
               writable squares
           )

           increments ()
           Array.copy squares

       iteration.End(
           readable steps,
           readable state,
           rtol,
           atol,
           readable room,
           writable stages,
           writable after,
           writable squares
       )
       stages
       after
       squares |]

/// Systems that are eliminated in various orders: of one state, full, sparse, of a vector; with time and parameters, and a product of both.
let private small =
    [ "state x\nparam k = 3\nx' = -k*(x - cos(t))\ninit x = 1"
      "state x, y\nx' = y - x*y\ny' = -x + 5*(1 - x^2)*y\ninit x = 1\ninit y = 0"
      "state a, b, c, d\nparam k = 2\na' = -k*a + b\nb' = b*c - d\nc' = a^2 - c\nd' = t*a - d^3\ninit a = 1\ninit b = 1\ninit c = 1\ninit d = 1"
      "state y : R[5]\nlet r = y[0]*y[4]\ny' = [y[1] - r, y[2] - 3*y[1], exp(-y[3]), r + y[3]*y[0], -y[4] + y[1]]\ninit y = 1" ]

let tests =
    testList
        "RadauRegisters"
        [ test "the generated iteration is that over loops, also of two registers at once" {
              let assembly =
                  small
                  |> List.mapi (fun i text ->
                      $"model M{i} {{\n{text}\nsolve {{ t = 0 .. 1, method = radau, dtype = float64 }}\n}}")
                  |> String.concat "\n"
                  |> GeneratedCode.ofText "m.deq"

              for number, text in List.indexed small do
                  let model = GeneratedCode.create assembly $"M{number}"
                  let kernel = Kernels.kernelOf ((Kernels.binding model).Value :?> SimdBinding<float>)
                  Expect.equal kernel.FusedStages "radau" text
                  let stepper = LaneStepper<Vector<float>, Lanes<float>>(kernel, Radau.Tableau)
                  let start = randomStart kernel

                  let generated =
                      stepped kernel (FusedStageIteration<Vector<float>, Lanes<float>> stepper) start 0 2

                  let loops =
                      [ for register in 0..1 ->
                            stepped
                                kernel
                                (StageIteration<Vector<float>, Lanes<float>> stepper)
                                start
                                register
                                1 ]

                  for i, found in Array.indexed generated do
                      let expected = loops |> List.map (Array.item i) |> Array.concat
                      Expect.hasLength found expected.Length text

                      for a, b in Array.zip found expected do
                          Expect.isLessThan (abs (a - b)) (1e-10 * (1.0 + abs b)) $"{text}, result {i}"
          }

          test "what is generated for the method solves as what is not" {
              for problem in problems do
                  let options = ofRadau 1e-6 problem
                  let ofOther = create problem :?> OdeModel
                  let own = createForRadau problem :?> OdeModel
                  let start = startOf own
                  let ends = ensemble own options [ for _ in 0 .. 2 * lanes -> start ] |> fst

                  for sample in Array.chunkBySize start.Length ends do
                      for a, b in Array.zip sample (ensemble ofOther options [ start ] |> fst) do
                          Expect.isLessThan (abs (a - b)) (1e-5 * abs b + problem.Atol) problem.Name
          }

          test "a sample is itself in any company, also beside one that is no number" {
              for problem in problems do
                  for model in [ create problem; createForRadau problem ] do
                      let model = model :?> OdeModel
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
