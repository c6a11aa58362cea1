/// Models with algebraic constraints, most of them with closed forms, compiled as a user compiles them.
module DiffEqLang.Tests.Support.ConstrainedModels

open System
open TorchSharp
open DiffEqLang.Runtime
open DiffEqLang.Tests.Support

/// By name, statements between `; `.
let private models =
    [ // x = 1/(1 + k t), y = k x^2.
      "Square", "state x; algebraic y; param k = 1; dx/dt = -y; 0 = y - k*x^2; init x = 1; init y = 0.5"
      // x = exp(sin t), z = cos t: time, state and unknown in one constraint.
      "Timed",
      "state x; algebraic z; param a = 1; dx/dt = a*x*z; 0 = z^3 + z - cos(t)^3 - cos(t) + log(x) - a*sin(t); init x = 1"
      // The same twice: unknowns in one vector, constraints in another order and shape.
      "TimedTwice",
      "state x : R[2]; algebraic w, z : R[2], u; dx/dt = x*w; 0 = concat(u - t, w[1]^3 + w[1] - cos(t)^3 - cos(t) + log(x[1]) - sin(t)); 0 = z - w^2; 0 = w[0]^3 + w[0] - cos(t)^3 - cos(t) + log(x[0]) - sin(t) + u - t; init x = 1"
      "Robertson",
      "state a, b; algebraic c; param r : R[3] = [0.04, 3e7, 1e4]; da/dt = -r[0]*a + r[2]*b*c; db/dt = r[0]*a - r[2]*b*c - r[1]*b^2; 0 = a + b + c - 1; init a = 1; init b = 0; init c = 0"
      // Its constraint is the second derivative of x^2 + y^2 = 1.
      "Pendulum",
      "state x, y; algebraic lambda; param g = 9.81; x'' = -lambda*x; y'' = -lambda*y - g; 0 = x'^2 + y'^2 - g*y - lambda*(x^2 + y^2); init x = 1; init y = 0; init x' = 0; init y' = 0"
      // A capacitor behind a resistor and a diode; of the guess 0 the exponential would be e^190.
      "Diode",
      "state v; algebraic d; param R = 1000; param C = 1e-6; param I = 1e-12; const VT = 0.026; const V = 5; dv/dt = (V - v - d)/(R*C); 0 = I*(exp(d/VT) - 1) - (V - v - d)/R; init v = 0"
      // What starts off the constraint is what the init says, as a parameter.
      "Trained", "state x; algebraic y; param p = 0.7; dx/dt = -x*y; 0 = y + y^3 - p*x; init x = p^2; init y = p"
      // A network of resistors: linear, with a matrix.
      "Network",
      "state q : R[2]; algebraic v : R[3]; param G : R[3, 3] = [[3, -1, -1], [-1, 4, -1], [-1, -1, 2]]; const B : R[3, 2] = [[1, 0], [0, 1], [0, 0]]; dq/dt = -(B.T @ v); 0 = G @ v - B @ q; init q = [1, 2]"
      // y = k/(1 + k t)^2 falls to k/4 at t = 1/k, where x begins anew.
      "Reset",
      "state x, n; algebraic y; param k = 1; dx/dt = -y; dn/dt = 0; 0 = y - k*x^2; when falling(y - k/4) { x := 1, n := n + y }; init x = 1; init n = 0"
      // Two events at one time: what the second makes is of the unknown that the first has changed.
      "AtOnce",
      "state x, n; algebraic y; param k = 1; dx/dt = -y; dn/dt = y; 0 = y - k*x^2; when at(0.5) { x := 2*x }; when rising(t - 0.5) { n := n + y }; when falling(x - 0.4) { stop }; init x = 1; init n = 0"
      // No solution once x is above 1, and none in numbers once it is below 0.
      "Fold", "state x; algebraic y; dx/dt = 0; 0 = y^2 - 1 + x; init x = 0; init y = 0.5"
      "Pole", "state x; algebraic y; dx/dt = 0; 0 = x*(y - 2); init x = 1" ]

let private assembly = lazy (GeneratedCode.ofModels "ConstrainedModels.deq" models)

let createAs dtype name = GeneratedCode.createAs dtype assembly.Value name
let create name = createAs torch.ScalarType.Float64 name

/// The stiffly accurate methods, with the order that theory gives them at index 1: of Runge and Kutta's all that they have (Hairer and Wanner
/// 1996, VI.1, theorem 1.1); Rosenbrock's are made for it (VI.4, and Steinebach 2023).
let orders =
    [ "implicit_euler", 1.0
      "trbdf2", 2.0
      "kvaerno3", 3.0
      "kvaerno4", 4.0
      "kvaerno5", 5.0
      "radau", 5.0
      "rodas4", 4.0
      "rodas5p", 5.0 ]

let tolerances name rtol atol = Method(name, Rtol = Nullable rtol, Atol = Nullable atol)

let tight = tolerances "radau" 1e-12 1e-12

let steps name dt = Method(name, Dt = Nullable dt, Adaptive = Nullable false)

let upTo finish (method: Method) =
    SolveOptions(Start = Nullable 0.0, End = Nullable finish, Method = method)

let savingAt (times: float list) (method: Method) =
    SolveOptions(Method = method, Save = SaveAt.Times(ReadOnlySpan(List.toArray times)))

let state (solution: Solution) (name: string) : torch.Tensor = solution.State name
