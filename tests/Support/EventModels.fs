/// Models with events whose times and states have closed forms, compiled as a user compiles them.
module DiffEqLang.Tests.Support.EventModels

open System
open System.Collections.Generic
open Expecto
open TorchSharp
open DiffEqLang.Runtime
open DiffEqLang.Tests.Support

/// By name, statements between `; `.
let private models =
    [ // Cases 20 to 27 of diffrax, SciML and torchdiffeq.
      "Growth", "state y; dy/dt = y; when rising(y - 2.718281828459045) { stop }; init y = 1"
      "Decline", "state y; dy/dt = y; when falling(y - 2.718281828459045) { stop }; init y = 7.38905609893065"
      "EitherOf",
      "state y; dy/dt = 1; when crossing(t - 10) { stop }; when rising(y + 5) { stop }; init y = -10"
      "BothUp",
      "state y : R[2]; dy/dt = 1; when rising(y[0] - 5) { stop }; when rising(5 - y[1]) { stop }; init y = [0, 1]"
      "BothDown",
      "state y : R[2]; dy/dt = 1; when falling(y[0] - 5) { stop }; when falling(5 - y[1]) { stop }; init y = [0, 1]"
      "Neither",
      "state y : R[2]; dy/dt = 1; when falling(y[0] - 5) { stop }; when rising(5 - y[1]) { stop }; init y = [0, 1]"
      "Fall", "state x; d2x/dt2 = -8; when falling(x) { stop }; init x' = 0"
      "Bounce",
      "state h; param g = 9.8; param e = 0.8; d2h/dt2 = -g; when falling(h) { h' := -e*h' }; init h' = 0"
      "Boost",
      "state h; param g = 9.8; d2h/dt2 = -g; when falling(h) { h' := h' + 50 }; init h = 5; init h' = 0"
      "Square",
      "state h; param g = 9.8; d2h/dt2 = -g; when falling(h) { h' := h'^2 }; init h = 5; init h' = 0"
      "Land", "state h; param g = 9.8; d2h/dt2 = -g; when falling(h) { stop }; init h = 5; init h' = 0"
      "Switched",
      "state y, z, s; param tau = 0.5; dy/dt = -y + s; dz/dt = y; ds/dt = 0; when rising(t - tau) { s := 1 }; init y = 0; init z = 0; init s = 0"
      // Relaxation and integrate-and-fire.
      "Thermostat",
      "state T, on; const low = 19; const high = 21; const k = 0.5; dT/dt = -k*(T - 10) + 8*on; don/dt = 0; when falling(T - low) { on := 1 }; when rising(T - high) { on := 0 }; init T = 20; init on = 0"
      "Neuron",
      "state v; param I = 1.5; param tau = 0.7; dv/dt = (I - v)/tau; when rising(v - 1) { v := 0 }; init v = 0"
      // Several in one step, and at one time.
      "TwoTimers",
      "state x, y; dx/dt = -1; dy/dt = -1; when falling(x) { x := 10 }; when falling(y) { y := 10 }; init x = 1; init y = 1.1"
      "Dip", "state y; dy/dt = 1; when crossing((y - 0.5)^2 - 0.01) {}; init y = 0"
      "DipUp", "state y; dy/dt = 1; when rising((y - 0.5)^2 - 0.01) {}; init y = 0"
      "AtOnce",
      "state x, y, z; dx/dt = 1; dy/dt = 1; dz/dt = 0; when rising(x - 1) { z := z + 1 }; when rising(y - 1) { z := 10*z }; when at(1) { z := z + 0.5 }; init x = 0; init y = 0; init z = 0"
      "Doses",
      "state d, n; dd/dt = -d; dn/dt = 0; when every(0.5) { d := d + 1, n := n + 1 }; when at(1.2) { d := 0 }; init d = 0; init n = 0"
      "Twins",
      "state a, b; d2a/dt2 = -9.8; d2b/dt2 = -9.8; when falling(a) { a' := -0.8*a' }; when falling(b) { b' := -0.5*b' }; init a' = 0; init b' = 0"
      "Crowd",
      "state n; dn/dt = 0; init n = 0; "
      + String.replicate 40 "when every(0.1) { n := n + 1 }; "
      "Touch", "state y; dy/dt = 1; when crossing((y - 0.5)^2) {}; init y = 0"
      "Inflection", "state y; dy/dt = 1; when rising((y - 0.5)^3) {}; init y = 0"
      // Equations that break at a time, with an event there and without.
      "Broken", "state y; dy/dt = -y + (if t < 1 then 0 else 1); when at(1) {}; init y = 1"
      "Unbroken", "state y; dy/dt = -y + (if t < 1 then 0 else 1); when at(5) {}; init y = 1"
      // What goes wrong.
      "Pulse", "state x; dx/dt = 0; when at(0.5) { x := 1/(x - x) }; init x = 1"
      "Pendulum", "state q; param w = 2; d2q/dt2 = -w^2*q; when crossing(q) {}; init q = 1; init q' = 0" ]

