/// Models with a mistake in the solve block: methods, options, gradients and targets, alone and with what the model asks of them.
module DiffEqLang.Tests.Compiler.WrongSolveBlocks

open DiffEqLang.Tests.Compiler.WrongModels

/// Each with all that is said about it.
let all: (string * string list) list =
    [ model
          "state x; dx/dt = x; solve { t = 0 .. 0, metod = rk4, gradient = discret, target = cuda, device = gpu, dtype = float64, dtype = float32 }"
          [ "4:13-19 DEQ0607 the time span starts and ends at 0"
            "4:21-26 DEQ0601 the solve block has no setting `metod` (did you mean `method`?)"
            "4:45-52 DEQ0605 `gradient` takes one of `discrete`, `backsolve`, `interpolated`, `forward`, `reversible` (did you mean `discrete`?)"
            "4:63-67 DEQ0905 `target = cuda` is not supported yet (now there are `auto`, `torch`, `simd`)"
            "4:78-81 DEQ0605 `device` takes one of `auto`, `cpu`, `cuda`, `mps` (did you mean `cpu`?)"
            "4:100-105 DEQ0602 `dtype` is set twice" ]
      model
          "state x; dx/dt = x; solve { method = dopri(rtol = 1e-3) }"
          [ "4:18-23 DEQ0603 there is no method `dopri` (did you mean `dopri5`?)" ]
      model
          "state x; dx/dt = x; solve { method = dopri5(tol = 1e-3, rtol = -1) }; solve { method = kvaerno5 }"
          [ "4:25-28 DEQ0604 `dopri5` has no option `tol` (did you mean `atol`?)"
            "4:44-46 DEQ0606 `rtol` takes a positive number"
            "5:1-28 DEQ0411 a model has one `solve`" ]
      model
          "state x; dx/dt = x; solve { method = bdf(order = 2.5) }"
          [ "4:30-33 DEQ0606 `order` takes a whole number from 1 to 5" ]
      model
          "state x; dx/dt = x; solve { method = euler_maruyama(dt = 0.1) }"
          [ "4:18-42 DEQ0508 `euler_maruyama` is for stochastic equations, and the model has no noise (methods for ordinary equations: `euler`, `midpoint`, `heun`, `ralston`, `rk4`, `rk38`, `bosh3`, `dopri5`, `tsit5`, `vern6`, `vern7`, `dopri8`, `vern9`, `implicit_euler`, `implicit_midpoint`, `gauss4`, `trbdf2`, `kvaerno3`, `kvaerno4`, `kvaerno5`, `radau`, `rosenbrock23`, `rodas4`, `rodas5p`, `bdf`, `adams`, `auto`, `imex_euler`, `kencarp3`, `kencarp4`, `kencarp5`, `etd1`, `etdrk4`, `symplectic_euler`, `leapfrog`, `yoshida4`, `mclachlan`, `dprkn6`, `dprkn12`, `reversible_heun`, `asynchronous_leapfrog`)" ]
      model
          "dim n; state x : R[n]; dx/dt = -x; solve { target = simd }"
          [ "5:18-22 DEQ0608 `target = simd` cannot run this model: the size `n` is left to the caller (leave the target to `auto`, or take `torch`)" ]
      model
          "state x : R[20000]; param A : R[20000] = 1; let h = tanh(x); x' = sin(A*h)*sum(h) - h^2; solve { target = simd }"
          [ "6:18-22 DEQ0608 `target = simd` cannot run this model: its loops hand on 20000 numbers of a sample to each other, and a stack holds 8192 (leave the target to `auto`, or take `torch`)" ]
      model
          "state q, p; dq/dt = p; dp/dt = -sin(q) - 0.1*p; solve { method = leapfrog(dt = 0.01) }"
          [ "5:18-37 DEQ0609 `leapfrog` needs positions and momenta, neither of which depends on itself: the derivative of `p` depends on `p` itself, in `0.1 * p` (`implicit_midpoint` and `gauss4` are symplectic for equations of any form)" ]
      model
          "state q; d2q/dt2 = -sin(q) - 0.1*q'; solve { method = dprkn12(rtol = 1e-12) }"
          [ "4:18-39 DEQ0613 `dprkn12` is for equations of the second order without velocity, q'' = a(t, q): the derivative of `q'` depends on `q'` itself, in `0.1 * q'` (`vern9` is of high order for equations of any form)" ]
      model
          "state q : R[2]; d2q/dt2 = -q/norm(q)^3 - 0.1*q'; solve { method = dprkn12 }"
          [ "4:18-25 DEQ0613 `dprkn12` is for equations of the second order without velocity, q'' = a(t, q): the derivative of `q'[0]` depends on `q'[0]` itself, in `0.1 * q'` (`vern9` is of high order for equations of any form)" ]
      model
          "state q, p; dq/dt = 2*p; dp/dt = -q; solve { method = dprkn6 }"
          [ "5:18-24 DEQ0613 `dprkn6` is for equations of the second order without velocity, q'' = a(t, q): the derivative of `q` is `2 * p`, and not a state of its own (`vern9` is of high order for equations of any form)" ]
      model
          "state x; dx/dt = x; solve { method = rk(\"mine.json\", dt = 0.1) }"
          [ "4:21-32 DEQ0610 `mine.json` gives no method: there is no such file beside the model's" ]
      model
          "state x; dx/dt = x; solve { method = rk(dt = 0.1) }"
          [ "4:18-20 DEQ0606 `rk` takes the file of a tableau, as in `rk(\"mine.json\")`" ]
      model
          "state x; dx/dt = x; solve { method = radau, gradient = backsolve }"
          [ "4:36-45 DEQ0611 `gradient = backsolve` does not go with `radau`: the method is implicit, and what is stiff forwards cannot be solved backwards (leave it out: the gradient is then exact for the method)" ]
      model
          "state q; d2q/dt2 = -q; solve { method = leapfrog(dt = 0.1), gradient = backsolve }"
          [ "4:49-58 DEQ0611 `gradient = backsolve` does not go with `leapfrog`: the method moves positions and momenta apart, and the adjoint's equations do not fall into such (leave it out: the gradient is then exact for the method)" ]
      model
          "state x; dx/dt = x; solve { method = radau, gradient = interpolated }"
          [ "4:36-48 DEQ0611 `gradient = interpolated` does not go with `radau`: the method is implicit, and this adjoint is solved by explicit methods alone (leave it out: the gradient is then exact for the method)" ]
      model
          "state x; dx/dt = x; solve { gradient = reversible }"
          [ "4:20-30 DEQ0611 `gradient = reversible` does not go with `tsit5`: steps of the method cannot be undone (the methods for it: `reversible_heun`, `asynchronous_leapfrog`)" ]
      model
          "state x; dx/dt = x; solve { method = reversible_heun(dt = 0.1), gradient = forward }"
          [ "4:56-63 DEQ0611 `gradient = forward` does not go with `reversible_heun`: the method steps back by itself, which is `gradient = reversible` (leave it out: the gradient is then exact for the method)" ]
      model
          "state x; dx/dt = x; when rising(x - 2) { x := 0 }; solve { method = asynchronous_leapfrog(dt = 0.1) }"
          [ "4:1-30 DEQ0706 `asynchronous_leapfrog` does not go through events (take a Runge-Kutta method, such as `tsit5`)" ]
      model
          "state x; wiener W; dx = -x*dt + dW; solve { gradient = forward }"
          [ "5:20-27 DEQ0611 `gradient = forward` does not go with noise: it is made for ordinary differential equations (leave it out: the gradient is then exact for the method)" ]
      model
          "state x; wiener W; dx = -x*dt + dW; solve { gradient = discrete(checkpoints = 5) }"
          [ "5:20-45 DEQ0611 `gradient = discrete(checkpoints = 5)` does not go with noise: it is made for ordinary differential equations (leave it out: the gradient is then exact for the method)" ]
      model
          "state x; dx/dt = x; solve { gradient = discrete(checkpoints = 2.5) }"
          [ "4:43-46 DEQ0606 `checkpoints` takes a whole number of at least 1" ]
      model
          "state x; dx/dt = x; solve { gradient = discrete(checkpoint = 5) }"
          [ "4:29-39 DEQ0604 `discrete` has no option `checkpoint` (did you mean `checkpoints`?)" ]
      model
          "state x; dx/dt = x; solve { gradient = discrete(order = 3) }"
          [ "4:37-38 DEQ0606 `order` takes 1, or 2 for gradients that are differentiated again" ]
      model
          "state x; dx/dt = x; when rising(x - 2) { x := 0 }; solve { gradient = discrete(order = 2) }"
          [ "5:20-39 DEQ0611 `gradient = discrete(order = 2)` does not go with events: how their times bend with the parameters is not followed (leave it out: the gradient is then exact for the method)" ]
      model
          "state x; dx/dt = -x(t - 1); solve { gradient = discrete(order = 2) }"
          [ "4:20-39 DEQ0611 `gradient = discrete(order = 2)` does not go with delays: what past states are made of is differentiated once (leave it out: the gradient is then exact for the method)" ]
      model
          "state x; dx/dt = -x; solve { method = bdf, gradient = discrete(order = 2) }"
          [ "4:34-53 DEQ0611 `gradient = discrete(order = 2)` does not go with `bdf`: its steps go on from past values, which are differentiated once (leave it out: the gradient is then exact for the method)" ]
      model
          "state x; dx/dt = -x; solve { target = simd, gradient = discrete(order = 2) }"
          [ "4:18-22 DEQ0608 `target = simd` cannot run this model: gradients are differentiated again, which torch does alone (leave the target to `auto`, or take `torch`)" ]
      model
          "state x; dx/dt = x; solve { gradient = discrete(5) }"
          [ "4:20-31 DEQ0606 `discrete` takes one option, as in `discrete(checkpoints = 50)`" ]
      model
          "state x; dx/dt = x; when rising(x - 2) { x := 0 }; solve { gradient = forward }"
          [ "4:1-30 DEQ0706 `gradient = forward` does not go through events (take `gradient = discrete`, which is exact there)" ]
      model
          "state x; dx/dt = sin(\"x\")"
          [ "3:13-16 DEQ0423 `x` is a text, and no value (a text names a file: `import \"layers.deq\"`, `method = rk(\"mine.json\")`)" ]
      model
          "state x; dx/dt = -x; solve { method = auto, gradient = backsolve }"
          [ "4:35-44 DEQ0611 `gradient = backsolve` does not go with `auto`: the method changes on the way, and only steps that are all kept say where (leave it out: the gradient is then exact for the method)" ]
      model
          "state x; dx/dt = -x; solve { method = auto, target = simd }"
          [ "4:33-37 DEQ0608 `target = simd` cannot run this model: its method, auto, changes between two (leave the target to `auto`, or take `torch`)" ]
      model
          "state q, p; dq/dt = 2*p; dp/dt = -q; solve { method = leapfrog(dt = 0.1), target = simd }"
          [ "5:47-51 DEQ0608 `target = simd` cannot run this model: its method, leapfrog, moves positions and momenta by turns, and the equations are not q'' = a(t, q) (leave the target to `auto`, or take `torch`)" ] ]
