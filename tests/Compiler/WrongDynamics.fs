/// Models with a mistake in algebraic constraints, delays or events.
module DiffEqLang.Tests.Compiler.WrongDynamics

open DiffEqLang.Tests.Compiler.WrongModels

/// Each with all that is said about it.
let all: (string * string list) list =
    [ model
          "state x; algebraic y : R[2], z; dx/dt = -z; 0 = y - x; 0 = 1"
          [ "6:1-6 DEQ0802 the constraint `0 = 1` determines no algebraic unknown, and nothing determines `z` (the index is above 1) (every algebraic unknown takes a constraint of its own that depends on it)" ]
      model
          "state x; algebraic y : R[2]; dx/dt = -y[0]; 0 = y[0] - x"
          [ "5:1-13 DEQ0801 constraints and algebraic unknowns differ in number: 1 and 2 (each element of an `algebraic` takes one element of a constraint `0 = ...`)" ]
      model
          "state x; algebraic y; dx/dt = -y"
          [ "3:11-12 DEQ0801 constraints and algebraic unknowns differ in number: 0 and 1 (each element of an `algebraic` takes one element of a constraint `0 = ...`)" ]
      model
          "state x, y; algebraic lambda; const L = 1; x'' = -lambda*x; y'' = -lambda*y; 0 = x^2 + y^2 - L^2"
          [ "7:1-20 DEQ0802 the constraint `0 = x^2 + y^2 - L^2` determines no algebraic unknown, and nothing determines `lambda` (the index is above 1) (differentiated twice along the equations it does: write `0 = 2*(x'^2 - x^2*lambda) + 2*(y'^2 - y^2*lambda)` in its place, and let the initial values fulfil it as it stands)" ]
      model
          "state x; algebraic y, z; dx/dt = -y - z; 0 = y - x; 0 = y^2 + x"
          [ "6:1-12 DEQ0802 the constraint `0 = y^2 + x` determines only algebraic unknowns that others determine, and nothing determines `z` (the index is above 1) (every algebraic unknown takes a constraint of its own that depends on it)" ]
      model
          "state x; algebraic y; dx/dt = -y; dy/dt = 1; y = x; when falling(x) { y := 1 }; 0 = y - x > 0"
          [ "5:2-3 DEQ0405 `y` is an algebraic unknown: only states have equations (what changes in time is declared as `state y`)"
            "6:1-2 DEQ0406 `y = ...` is no equation (what determines an algebraic unknown is a constraint: `0 = ... - y`)"
            "7:19-20 DEQ0701 `y` is an algebraic unknown: an event changes states alone (what the constraints determine is found anew after every event)"
            "8:5-14 DEQ0315 a constraint takes numbers, and `y - x > 0` is a condition (`if ... then 1 else 0` makes it a number)" ]
      model
          "state x; algebraic y; wiener W; dx = -y*dt + dW; 0 = y - x"
          [ "6:1-10 DEQ0902 an algebraic constraint in a model with noise is not supported yet" ]
      model
          "state x; algebraic y; dx/dt = -y; 0 = y - x; solve { method = tsit5 }"
          [ "6:18-23 DEQ0803 `tsit5` does not solve algebraic constraints: it is explicit, and constraints are equations to be solved (take one of `implicit_euler`, `trbdf2`, `kvaerno3`, `kvaerno4`, `rodas4`, `kvaerno5`, `radau`, `rodas5p`)" ]
      model
          "state x; algebraic y; dx/dt = -y; 0 = y - x; solve { method = reversible_heun(dt = 0.1) }"
          [ "6:18-43 DEQ0803 `reversible_heun` does not solve algebraic constraints: it is explicit, and constraints are equations to be solved (take one of `implicit_euler`, `trbdf2`, `kvaerno3`, `kvaerno4`, `rodas4`, `kvaerno5`, `radau`, `rodas5p`)" ]
      model
          "state x; algebraic y; dx/dt = -y; 0 = y - x; solve { gradient = backsolve }"
          [ "6:20-29 DEQ0611 `gradient = backsolve` does not go with algebraic constraints: only states that are all kept have the adjoint of what they are bound by (leave it out: the gradient is then exact for the method)" ]
      model
          "state x; algebraic y; dx/dt = -y; 0 = y - x; solve { method = gauss4(dt = 0.1), target = simd }"
          [ "6:18-34 DEQ0803 `gauss4` does not solve algebraic constraints: it is not stiffly accurate, so that its steps do not end on the constraints (take one of `implicit_euler`, `trbdf2`, `kvaerno3`, `kvaerno4`, `rodas4`, `kvaerno5`, `radau`, `rodas5p`)" ]
      model
          "state x; algebraic y; dx/dt = -y; 0 = y - x; solve { target = simd }"
          [ "6:18-22 DEQ0608 `target = simd` cannot run this model: it has algebraic constraints, whose equations torch solves (leave the target to `auto`, or take `torch`)" ]
      model
          "state x, y; dx/dt = -x(2*t) - y(t - 1, 2); dy/dt = x(y) - y(t - [1, 2])"
          [ "3:12-15 DEQ0811 a state is called at `t` less a delay, `x(t - tau)`, not at `2*t`"
            "3:19-20 DEQ0210 `y` takes 1 argument, not 2"
            "4:11-12 DEQ0811 a state is called at `t` less a delay, `x(t - tau)`, not at `y`"
            "4:22-28 DEQ0811 a delay is one number, and `[1, 2]` is R[2] (give every element that has a delay of its own a state of its own)" ]
      model
          "state x; param tau = 1; dx/dt = -x(t - tau - x) - x(t - sin(t)) + x(t + 1)"
          [ "4:22-23 DEQ0812 a delay may depend on parameters, constants and dims alone, and `x` depends on a state `x` (delays that vary with the time or the state are not part of the language)"
            "4:33-39 DEQ0812 a delay may depend on parameters, constants and dims alone, and `sin(t)` depends on the time `t` (delays that vary with the time or the state are not part of the language)"
            "4:45-50 DEQ0813 a delay of -1 would ask for the future (write `x(t - tau)` with a positive `tau`)" ]
      model
          "state x; param tau in (0, inf) = 2; const k = 1; param r ~ normal(1, 1); dx/dt = -x(t + tau) - x(t + k - tau) - x(t - k + tau) - x(t + r)"
          [ "6:10-20 DEQ0813 a delay of -2, by the values that are declared, would ask for the future (write `x(t - tau)` with a positive `tau`)"
            "6:40-54 DEQ0813 a delay of -1, by the values that are declared, would ask for the future (write `x(t - tau)` with a positive `tau`)" ]
      model
          "state x; let lag = x(t - 1); dx/dt = -lag; output z = 2*lag; init x = lag"
          [ "5:12-17 DEQ0814 `x(t - 1)` is known in equations alone, not in an output (what is asked for elsewhere can be a state of its own, which the equations follow)"
            "6:10-13 DEQ0410 an initial value may depend on parameters, constants and dims alone, not on a state `x(t - 1)`" ]
      model
          "state x; param k = 1; dx/dt = -k*x(t - 1); history k = 1; history x = x; history y = 1; history x = 1; history x = 2"
          [ "5:9-10 DEQ0815 `k` is a parameter: only states have histories"
            "6:13-14 DEQ0410 a history may depend on the time, parameters, constants and dims alone, not on a state `x`"
            "7:9-10 DEQ0404 no state `y` is declared (declare it: `state y`)"
            "8:9-10 DEQ0816 `x` has two histories"
            "9:9-10 DEQ0816 `x` has two histories" ]
      model
          "state x; dx/dt = -x(t - 1); history x = 1; history x = 2; solve { gradient = backsolve, method = kvaerno3 }"
          [ "3:10-18 DEQ0817 `gradient = backsolve` does not go through delays (take `gradient = discrete`, which is exact there)"
            "5:9-10 DEQ0816 `x` has two histories"
            "6:20-29 DEQ0611 `gradient = backsolve` does not go with `kvaerno3`: the method is implicit, and what is stiff forwards cannot be solved backwards (leave it out: the gradient is then exact for the method)"
            "6:40-48 DEQ0818 `kvaerno3` is implicit, and equations with delays are solved by explicit Runge-Kutta methods (take one of `euler`, `heun`, `midpoint`, `ralston`, `bosh3`, `rk38`, `rk4`, `dopri5`, `tsit5`, `vern6`, `vern7`, `dopri8`, `vern9`)" ]
      model
          "state x; dx/dt = -x(t - 1); when rising(x(t - 1)) { x := x(t - 2) }"
          [ "4:13-21 DEQ0814 `x(t - 1)` is known in equations alone, not in an event (what is asked for elsewhere can be a state of its own, which the equations follow)"
            "4:30-38 DEQ0814 `x(t - 2)` is known in equations alone, not in an event (what is asked for elsewhere can be a state of its own, which the equations follow)" ]
      model
          "state x; wiener W; dx = -x(t - 1)*dt + dW"
          [ "4:7-15 DEQ0902 a delay in a model with noise is not supported yet" ]
      model
          "state x; dx/dt = -x(t - 1); solve { target = simd }"
          [ "4:18-22 DEQ0608 `target = simd` cannot run this model: it has delays, and registers keep no past (leave the target to `auto`, or take `torch`)" ]
      model
          "state q; d2q/dt2 = -q(t - 1); solve { method = leapfrog(dt = 0.01) }"
          [ "4:18-37 DEQ0609 `leapfrog` needs positions and momenta, neither of which depends on itself: the model has delays (`implicit_midpoint` and `gauss4` are symplectic for equations of any form)" ]
      model
          "state X; wiener W; dX = -X*dt + dW; when rising(X - 1) { stop }"
          [ "5:1-28 DEQ0906 an event (`when`) in a model with noise is not supported yet" ]
      model
          "state x; param k = 1; dx/dt = k*x; when rising(x) { k := 2 }; when at(1) { y := 1, x' := 2 }"
          [ "5:18-19 DEQ0701 `k` is a parameter: an event changes states alone (what changes at an event is declared as `state k`, with `dk/dt = 0`)"
            "6:14-15 DEQ0404 no state `y` is declared (declare it: `state y`)"
            "6:22-24 DEQ0407 `x'` is a value only where the equation of `x` is of second order (name the right side with `let` and use that name)" ]
      model
          "state x : R[2]; dx/dt = x; when rising(x) { x[0] := 1 }; when falling(x[0] > 1) { x := [1, 2, 3] }"
          [ "4:13-14 DEQ0702 `rising` takes one number, and `x` is R[2] (take one element, `x[0]`, or a number made of all: `sum(x)`, `norm(x)`, `min(x)`)"
            "4:18-22 DEQ0701 an event changes a whole state, not `x[0]` (give all of its elements at once: `x := [...]`)"
            "5:14-22 DEQ0315 `falling` takes a number that passes zero, and `x[0] > 1` is a condition (watch the difference of both sides)"
            "5:31-40 DEQ0307 `x` is R[2], but the right side is R[3]" ]
      model
          "state x; param k = 1; dx/dt = k; when rising(k - 1) { stop }; when every(-1) { x := 0 }; when every(x) { x := 0 }"
          [ "5:13-18 DEQ0703 `k - 1` depends on neither a state nor the time: it never passes zero"
            "6:12-14 DEQ0704 `every` takes a positive period, not -1"
            "7:12-13 DEQ0419 the period of an event is a number known when the model is compiled, not `x`" ]
      model
          "state x; dx/dt = 1; when rising(x - 2) { x := x/2, x := 1 }; when at(2) { x := z }; solve { gradient = backsolve }"
          [ "4:1-40 DEQ0706 `gradient = backsolve` does not go through events (take `gradient = discrete`, which is exact there)"
            "4:32-33 DEQ0705 `x` is assigned twice in one event (the values are those before the event: one assignment says what it becomes)"
            "5:19-20 DEQ0201 `z` is not declared (declare it, as in `param z = 1` or `let z = ...`)" ]
      model
          "state x; param k = 100; dx/dt = k*implicit { -x } + cos(t)"
          [ "4:11-26 DEQ0424 `implicit { ... }` is a term of the right side of an ordinary equation, and this is part of something else (write it around whole terms, factors inside: `dx/dt = implicit { -k*x } + f(x)`)" ]
      model
          "state x; wiener W; let r = implicit { -x }; dx = r*dt + implicit { 1 }*dW"
          [ "4:9-24 DEQ0424 `implicit { ... }` is a term of the right side of an ordinary equation, and this is part of something else (write it around whole terms, factors inside: `dx/dt = implicit { -k*x } + f(x)`)"
            "5:13-27 DEQ0424 `implicit { ... }` is a term of the right side of an ordinary equation, and this is part of something else (write it around whole terms, factors inside: `dx/dt = implicit { -k*x } + f(x)`)" ]
      model
          "state x; dx/dt = -x^3; solve { method = kencarp4 }"
          [ "4:18-26 DEQ0612 `kencarp4` takes a stiff part of the equations implicitly, and there is none: no term is linear in the states with constant coefficients (mark it: `dx/dt = implicit { ... } + ...`)" ]
      model
          "state x; dx/dt = -x^3; solve { method = etd1(dt = 0.1) }"
          [ "4:18-32 DEQ0612 `etd1` solves a part of the equations exactly that is linear in the states with constant coefficients: no term is linear in the states with constant coefficients (mark that part: `dx/dt = implicit { A @ x } + ...`)" ]
      model
          "state x; dx/dt = implicit { -x^3 } + x; solve { method = etdrk4(dt = 0.1) }"
          [ "4:18-34 DEQ0612 `etdrk4` solves a part of the equations exactly that is linear in the states with constant coefficients: the marked terms of `x` are not (mark that part: `dx/dt = implicit { A @ x } + ...`)" ]
      model
          "state x; dx/dt = -x; solve { method = etdrk4(dt = 0.1), gradient = discrete(checkpoints = 5), target = simd }"
          [ "4:47-72 DEQ0611 `gradient = discrete(checkpoints = 5)` does not go with `etdrk4`: the adjoint of the method's steps needs all of their states (leave it out: the gradient is then exact for the method)" ]
      model
          "state x; dx/dt = -x; solve { method = etdrk4(dt = 0.1), target = simd }"
          [ "4:45-49 DEQ0608 `target = simd` cannot run this model: its method, etdrk4, steps by functions of a matrix (leave the target to `auto`, or take `torch`)" ]
      model
          "state x; dx/dt = -x; solve { method = kencarp4, gradient = backsolve, target = simd }"
          [ "4:39-48 DEQ0611 `gradient = backsolve` does not go with `kencarp4`: the method is implicit, and what is stiff forwards cannot be solved backwards (leave it out: the gradient is then exact for the method)" ]
      model
          "state x; dx/dt = -x; solve { method = radau, target = simd }"
          [ "4:34-38 DEQ0608 `target = simd` cannot run this model: its method, radau, solves nonlinear equations in a step (leave the target to `auto`, or take `torch`)" ] ]
