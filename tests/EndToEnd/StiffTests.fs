/// The classical stiff problems, as .deq files, to their published references.
module DiffEqLang.Tests.EndToEnd.StiffTests

open System
open Expecto
open TorchSharp
open DiffEqLang.Contracts
open DiffEqLang.Compiler
open DiffEqLang.Runtime
open DiffEqLang.Runtime.Simd
open DiffEqLang.Tests.Support
open DiffEqLang.Tests.Support.Odes

/// A problem with its solution at the end of its span.
type private Problem =
    {
        Name: string
        Text: string
        /// Smaller than what the states become.
        Atol: float
        Final: float list
    }

let private robertson =
    { Name = "Robertson"
      Atol = 1e-18
      Text =
        """state a, b, c
        da/dt = -0.04*a + 1e4*b*c
        db/dt = 0.04*a - 1e4*b*c - 3e7*b^2
        dc/dt = 3e7*b^2
        init a = 1
        init b = 0
        init c = 0
        solve { t = 0 .. 1e11, method = rodas5p, dtype = float64 }"""
      Final = [ 0.2083340149701255e-7; 0.8333360770334713e-13; 0.9999999791665050 ] }

let private vanDerPol =
    { Name = "VanDerPol"
      Atol = 1e-10
      Text =
        """state y
        y'' = 1e6*((1 - y^2)*y' - y)
        init y = sqrt(3)
        init y' = 0
        solve { t = 0 .. 1, method = rodas5p, dtype = float64 }"""
      Final = [ -1.54433853748; 1.1150593342 ] }

let private oregonator =
    { Name = "Oregonator"
      Atol = 1e-8
      Text =
        """state x, y, z
        const s = 77.27
        const q = 8.375e-6
        const w = 0.161
        x' = s*(y + x*(1 - q*x - y))
        y' = (z - (1 + x)*y)/s
        z' = w*(x - z)
        init x = 1
        init y = 2
        init z = 3
        solve { t = 0 .. 360, method = rodas5p, dtype = float64 }"""
      Final = [ 0.1000814870318523e1; 0.1228178521549917e4; 0.1320554942846706e3 ] }

let private hires =
    { Name = "Hires"
      Atol = 1e-12
      Text =
        """state y : R[8]
        let r = 280*y[5]*y[7]
        y' = [-1.71*y[0] + 0.43*y[1] + 8.32*y[2] + 0.0007,
              1.71*y[0] - 8.75*y[1],
              -10.03*y[2] + 0.43*y[3] + 0.035*y[4],
              8.32*y[1] + 1.71*y[2] - 1.12*y[3],
              -1.745*y[4] + 0.43*y[5] + 0.43*y[6],
              -r + 0.69*y[3] + 1.71*y[4] - 0.43*y[5] + 0.69*y[6],
              r - 1.81*y[6],
              -r + 1.81*y[6]]
        init y = [1, 0, 0, 0, 0, 0, 0, 0.0057]
        solve { t = 0 .. 321.8122, method = rodas5p, dtype = float64 }"""
      Final =
        [ 0.7371312573325668e-3
          0.1442485726316185e-3
          0.5888729740967575e-4
          0.1175651343283149e-2
          0.2386356198831331e-2
          0.6238968252742796e-2
          0.2849998395185769e-2
          0.2850001604814231e-2 ] }

