/// Models with delays, compiled as a user compiles them: values against closed forms and references, gradients against differences, and
/// the verbs of deqc.
module DiffEqLang.Tests.EndToEnd.DelayModelTests

open System
open Expecto
open TorchSharp
open DiffEqLang.Runtime
open DiffEqLang.Tests.Support
open DiffEqLang.Tests.EndToEnd.Deqc
open DiffEqLang.Tests.Support.EventModels

/// By name, statements between `; `.
let private models =
    [ "Staircase", "state x; dx/dt = -x(t - 1); init x = 1"
      "Cosine", "state x; dx/dt = -x(t - pi/2); history x = cos(t); init x = 1"
      "MackeyGlass",
      "state x; param beta = 0.2; param gamma = 0.1; param tau = 17 in (0, inf); let past = x(t - tau); dx/dt = beta*past/(1 + past^10) - gamma*x; init x = 1.2"
      "Oscillator", "state q; d2q/dt2 = -q(t - 2*pi); history q = cos(t); init q = 1; init q' = 0"
      "Twice",
      "state x, y; fn lagged(by) = x(t - by); dx/dt = -lagged(1) + 0*y(t - 0); dy/dt = -x(t - 0.5 - 0.5); init x = 1; init y = 1"
      "Mixed",
      "state x : R[2], y; param W : R[2, 2] = [[0.1, 0.5], [-0.3, 0.2]]; param tau = 0.8 in (0, inf); param k = 0.7; param c = 0.9; net f : R[3] -> R[2] = dense(3) |> tanh |> dense(2); let late = x(t - 2*tau); dx/dt = W @ x(t - tau) + f(concat(late, y(t - k))) - x; dy/dt = sum(late*x(t - tau)) - c*y(t - tau) + cos(t); history x = [cos(c*t), c*t]; init x = [1, 0.5]; init y = c"
      "Echo",
      "state x, y; param c = 0.7; param tau = -1.1; dx/dt = y(t - -tau); dy/dt = 0; when rising(x - c) { y := 3 }; init x = 0; init y = 1"
      "Harvest",
      "state x, n; param r = 1.3; param tau = 0.9 in (0, inf); param c = 1.2; dx/dt = r*x*(1 - x(t - tau)/2); dn/dt = n(t - 1); when rising(x - c) { x := 0.4*x, n := n + x }; when at(2.5) { n := n/2 }; history x = 0.5 + 0.1*t; init x = 0.6; init n = 0" ]

let private assembly = lazy (GeneratedCode.ofModels "DelayModels.deq" models)
let private create name = GeneratedCode.create assembly.Value name

let private stateAt model name times =
    use _ = torch.no_grad ()
    let solution = solve (create model) (savingAt times)
    solution.EnsureSuccess()
    numbers (solution.State(name: string))

let private accuracy =
    testList
        "values"
        [ test "a past that nothing declares is what the state starts from" {
              // 1 - t up to 1, then 1 - t + (t - 1)^2/2, then -(t - 2)^3/6 besides.
              close
                  1e-11
                  [ 1.0; 0.5; 0.0; -0.375; -0.5 ]
                  (stateAt "Staircase" "x" [ 0.0; 0.5; 1.0; 1.5; 2.0 ])
                  "x"
          }
          test "a history is the past" {
              let times = [ 0.0; 0.7; 3.0; 10.0 ]
              close 1e-10 [ for t in times -> cos t ] (stateAt "Cosine" "x" times) "x"
          }
          test "equations of second order" {
              let times = [ 0.0; 1.0; 7.0 ]
              close 1e-9 [ for t in times -> cos t ] (stateAt "Oscillator" "q" times) "q"
          }
          test "a delay of zero is none, equal sums are one delay, functions hand delays on" {
              let times = [ 0.0; 0.3; 2.4; 5.0 ]
              close 1e-11 (stateAt "Twice" "x" times) (stateAt "Twice" "y" times) "x and y"
              close 1e-11 (stateAt "Staircase" "x" times) (stateAt "Twice" "x" times) "x"
          }
          test "blood cells, against Taylor series and against variation of constants in thirty digits" {
              // Both by programs of their own, which agree in all digits given: Taylor series of 24 terms on a grid that the delay is a multiple of,
              // and Gauss-Legendre quadrature of exp(-gamma (t - s)) beta past/(1 + past^10) over polynomials of degree 13.
              let expected = [ 1.2; 0.4919720967103560; 1.0609543628975022; 1.0137240165241167 ]
              close 1e-9 expected (stateAt "MackeyGlass" "x" [ 0.0; 17.0; 50.0; 100.0 ]) "x"
          } ]

// Gradients

let private weighted (solution: Solution) =
    let packed = solution.Packed.reshape -1L
    (packed.mul (torch.linspace (0.3, 1.7, packed.shape[0], dtype = torch.float64))).sum()

let private parameterOf (model: DifferentialModel) name = model.Value(name).detach().clone()

/// The loss of the model with one element of a parameter moved.
let private lossWith modelName options name (element: int) (by: float) =
    use _ = torch.no_grad ()
    use model = create modelName
    let value = parameterOf model name
    let flat = value.view -1L
    flat[int64 element] <- Odes.plus by flat[int64 element]
    model.SetValue(name, value)
    (weighted (solve model options)).item<float>()

/// The gradient by the parameter's value, bounded or not.
let private gradientsOf modelName options names =
    use model = create modelName
    let solution = solve model options
    solution.EnsureSuccess()
    (weighted solution).backward()
    GradientFault.ThrowIfAny()

    [ for name in names ->
          let registered = model.get_parameter name

          if isNull registered then
              // Bounded below by zero: d value / d registered = 1 - exp(-value).
              let value = (parameterOf model name).item<float>()
              name, [ (model.get_parameter(name + "_unconstrained").grad.item<float>()) / (1.0 - exp -value) ]
          else
              name, numbers registered.grad ]