let private assembly = lazy (GeneratedCode.ofModelsOnTensors "EventModels.deq" models)

let createAs dtype name = GeneratedCode.createAs dtype assembly.Value name

let private onRegisters dtype names =
    lazy
        (models
         |> List.filter (fun (name, _) -> List.contains name names)
         |> GeneratedCode.ofModelsOnRegisters dtype (dtype + "EventModels.deq"))

let private inFloat64 =
    onRegisters
        "float64"
        [ "Decline"
          "EitherOf"
          "Fall"
          "Bounce"
          "Switched"
          "Thermostat"
          "Neuron"
          "TwoTimers"
          "Dip"
          "AtOnce"
          "Doses"
          "Twins"
          "Pulse"
          "Pendulum"
          "Broken"
          "Unbroken" ]

let private inFloat32 = onRegisters "float32" [ "Thermostat"; "Neuron"; "Doses" ]

/// Of those that are tried on registers.
let createOnRegisters dtype name =
    let assembly = if dtype = torch.ScalarType.Float32 then inFloat32 else inFloat64
    GeneratedCode.createAs dtype assembly.Value name

let create name = createAs torch.ScalarType.Float64 name

/// Tight, so that the event times are as exact as the roots.
let tight =
    SolveOptions(Method = Methods.Dopri5(rtol = Nullable 1e-12, atol = Nullable 1e-12))

let savingAt (times: float list) =
    SolveOptions(Method = tight.Method, Save = SaveAt.Times(ReadOnlySpan(List.toArray times)))

let over start upTo = SolveOptions(Method = tight.Method, Start = Nullable start, End = Nullable upTo)

let vector (values: float list) = torch.tensor (List.toArray values, dtype = torch.ScalarType.Float64)

/// From given starts of some states, the others from their `init`.
let solveFrom (model: DifferentialModel) (starts: (string * torch.Tensor) list) (options: SolveOptions) =
    let batch = if starts.IsEmpty then [||] else (snd starts.Head).shape
    let initial = Dictionary<string, torch.Tensor>()

    for KeyValue(name, value) in model.DeclaredInitialState() do
        initial[name] <- value.expand (Array.append batch value.shape)

    for name, value in starts do
        initial[name] <- value

    model.Solve(initial, options)

let solve (model: DifferentialModel) options = solveFrom model [] options

/// The times of one sample's events.
let timesOf (solution: Solution) sample = [ for e in solution.Events[sample] -> e.Time ]

let numbers (t: torch.Tensor) =
    t.detach().``to``(torch.ScalarType.Float64).contiguous().reshape(-1L).data<float>().ToArray()
    |> Array.toList

let close tolerance expected actual what =
    Expect.equal (List.length actual) (List.length expected) (what + ": how many")

    for e, a in List.zip expected actual do
        let error = abs (e - a) / max 1.0 (abs e)
        Expect.isLessThanOrEqual error tolerance (sprintf "%s: %.17g, expected %.17g" what a e)
