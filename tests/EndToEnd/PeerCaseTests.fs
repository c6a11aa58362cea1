/// Cases by which the peers test themselves, as .deq files, to values computed independently of all of them. Those of events are in
/// EventTests, those of bare equations in the tests of the runtime.
module DiffEqLang.Tests.EndToEnd.PeerCaseTests

open System
open System.Collections.Generic
open Expecto
open TorchSharp
open DiffEqLang.Runtime
open DiffEqLang.Runtime.Simd
open DiffEqLang.Tests.Support
open DiffEqLang.Tests.Support.EventModels

let private models =
    [ "Kinetics",
      "state a, b, c; da/dt = -0.04*a + 1e4*b*c; db/dt = 0.04*a - 1e4*b*c - 3e7*b^2; dc/dt = 3e7*b^2; init a = 1; init b = 0; init c = 0"
      "Cubic", "state y; dy/dt = -10*y^3; init y = 1"
      // A qubit's density matrix R + iS in a field along x.
      "Qubit",
      "state R, S : R[2, 2]; param w = 1.3; const X = [[0, 1], [1, 0]]; dR/dt = w*(X @ S - S @ X); dS/dt = -w*(X @ R - R @ X); init R = [[1, 0], [0, 0]]; init S = 0"
      "Ramp", "state y; dy/dt = 2; output left = y - 2*t; init y = 1"
      "Broken", "state x : R[2]; dx/dt = if t < 0.5 then -x/2 else x^2; init x = [1, 2]"
      "BrokenAt", "state x : R[2]; dx/dt = if t < 0.5 then -x/2 else x^2; when at(0.5) {}; init x = [1, 2]"
      "Swing",
      "state x; d2x/dt2 = -4*pi^2*x - 0.2*pi*x' + (if t < 7.5 then 10 else -10); init x = 1.5; init x' = 0"
      "SwingAt",
      "state x; d2x/dt2 = -4*pi^2*x - 0.2*pi*x' + (if t < 7.5 then 10 else -10); when at(7.5) {}; init x = 1.5; init x' = 0"
      "RowVector",
      "state y : R[3]; param A : R[3, 3] = [[-1.4534, -0.3726, -0.7916], [-1.0553, 0.9511, 0.1316], [-1.8320, -0.7707, -1.0867]]; dy/dt = y @ A"
      // A steady state, as the end of a long solve and as what makes the right-hand sides zero.
      "Relaxing",
      "state u, v; param p : R[4] = [2, -2, 1, -4]; du/dt = p[0] + p[1]*u; dv/dt = p[2]*u + p[3]*v; init u = 0; init v = 0"
      "Resting",
      "state clock; algebraic u, v; param p : R[4] = [2, -2, 1, -4]; dclock/dt = 1; 0 = p[0] + p[1]*u; 0 = p[2]*u + p[3]*v; init clock = 0"
      "Setpoint", "state clock; algebraic y; param s = 0; dclock/dt = 1; 0 = s - y; init clock = 0"
      // z's integral beside the state.
      "Climate",
      "state x, y, z, m; param rho = 28; dx/dt = 10*(y - x); dy/dt = x*(rho - z) - y; dz/dt = x*y - 8/3*z; dm/dt = z; init x = 1; init y = 0; init z = 0; init m = 0; solve { t = 0 .. 50, dtype = float64 }" ]

let private assembly = lazy (GeneratedCode.ofModels "PeerCases.deq" models)
let private create name = GeneratedCode.create assembly.Value name

let private by (method: Method) times =
    SolveOptions(Method = method, Save = SaveAt.Times(ReadOnlySpan(List.toArray times)))

/// Samples of the ramp over times of their own, as one batch and alone.
let private ramps (method: Method) starts (times: float list list) most =
    let solve starts (times: float list list) =
        let save = SaveAt.Times(torch.tensor (array2D (List.transpose times)))

        solveFrom
            (create "Ramp")
            [ "y", vector starts ]
            (SolveOptions(Method = method, Save = save, MaxSteps = most))

    solve starts times, [ for start, ofSample in List.zip starts times -> solve [ start ] [ ofSample ] ]