let private expectGradients tolerance model options names =
    for name, found in gradientsOf model options names do
        let expected =
            [ for element in 0 .. found.Length - 1 ->
                  let h = 1e-4
                  let at by = lossWith model options name element by
                  (8.0 * (at h - at -h) - (at (2.0 * h) - at (-2.0 * h))) / (12.0 * h) ]

        close tolerance expected found (sprintf "%s by %s" model name)

let private gradients =
    testList
        "gradients"
        [ test "reach weights, delays, histories and initial values" {
              // At times that are no sums of the delays, where differences would not converge.
              expectGradients
                  2e-7
                  "Mixed"
                  (savingAt [ 0.0; 0.95; 1.9; 3.35 ])
                  [ "W"; "tau"; "k"; "c"; "f_W1"; "f_b2" ]
          }
          test "go through events whose jumps come back a delay later, by its time and by the delay" {
              // x = t up to the event's echo at c - tau, and of slope 3 behind it.
              let solution = solve (create "Echo") (savingAt [ 0.0; 1.5; 3.0 ])
              close 1e-10 [ 0.0; 1.5; 1.8 + 3.0 * 1.2 ] (numbers (solution.State "x")) "x"
              let found = gradientsOf "Echo" (savingAt [ 0.0; 3.0 ]) [ "c"; "tau" ] |> List.collect snd
              // The loss weighs x(3), the third of its four numbers, by 0.3 + 1.4 * 2/3; y does not depend on either.
              let weight = -2.0 * (0.3 + 1.4 * 2.0 / 3.0)
              close 1e-9 [ weight; -weight ] found "by c and by tau"
          }
          test "events and delays that act on each other" {
              expectGradients 2e-7 "Harvest" (savingAt [ 0.0; 1.4; 3.1; 4.05 ]) [ "r"; "tau"; "c" ]
          } ]

let private refusals =
    test "a delay that a parameter turns negative is refused when it is solved" {
        use model = create "Mixed"
        model.SetValue("k", torch.tensor (-0.5, dtype = torch.float64))

        Expect.throwsC (fun () -> solve model (savingAt [ 0.0; 1.0 ]) |> ignore) (fun error ->
            Expect.stringContains
                error.Message
                "A delay must be positive and finite, not -0.5"
                "what is said")
    }

// The command

let private file =
    "model Lagged {\n  state x\n  param tau = 1.5 in (0, inf)\n  dx/dt = -x(t - tau)\n  history x = cos(t)\n  init x = 1\n  output twice = 2*x\n  solve { t = 0 .. 3, method = dopri8(rtol = 1e-10, atol = 1e-12), dtype = float64 }\n}\n"

/// x(2.5) of the model above: 1 - sin(t - 1.5) - sin(1.5) up to 1.5, and the integral of that behind.
let private lagged =
    let first t = 1.0 - sin (t - 1.5) - sin 1.5
    first 1.5 - ((1.0 - sin 1.5) * 1.0 + (cos (1.0 - 1.5) - cos -1.5))

let private verbs =
    testList
        "deqc"
        [ testCase "run solves, grad differentiates, both as JSON"
          <| inFolder (fun folder ->
              let path = write folder "lagged.deq" file
              let run = jsonOf (deqc [ "run"; path; "--at"; "0,2.5"; "--json" ])
              let x = run |> at "states" |> at "x"
              Expect.floatClose Deqc.close (number x[1]) lagged "x(2.5)"
              let grad = jsonOf (deqc [ "grad"; path; "--loss"; "x"; "--t"; "0..2.5"; "--json" ])
              Expect.floatClose Deqc.close (number (at "loss" grad)) lagged "the loss"
              // d/dtau of x(2.5) = 1 - sin tau - (1 - sin tau)(2.5 - tau) - cos(2.5 - 2 tau) + cos tau.
              let byTau = -(cos 1.5) + cos 1.5 * 1.0 + (1.0 - sin 1.5) - 2.0 * sin (2.5 - 3.0) - sin 1.5

              Expect.floatClose
                  Deqc.close
                  (grad |> at "gradients" |> at "tau" |> number)
                  byTau
                  "by the delay")
          testCase "explain writes the past, its history and the adjoint that asks for what lies ahead"
          <| inFolder (fun folder ->
              let path = write folder "lagged.deq" file
              let text = (deqc [ "explain"; path ]).Output

              for part in [ "x(t - tau)"; "a_x(t + tau)"; "history"; "has delays" ] do
                  Expect.stringContains text part "in text"

              let latex = (deqc [ "explain"; path; "--format"; "latex" ]).Output
              Expect.stringContains latex @"x(t - \tau)" "in LaTeX")
          testCase "eval and --loss refuse the past with its place"
          <| inFolder (fun folder ->
              let path = write folder "lagged.deq" file
              let answer = deqc [ "eval"; path; "--expr"; "x(t - 1)" ]
              Expect.equal answer.Code 1 answer.Error
              Expect.stringContains answer.Error "DEQ0814" "the code")
          testCase "fmt keeps them"
          <| inFolder (fun folder ->
              let path = write folder "lagged.deq" file
              Expect.equal (deqc [ "fmt"; path; "--check" ]).Code 0 "it is laid out already") ]

[<Tests>]
let tests = testList "DelayModels" [ accuracy; gradients; refusals; verbs ]