let private pollution =
    { Name = "Pollution"
      Atol = 1e-18
      Text =
        """state y : R[20]
        let r1 = 0.35*y[0]
        let r2 = 26.6*y[1]*y[3]
        let r3 = 1.23e4*y[4]*y[1]
        let r4 = 8.6e-4*y[6]
        let r5 = 8.2e-4*y[6]
        let r6 = 1.5e4*y[6]*y[5]
        let r7 = 1.3e-4*y[8]
        let r8 = 2.4e4*y[8]*y[5]
        let r9 = 1.65e4*y[10]*y[1]
        let r10 = 9e3*y[10]*y[0]
        let r11 = 0.022*y[12]
        let r12 = 1.2e4*y[9]*y[1]
        let r13 = 1.88*y[13]
        let r14 = 1.63e4*y[0]*y[5]
        let r15 = 4.8e6*y[2]
        let r16 = 3.5e-4*y[3]
        let r17 = 0.0175*y[3]
        let r18 = 1e8*y[15]
        let r19 = 4.44e11*y[15]
        let r20 = 1.24e3*y[16]*y[5]
        let r21 = 2.1*y[18]
        let r22 = 5.78*y[18]
        let r23 = 0.0474*y[0]*y[3]
        let r24 = 1.78e3*y[18]*y[0]
        let r25 = 3.12*y[19]
        y' = [-r1 - r10 - r14 - r23 - r24 + r2 + r3 + r9 + r11 + r12 + r22 + r25,
              -r2 - r3 - r9 - r12 + r1 + r21,
              -r15 + r1 + r17 + r19 + r22,
              -r2 - r16 - r17 - r23 + r15,
              -r3 + 2*r4 + r6 + r7 + r13 + r20,
              -r6 - r8 - r14 - r20 + r3 + 2*r18,
              -r4 - r5 - r6 + r13,
              r4 + r5 + r6 + r7,
              -r7 - r8,
              -r12 + r7 + r9,
              -r9 - r10 + r8 + r11,
              r9,
              -r11 + r10,
              -r13 + r12,
              r14,
              -r18 - r19 + r16,
              -r20,
              r20,
              -r21 - r22 - r24 + r23 + r25,
              -r25 + r24]
        init y = [0, 0.2, 0, 0.04, 0, 0, 0.1, 0.3, 0.01, 0, 0, 0, 0, 0, 0, 0, 0.007, 0, 0, 0]
        solve { t = 0 .. 60, method = rodas5p, dtype = float64 }"""
      Final =
        [ 0.5646255480022769e-1
          0.1342484130422339
          0.4139734331099427e-8
          0.5523140207484359e-2
          0.2018977262302196e-6
          0.1464541863493966e-6
          0.7784249118997964e-1
          0.3245075353396018
          0.7494013383880406e-2
          0.1622293157301561e-7
          0.1135863833257075e-7
          0.2230505975721359e-2
          0.2087162882798630e-3
          0.1396921016840158e-4
          0.8964884856898295e-2
          0.4352846369330103e-17
          0.6899219696263405e-2
          0.1007803037365946e-3
          0.1772146513969984e-5
          0.5682943292316392e-4 ] }

let private problems = [ robertson; vanDerPol; oregonator; hires; pollution ]

let private assembly =
    lazy
        (let text =
            problems |> List.map (fun p -> $"model {p.Name} {{\n{p.Text}\n}}") |> String.concat "\n"

         let result = Compilation.Compile(SourceFile("stiff.deq", text), CompileOptions())
         Expect.isEmpty result.Diagnostics "no diagnostics"

         let compilation, warnings =
             GeneratedCode.compile [ for f in result.Files -> f.FileName, f.Text ]

         Expect.equal warnings [] "no warnings"
         GeneratedCode.load compilation)

let private solveOn (target: SolveTarget) (method: string) rtol problem =
    let model = GeneratedCode.create assembly.Value problem.Name

    let solution =
        model.Solve(
            options =
                SolveOptions(
                    Target = Nullable target,
                    Method =
                        Method(
                            method,
                            Rtol = Nullable rtol,
                            Atol = Nullable(min problem.Atol (problem.Atol * rtol / 1e-8))
                        )
                )
        )

    solution.EnsureSuccess()
    solution

let private compiledAs dtype name text =
    let result = Compilation.Compile(SourceFile("m.deq", text), CompileOptions())
    Expect.isEmpty result.Diagnostics "no diagnostics"
    let compilation, _ = GeneratedCode.compile [ for f in result.Files -> f.FileName, f.Text ]
    GeneratedCode.createAs dtype (GeneratedCode.load compilation) name

let private compiled name text = compiledAs torch.ScalarType.Float64 name text