/// [times, samples]
let private sideBySide (singles: Solution list) =
    [ for single in singles -> numbers single.Packed ] |> List.transpose |> List.concat

let private bits = List.map BitConverter.DoubleToInt64Bits

let private steps (solution: Solution) = solution.Statistics.Accepted[0] + solution.Statistics.Rejected[0]

let private accuracy =
    testList
        "accuracy"
        [ test "three reactions to t = 100 (case 9)" {
              for method in
                  [ Methods.Radau(rtol = Nullable 1e-10, atol = Nullable 1e-12)
                    Methods.Rodas5P(rtol = Nullable 1e-10, atol = Nullable 1e-12)
                    Methods.Kvaerno5(rtol = Nullable 1e-10, atol = Nullable 1e-12) ] do
                  let found = numbers (solve (create "Kinetics") (by method [ 0.0; 100.0 ])).LastState

                  for expected, a in List.zip [ 0.617234882396; 6.15359127464e-6; 0.382758964013 ] found do
                      Expect.isLessThan (abs (a / expected - 1.0)) 1e-7 method.Name
          }
          test
              "a step that is too long for Newton's method says so, steps that follow the error arrive (case 13)" {
              let long = solve (create "Cubic") (by (Methods.ImplicitMidpoint 1.0) [ 0.0; 1.0 ])
              Expect.equal (List.ofSeq long.Status) [ SolveStatus.NewtonDiverged ] "status"
              Expect.stringContains long.Message "step" "remedy"

              for name, rtol in [ "implicit_euler", 1e-4; "trbdf2", 1e-5; "kvaerno5", 1e-5 ] do
                  let method = Method(name, Rtol = Nullable rtol, Atol = Nullable rtol, Dt = Nullable 1.0)
                  let adaptive = solve (create "Cubic") (by method [ 0.0; 1.0 ])
                  Expect.allEqual adaptive.Status SolveStatus.Success name
                  Expect.isGreaterThan adaptive.Statistics.Rejected[0] 0L name
                  close (30.0 * rtol) [ 1.0 / sqrt 21.0 ] (numbers adaptive.LastState) name
          }
          test "a density matrix turns as its propagator says (case 15)" {
              let method = Methods.Dopri5(rtol = Nullable 1e-6, atol = Nullable 1e-8)
              let solution = solve (create "Qubit") (by method [ 0.0; 0.5; 2.0 ])

              for row, t in [ 1L, 0.5; 2L, 2.0 ] do
                  let c, s = cos (1.3 * t), sin (1.3 * t)
                  close 1e-5 [ c * c; 0.0; 0.0; s * s ] (numbers (solution.State("R").select(0, row))) "real"

                  close
                      1e-5
                      [ 0.0; c * s; -c * s; 0.0 ]
                      (numbers (solution.State("S").select(0, row)))
                      "imaginary"
          }
          test "forwards and backwards (case 16)" {
              for start, times, expected in
                  [ 1.0, [ 0.0; 3.0; 5.0 ], [ 1.0; 7.0; 11.0 ]
                    9.0, [ 2.0; 0.5; -8.0 ], [ 9.0; 6.0; -11.0 ] ] do
                  let solution = solveFrom (create "Ramp") [ "y", vector [ start ] ] (by tight.Method times)
                  close 1e-13 expected (numbers solution.Packed) "values"
          }
          test "forwards and backwards in one batch (case 16)" {
              let batch, singles =
                  ramps tight.Method [ 1.0; 9.0 ] [ [ 0.0; 3.0; 5.0 ]; [ 2.0; 0.5; -8.0 ] ] 100

              close 1e-13 [ 1.0; 9.0; 7.0; 6.0; 11.0; -11.0 ] (numbers batch.Packed) "values"

              close
                  1e-13
                  [ 1.0; 5.0; 1.0; 5.0; 1.0; 5.0 ]
                  (numbers (batch.Output "left"))
                  "an output of the time"

              close 1e-15 (sideBySide singles) (numbers batch.Packed) "single solves"
          }
          test "one sample arrives, another runs out of steps (case 17)" {
              let method = Method("euler", Dt = Nullable 1.0)
              let batch, singles = ramps method [ 1.0; 1.0 ] [ [ 1.0; 4.9 ]; [ 2.0; 13.0 ] ] 7
              Expect.equal (List.ofSeq batch.Status) [ SolveStatus.Success; SolveStatus.MaxSteps ] "status"
              Expect.equal (List.ofSeq batch.Statistics.Accepted) [ 4L; 7L ] "steps"
              Expect.equal (List.ofSeq batch.LastTime) [ 4.9; 9.0 ] "how far they have come"

              Expect.equal
                  (string (numbers batch.Packed))
                  (string (sideBySide singles))
                  "bits, NaN among them"
          }
          test "a break in the equations costs fewer evaluations where it is a given time (cases 18 and 19)" {
              let method = Methods.Dopri5(rtol = Nullable 1e-9, atol = Nullable 1e-9)

              for name, upTo, expected in
                  [ "Broken", 1.0, [ 1.27546885434; 7.04162332838 ]
                    "Swing", 15.0, [ -0.29003842102; -0.00950796738 ] ] do
                  let free = solve (create name) (by method [ 0.0; upTo ])
                  let landed = solve (create (name + "At")) (by method [ 0.0; upTo ])
                  close 1e-6 expected (numbers free.LastState) name
                  close 1e-7 expected (numbers landed.LastState) (name + ", landed on")
                  Expect.isLessThan (steps landed) (steps free) (name + ": steps")

                  Expect.isLessThan
                      landed.Statistics.Rejected[0]
                      5L
                      (name + ": none is rejected at the break")
          } ]