let private ofRadau rtol problem =
    SolveOptions(
        Threads = Nullable 1,
        Method = Methods.Radau(Nullable rtol, Nullable(min problem.Atol (problem.Atol * rtol / 1e-8)))
    )

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

/// The largest relative error of a component at the end.
let private errorOf (method: string) rtol problem =
    use _ = torch.NewDisposeScope()
    let solution = solveOn SolveTarget.Torch method rtol problem
    let found = solution.LastState.data<float>().ToArray()

    List.map2 (fun (f: float) e -> abs (f - e) / abs e) (List.ofArray found) problem.Final
    |> List.max

let tests =
    testList
        "Stiff"
        [ for method, rtol, allowed in
              [ "radau", 1e-8, 1e-6
                "kvaerno5", 1e-8, 1e-5
                "kvaerno4", 1e-6, 1e-3
                "rodas5p", 1e-7, 1e-5
                "rodas4", 1e-6, 1e-3
                "rosenbrock23", 1e-4, 0.1
                "trbdf2", 1e-4, 0.1
                "bdf", 1e-8, 1e-4 ] do
              testList
                  method
                  [ for problem in problems do
                        test problem.Name {
                            Expect.isLessThan (errorOf method rtol problem) allowed "relative error"
                        } ]

          testList
              "methods on registers take the steps that they take on tensors"
              // Newton's iteration begins elsewhere on registers than on tensors, and what it leaves shows in the errors.
              [ for method, share, few in
                    [ "rodas5p", 0.02, 2.0
                      "rodas4", 0.02, 2.0
                      "rosenbrock23", 0.02, 2.0
                      "radau", 0.06, 6.0 ] do
                    for problem in problems do
                        test $"{method} {problem.Name}" {
                            use _ = torch.NewDisposeScope()
                            let rtol = if method = "rosenbrock23" then 1e-3 else 1e-5
                            let here = solveOn SolveTarget.Simd method rtol problem
                            let there = solveOn SolveTarget.Torch method rtol problem
                            let steps (solution: Solution) = float solution.Statistics.Accepted[0]

                            Expect.isLessThan
                                (abs (steps here - steps there))
                                (share * steps there + few)
                                "steps"

                            for a, b in Seq.zip (here.LastState.data<float>()) (there.LastState.data<float>()) do
                                Expect.isLessThan (abs (a - b)) (rtol * abs b + 1e-12) "state"
                        } ]

          test "three rates of a stiff reaction are learned from its solution to 1%" {
              let text =
                  """model Reaction {
                  state a, b, c
                  param rates : R[3] = [log(0.04), log(3e7), log(1e4)]
                  let k = exp(rates)
                  a' = -k[0]*a + k[2]*b*c
                  b' = k[0]*a - k[2]*b*c - k[1]*b^2
                  c' = k[1]*b^2
                  init a = 1
                  init b = 0
                  init c = 0
                  solve { t = 0 .. 1e5, method = kvaerno5(rtol = 1e-6, atol = 1e-11), dtype = float64 }
                  }"""

              let result = Compilation.Compile(SourceFile("reaction.deq", text), CompileOptions())

              let compilation, _ = GeneratedCode.compile [ for f in result.Files -> f.FileName, f.Text ]

              use _ = torch.NewDisposeScope()
              let model = GeneratedCode.create (GeneratedCode.load compilation) "Reaction"
              let times = [| 0.0; 1e-4; 1e-2; 1.0; 1e2; 1e3; 1e5 |]

              let curve () =
                  let solution = model.Solve(options = SolveOptions(Save = SaveAt.Times(ReadOnlySpan times)))
                  solution.EnsureSuccess()
                  solution.Packed

              let seen = curve().detach()
              let scale = seen.amax ([| 0L |], true)
              let right = model.Value("rates").detach().clone()
              let off = torch.tensor ([| 0.3; -0.3; 0.3 |], dtype = torch.float64)
              model.SetValue("rates", right.add (off, Odes.scalar 1.0))

              let optimizer =
                  torch.optim.LBFGS(model.parameters (), 1.0, 25L, Nullable 25L, 1e-12, 1e-15, 10L)

              let loss () =
                  optimizer.zero_grad ()
                  let residual = ((curve ()).Minus seen).div scale
                  let loss = residual.Squared().mean()
                  loss.backward ()
                  GradientFault.ThrowIfAny()
                  loss.detach ()

              optimizer.step (System.Func<torch.Tensor> loss) |> ignore
              let found = model.Value("rates").detach()

              for a, b in Seq.zip (found.data<float>()) (right.data<float>()) do
                  Expect.isLessThan (abs (exp (a - b) - 1.0)) 0.01 "a rate"
          }

          testList
              "radau on registers"
              [ test "a sample is itself in any company, also beside one that is no number" {
                    for problem in problems do
                        let model = GeneratedCode.create assembly.Value problem.Name :?> OdeModel
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
                            let model = GeneratedCode.create assembly.Value problem.Name

                            let solution =
                                model.Solve(
                                    options =
                                        SolveOptions(
                                            Target = Nullable target,
                                            End = Nullable 1.0,
                                            Save = SaveAt.Grid 8,
                                            Method =
                                                Method("radau", Dt = Nullable 0.01, Adaptive = Nullable false)
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
                        let model = compiled "M" text
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
                    let wide = compiled "M" $"model M {{\n{text}\n}}"

                    let narrow =
                        compiledAs
                            torch.ScalarType.Float32
                            "M"
                            ($"model M {{\n{text}\n}}".Replace("float64", "float32"))

                    let solve (model: DifferentialModel) =
                        let method = Methods.Radau(Nullable 1e-4, Nullable 1e-6)

                        let solution =
                            model.Solve(
                                options = SolveOptions(Target = Nullable SolveTarget.Simd, Method = method)
                            )

                        solution.EnsureSuccess()
                        solution.LastState.``to``(torch.float64).data<float>().ToArray()

                    for a, b in Seq.zip (solve narrow) (solve wide) do
                        Expect.isLessThan (abs (a - b)) (0.02 * abs b) "state"
                }

                test "saved states lie on the polynomial, as on tensors" {
                    use _ = torch.NewDisposeScope()

                    let solve (target: SolveTarget) =
                        let model = GeneratedCode.create assembly.Value hires.Name
                        let method = Methods.Radau(Nullable 1e-9, Nullable 1e-12)

                        let options =
                            SolveOptions(Target = Nullable target, Method = method, Save = SaveAt.Grid 50)

                        model.Solve(options = options).Packed.data<float>().ToArray()

                    for a, b in Seq.zip (solve SolveTarget.Simd) (solve SolveTarget.Torch) do
                        Expect.isLessThan (abs (a - b)) (1e-6 * abs b + 1e-9) "state"
                }

                test "the solve block's choice runs there" {
                    let text =
                        "model M {\nstate x\nx' = -50*(x - cos(t))\ninit x = 1\nsolve { t = 0 .. 4, method = radau, target = simd, dtype = float64 }\n}"

                    use _ = torch.NewDisposeScope()
                    let model = compiled "M" text
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

          test "gradients through a Rosenbrock method on registers are refused, and torch is named" {
              let text =
                  "model M {\nstate x\nparam k = 3\nx' = -k*x\ninit x = 1\nsolve { t = 0 .. 1, method = rodas5p, target = simd, dtype = float64 }\n}"

              let result = Compilation.Compile(SourceFile("m.deq", text), CompileOptions())

              let compilation, _ = GeneratedCode.compile [ for f in result.Files -> f.FileName, f.Text ]

              let model = GeneratedCode.create (GeneratedCode.load compilation) "M"

              let message =
                  try
                      model.Solve() |> ignore
                      ""
                  with :? InvalidOperationException as e ->
                      e.Message

              Expect.stringContains message "SolveTarget.Torch" "message"
              use _ = torch.no_grad ()
              model.Solve().EnsureSuccess()
          } ]