/// The outputs' mean of two samples, each over times of its own.
let private mean gradient (start: torch.Tensor) (model: DifferentialModel) =
    let options =
        SolveOptions(
            Method = Methods.Dopri8(rtol = Nullable 1e-11, atol = Nullable 1e-12),
            Save = SaveAt.Times(torch.tensor (array2D [ [ 0.0; 2.0 ]; [ 1.125; 3.5 ]; [ 3.0; 6.0 ] ])),
            Gradient = gradient
        )

    let solution = model.Solve(Dictionary(dict [ "y", start ]), options)
    solution.EnsureSuccess()
    solution.Packed.mean ()

let private trained name =
    let model = create name
    model, model.get_parameter "p"

/// G = (|2 - (u, v)|^2 + |p|^2)/2, and its gradient.
let private steadyLoss (u: torch.Tensor) (v: torch.Tensor) (p: torch.Tensor) =
    let square (x: torch.Tensor) = x.multiply(x).sum()
    let two = torch.tensor (2.0, dtype = torch.ScalarType.Float64)

    (square (two.sub u))
        .add(square (two.sub v))
        .add(square p)
        .multiply(torch.tensor (0.5, dtype = torch.ScalarType.Float64))

let private gradients =
    testList
        "gradients"
        [ test "of a mean over samples with times of their own (case 32)" {
              let start () =
                  torch.tensor (array2D [ [ 0.33; 1.2; -0.4 ]; [ 0.55; -0.8; 1.23 ] ], requires_grad = true)

              let differenceBy (move: float -> float) =
                  let h = 1e-5
                  (move h - move -h) / (2.0 * h)

              let plain (start: torch.Tensor) (A: torch.Tensor option) =
                  use _ = torch.no_grad ()
                  let model = create "RowVector"
                  A |> Option.iter (fun A -> model.SetValue("A", A))
                  (mean (Nullable()) start model).item<float>()

              let moved (tensor: torch.Tensor) index (by: float) =
                  let flat = tensor.detach().clone()
                  flat.view(-1L)[int64 index] <- flat.view(-1L)[int64 index] + torch.tensor by
                  flat

              let A = (create "RowVector").Value("A").detach().clone()

              let expected =
                  [ for i in 0..5 -> differenceBy (fun h -> plain (moved (start ()) i h) None) ]
                  @ [ for i in 0..8 -> differenceBy (fun h -> plain (start ()) (Some(moved A i h))) ]

              for mode in
                  [ GradientMode.Discrete
                    GradientMode.Forward
                    GradientMode.Interpolated
                    GradientMode.Backsolve ] do
                  let model, start = create "RowVector", start ()
                  let value = mean (Nullable mode) start model
                  close 1e-10 [ -1.21511251137 ] (numbers value) "mean"
                  value.backward ()
                  close 1e-7 expected (numbers start.grad @ numbers (model.get_parameter "A").grad) $"{mode}"
          }
          test "of a steady state, at the end of a long solve (case 33)" {
              let model, p = trained "Relaxing"

              let solution =
                  solve
                      model
                      (by (Methods.Kvaerno5(rtol = Nullable 1e-10, atol = Nullable 1e-12)) [ 0.0; 40.0 ])

              let last = solution.Packed.select (0, 1L)
              close 1e-9 [ 1.0; 0.25 ] (numbers last) "steady"
              (steadyLoss (last.select (-1, 0L)) (last.select (-1, 1L)) p).backward()
              close 1e-7 [ 1.28125; -2.71875; 0.5625; -4.109375 ] (numbers p.grad) "gradient"
          }
          test "of a steady state, as the root that constraints determine (case 33)" {
              let model, p = trained "Resting"
              let solution = solve model (by (Methods.Rodas5P()) [ 0.0; 1.0 ])
              let u, v = solution.State("u").select(0, 1L), solution.State("v").select(0, 1L)
              close 1e-12 [ 1.0; 0.25 ] (numbers u @ numbers v) "steady"
              (steadyLoss u v p).backward()
              close 1e-7 [ 1.28125; -2.71875; 0.5625; -4.109375 ] (numbers p.grad) "gradient"
          }
          test "find the parameter of a steady state (case 34)" {
              let model = create "Setpoint"
              let s = model.get_parameter "s"
              use optimizer = torch.optim.SGD([ s ], 0.2)
              let goal = torch.tensor (0.76, dtype = torch.ScalarType.Float64)

              for _ in 1..30 do
                  optimizer.zero_grad ()
                  let solution = solve model (by (Methods.Rodas5P()) [ 0.0; 0.1 ])
                  let miss = solution.State("y").select(0, 1L).sub goal
                  miss.multiply(miss).sum().backward()
                  optimizer.step () |> ignore

              Expect.isLessThan (abs (s.item<float>() - 0.76)) 1e-2 "s"
          }
          test "a chaotic system's mean moves with its parameter as an ensemble says (case 36)" {
              // The gradient of one trajectory grows without bound; d<z>/d rho is that of the mean over many.
              let samples = 4000
              let model = create "Climate" :?> OdeModel
              let spread = Random 7

              let meanHeight (rho: float) =
                  let starts =
                      [| for _ in 1..samples do
                             yield! [ spread.NextDouble(); 0.0; 20.0; 0.0 ] |]

                  let ensemble =
                      Ensemble<float>(model)
                          .From(ReadOnlyMemory starts)
                          .Vary("rho", ReadOnlyMemory(Array.create samples rho))

                  let values = Array.zeroCreate (2 * samples * 4)

                  let options =
                      SolveOptions(
                          Method = Methods.Rk4 0.005,
                          Save = SaveAt.Times(ReadOnlySpan [| 30.0; 50.0 |]),
                          Start = Nullable 0.0
                      )

                  ensemble.Solve(options, Memory values) |> ignore
                  let heights time = [ for i in 0 .. samples - 1 -> values[(time * samples + i) * 4 + 3] ]
                  (List.average (heights 1) - List.average (heights 0)) / 20.0

              let slope = (meanHeight 29.0 - meanHeight 27.0) / 2.0
              Expect.isLessThan (abs (slope - 1.0)) 0.05 "d<z>/d rho"
          } ]

let tests = testList "PeerCases" [ accuracy; gradients ]
