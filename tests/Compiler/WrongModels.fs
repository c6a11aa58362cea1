/// Models with a mistake in names, shapes, structure, noise or the solve block: a case or more for each kind of error.
module DiffEqLang.Tests.Compiler.WrongModels

/// Statements are written with `; ` between them, to keep a case on one line.
let private lines (text: string) = text.Replace("; ", "\n")

let private file source expected = lines source, expected

/// A case inside `model M { ... }`, whose first statement is on line 2.
let model source expected = sprintf "model M {\n%s\n}" (lines source), expected

/// Each with all that is said about it.
let all: (string * string list) list =
    [ model
          "state x; dx/dt = y"
          [ "3:9-10 DEQ0201 `y` is not declared (declare it, as in `param y = 1` or `let y = ...`)" ]
      model
          "state x, velocity; dx/dt = velocty; dvelocity/dt = -x"
          [ "3:9-16 DEQ0201 `velocty` is not declared (did you mean `velocity`?)" ]
      model
          "state x; param θ = 1; dx/dt = -theta*x"
          [ "4:10-15 DEQ0201 `theta` is not declared (did you mean `θ`?)" ]
      model
          "state x; param k = 1; dx/dt = k(x)"
          [ "4:9-10 DEQ0205 `k` is a parameter, not a function (a product is written `k * (...)`, an element `k[0]`)" ]
      model "state x; dx/dt = sn(x)" [ "3:9-11 DEQ0202 there is no function `sn` (did you mean `sin`?)" ]
      model "state x; dx/dt = sin" [ "3:9-12 DEQ0206 `sin` is a function, not a value (call it: `sin(...)`)" ]
      model
          "state x; fn f(a) = a*x; dx/dt = f"
          [ "4:9-10 DEQ0206 `f` is a function, not a value (call it: `f(...)`)" ]
      model
          "state x; fn f(a) = g(a); fn g(a) = f(a); dx/dt = f(x)"
          [ "3:4-5 DEQ0209 the function `f` calls itself: f -> g -> f (functions are inlined, so none can call itself)" ]
      model
          "state x; let a = b + 1; let b = c*2; let c = a; dx/dt = a"
          [ "3:5-6 DEQ0208 `a` is defined by itself: a -> b -> c -> a" ]
      model "state x; param x = 1; dx/dt = x" [ "3:7-8 DEQ0203 `x` is declared twice" ]
      model "state t; dt/dt = 1" [ "2:7-8 DEQ0204 `t` cannot be declared: it is time (choose another name)" ]
      model "state x; let unused = 3; dx/dt = x" [ "3:5-11 DEQ0207 `unused` is a `let` that nothing uses" ]
      model "state x; fn f(a, b) = a*b; dx/dt = f(x)" [ "4:9-10 DEQ0210 `f` takes 2 arguments, not 1" ]
      model
          "state x : R[3]; dx/dt = x*sum(x, axis = 3)"
          [ "3:11-14 DEQ0313 `sum`: axis = 3 is not an axis of an operand of rank 1" ]
      model
          "state x : R[3]; dx/dt = softmax(x, axes = 0)"
          [ "3:20-24 DEQ0211 `softmax` has no argument named `axes` (did you mean `axis`?)" ]
      model
          "state x : R[2]; param W : R[3, 2] = 0; dx/dt = W * x"
          [ "4:11-12 DEQ0302 `*` is elementwise and does not contract R[3, 2] and R[2] (write `W @ x`)" ]
      model
          "state x : R[2]; param W : R[3, 5] = 0; dx/dt = W @ x"
          [ "4:11-12 DEQ0303 `@` contracts the last axis of the left with the first of the right: of R[3, 5] and R[2] these are 5 and 2" ]
      model
          "state x : R[2], y : R[3]; dx/dt = x + y; dy/dt = y"
          [ "3:11-12 DEQ0301 `+` takes operands of one shape, or a scalar: left is R[2], right is R[3]" ]
      model
          "state x : R[2]; dx/dt = 2 @ x"
          [ "3:11-12 DEQ0304 `@` contracts axes, and a scalar has none: R and R[2] (a product with a scalar is written `*`)" ]
      model "state x : R[2]; dx/dt = sum(x)" [ "3:9-15 DEQ0307 `dx/dt` is R[2], but the right side is R" ]
      model
          "state x : R[2]; dx/dt = x[2]*x"
          [ "3:11-12 DEQ0310 position 2 of an axis of length 2: positions count from 0" ]
      model
          "state x : R[2]; dx/dt = x[1..5]"
          [ "3:11-15 DEQ0310 1 .. 5 is no range of an axis of length 2: the end is not part of it" ]
      model
          "state x : R[2]; dx/dt = x[0, 1]*x"
          [ "3:9-16 DEQ0309 `x` is R[2]: it does not take 2 subscripts" ]
      model
          "state x : R[2]; dx/dt = x*x[t]"
          [ "3:13-14 DEQ0311 a position is a whole number known when the model is compiled, not `t`" ]
      model
          "state x : R[2]; dx/dt = x.T"
          [ "3:9-10 DEQ0312 `.T` exchanges the axes of a matrix, and this is R[2]" ]
      model "state x : R[2]; dx/dt = [x[0], x]" [ "3:16-17 DEQ0306 what is joined does not fit: R and R[2]" ]
      model
          "state x : R[2]; dx/dt = if x then x else -x"
          [ "3:12-13 DEQ0314 `if` takes a condition, and `x` is a number (compare it: `... > 0`)" ]
      model
          "state x : R[2]; dx/dt = x + (x > 0)"
          [ "3:13-20 DEQ0315 `+` takes numbers, and `(x > 0)` is a condition (`if ... then 1 else 0` makes it a number)" ]
      model
          "state x : R[2.5]; dx/dt = x"
          [ "2:13-16 DEQ0316 a size is made of whole numbers and dims, not `2.5`" ]
      model
          "dim n = 3; state x : R[n - 3]; dx/dt = x"
          [ "3:13-18 DEQ0317 a size is at least 1, and `n - 3` is 0" ]
      model
          "state x : Z[3]; dx/dt = x"
          [ "2:11-12 DEQ0318 there is no type `Z` (types are `R` and `R[n, m]`)" ]
      model
          "state x : R[2]; output J = grad(x, x); output K = grad(sum(x), 2*x); dx/dt = x"
          [ "3:17-18 DEQ0319 `grad`: the differentiated expression is R[2] where R is needed (`jac` differentiates tensors)"
            "4:25-28 DEQ0420 `grad` differentiates by a name, not by `2*x` (name it: `let u = ...`, and use `u` in the expression too)" ]
      model
          "state x : R[2]; net f : R[2] -> R[2] = dense(50) |> tanh |> dense(3); dx/dt = f(x)"
          [ "3:45-53 DEQ0320 the network `f` ends in R[3], but is declared to give R[2]" ]
      model
          "state x : R[3]; net f : R[2] -> R[3] = dense(50) |> tanh |> dense(3); dx/dt = f(x)"
          [ "4:11-12 DEQ0313 `f` takes R[2], not R[3]" ]
      model
          "state x : R[2]; net f : R[2] -> R[2] = dens(50) |> conv(3, 3) |> dense(2); dx/dt = f(x)"
          [ "3:24-28 DEQ0421 there is no network stage `dens` (did you mean `dense`?)"
            "3:36-46 DEQ0903 the network stage `conv` is not supported yet" ]
      model
          "state x : R[2]; net f : R[2] -> R[2] = dense(50) |> conv(3, 3) |> dense(2); dx/dt = f(x)"
          [ "3:37-47 DEQ0903 the network stage `conv` is not supported yet" ]
      model "state x, y; dx/dt = x" [ "2:10-11 DEQ0402 the state `y` has no equation (write `dy/dt = ...`)" ]
      model "state x; dx/dt = x; x' = 2*x" [ "4:1-2 DEQ0403 `x` has two equations" ]
      model
          "state x; dx/dt = x; dy/dt = x"
          [ "4:2-3 DEQ0404 no state `y` is declared (declare it: `state y`)" ]
      model
          "state x; param k = 1; dx/dt = k*x; dk/dt = 0"
          [ "5:2-3 DEQ0405 `k` is a parameter: only states have equations (what changes in time is declared as `state k`)" ]
      model
          "state x; param k = 1; dx/dt = k*x; k = 3"
          [ "5:1-2 DEQ0406 `k = ...` is no equation (a parameter's value stands in its declaration: `param k = ...`)" ]
      model
          "state x, dose; dx/dt = dose; ddose/dt = x; dose = 5"
          [ "5:1-5 DEQ0406 `dose = ...` is no equation (write `ddose/dt = ...`, or `init dose = ...` for its initial value)" ]
      model
          "state x; dx/dt = -x + x'"
          [ "3:14-15 DEQ0407 `x'` is a value only where the equation of `x` is of second order (name the right side with `let` and use that name)" ]
      model
          "state x; dx/dt = x; init x = t; init x = 2; init y = 3"
          [ "4:10-11 DEQ0410 an initial value may depend on parameters, constants and dims alone, not on the time `t`"
            "5:6-7 DEQ0408 `x` has two initial values"
            "6:6-7 DEQ0404 no state `y` is declared (declare it: `state y`)" ]
      model "param k = 1" [ "1:7-8 DEQ0401 the model `M` has no state (declare one: `state x`)" ]
      model
          "state x; param k; param a ~ norml(0, 1); param b ~ normal(0); param c = 1 in (2, 3); param d = 1 in (3, 2); param e = 1 in [0, 2]; param v : R[3] ~ xavier_uniform; param w : R[3] = [1, 2]; param z = x; dx/dt = k*a*b*c*d*e*v[0]*w[0]*z"
          [ "3:7-8 DEQ0412 the parameter `k` does not say how it starts (give a value, `= 0`, or a distribution, `~ normal(0, 0.1)`)"
            "4:11-16 DEQ0414 there is no distribution `norml` (did you mean `normal`?)"
            "5:11-20 DEQ0415 `normal` is written normal(mean, standard deviation), the deviation not negative"
            "6:11-12 DEQ0418 `c` starts at 1, which is not inside `(2, 3)`"
            "7:16-22 DEQ0416 there is no number between 3 and 2"
            "8:16-22 DEQ0417 the ends of `[0, 2]` cannot be part of it (write round brackets: `(low, high)`)"
            "9:18-32 DEQ0415 `xavier_uniform` is for matrices, and this is R[3] (vectors take `normal(0, 0.1)` or `uniform(-1, 1)`)"
            "10:18-24 DEQ0308 `w : R[3]` cannot start as `[1, 2]`, which is R[2] (a scalar or a value of shape R[3] fits)"
            "11:11-12 DEQ0410 a parameter's value may depend on constants and dims alone, not on a state `x`" ]
      model
          "state X; wiener W; dX = X + 0.1*dW"
          [ "4:6-7 DEQ0501 the term `X` carries no differential (multiply it by `dt` or by an increment such as `dW`)" ]
      model
          "state X; wiener W; dX = X*dt + dW^2"
          [ "4:13-17 DEQ0503 `dW` stands inside `dW^2`, which is not linear in it" ]
      model
          "state X; wiener W; dX = X*dt*dW"
          [ "4:6-13 DEQ0502 `X*dt*dW` is a product of two differentials (every term carries exactly one)" ]
      model
          "state X; wiener W; dX = exp(dW)"
          [ "4:6-13 DEQ0503 `dW` stands inside `exp(dW)`, which is not linear in it" ]
      model
          "state X; wiener W; let a = dW; dX = a*dt + dW/X + X/dW"
          [ "4:9-11 DEQ0504 `dW` stands only in an equation such as `dX = mu*dt + sigma*dW` (leave it out, or write the equation in differentials)"
            "5:20-24 DEQ0503 `dW` stands inside `X/dW`, which is not linear in it" ]
      model
          "state X; wiener W; dX = X*dt + 0.1*dB + dW"
          [ "4:17-19 DEQ0505 there is no Wiener process for `dB` (did you mean `dW`?)" ]
      model
          "state X; wiener W; dX/dt = X + dW"
          [ "4:13-15 DEQ0504 `dW` stands only in an equation such as `dX = mu*dt + sigma*dW` (leave it out, or write the equation in differentials)" ]
      model
          "state X : R[2]; wiener W : R[3]; dX = X*dt + dW"
          [ "4:11-12 DEQ0301 `+` takes operands of one shape, or a scalar: left is R[2], right is R[3]" ]
      model
          "state X; wiener W; dX = X*dt + dW; calculus itoo"
          [ "5:10-14 DEQ0506 there is no calculus `itoo` (did you mean `ito`?)" ]
      model
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
          [ "4:18-42 DEQ0508 `euler_maruyama` is for stochastic equations, and the model has no noise (methods for ordinary equations: `euler`, `midpoint`, `heun`, `ralston`, `rk4`, `rk38`, `bosh3`, `dopri5`, `tsit5`, `vern6`, `vern7`, `dopri8`, `vern9`, `implicit_euler`, `implicit_midpoint`, `gauss4`, `trbdf2`, `kvaerno3`, `kvaerno4`, `kvaerno5`, `radau`, `rosenbrock23`, `rodas4`, `rodas5p`, `bdf`, `adams`, `auto`, `symplectic_euler`, `leapfrog`, `yoshida4`, `mclachlan`, `reversible_heun`, `asynchronous_leapfrog`)" ]
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
          [ "4:49-58 DEQ0611 `gradient = backsolve` does not go with `leapfrog`: the method is symplectic, and the adjoint's equations do not fall into positions and momenta (leave it out: the gradient is then exact for the method)" ]
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
          "state x; dx/dt = x; solve { method = rodas5p, gradient = forward }"
          [ "4:38-45 DEQ0611 `gradient = forward` does not go with `rodas5p`: the method steps by the Jacobian itself, whose derivative this gradient would need (leave it out: the gradient is then exact for the method)" ]
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
          "state x; dx/dt = x; solve { gradient = discrete(5) }"
          [ "4:20-31 DEQ0606 `discrete` takes one option, as in `discrete(checkpoints = 50)`" ]
      model
          "state x; dx/dt = x; when rising(x - 2) { x := 0 }; solve { gradient = discrete(checkpoints = 5) }"
          [ "4:1-30 DEQ0706 `gradient = discrete(checkpoints = 5)` does not go through events (take `gradient = discrete`, which is exact there)" ]
      model
          "state x; dx/dt = sin(\"x\")"
          [ "3:13-16 DEQ0423 `x` is a text, and no value (a text names a file: `import \"layers.deq\"`, `method = rk(\"mine.json\")`)" ]
      model
          "state X; wiener W; dX = X*dt + dW; solve { method = dopri5 }"
          [ "5:18-24 DEQ0507 `dopri5` solves ordinary equations, and the model has the noise `W` (methods for noise: `euler_maruyama`, `euler_heun`, `milstein`)" ]
      model
          "state x, z; control u : R[2]; jumps N : rate(x); sample eps ~ rademacher; dx/dt = x + eps + u[0]; dz = x*dt + x*dN"
          [ "3:1-17 DEQ0901 `control` is not supported yet"
            "4:1-18 DEQ0901 `jumps` is not supported yet"
            "5:1-24 DEQ0901 `sample` is not supported yet" ]
      // Algebraic constraints.
      model
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
          "state x; dx/dt = -x; solve { method = radau, target = simd }"
          [ "4:34-38 DEQ0608 `target = simd` cannot run this model: its method, radau, solves nonlinear equations in a step (leave the target to `auto`, or take `torch`)" ]
      model
          "state x; dx/dt = -x; solve { method = auto, gradient = backsolve }"
          [ "4:35-44 DEQ0611 `gradient = backsolve` does not go with `auto`: the method changes on the way, and only steps that are all kept say where (leave it out: the gradient is then exact for the method)" ]
      model
          "state x; dx/dt = -x; solve { method = auto, target = simd }"
          [ "4:33-37 DEQ0608 `target = simd` cannot run this model: its method, auto, changes between two (leave the target to `auto`, or take `torch`)" ]
      model
          "state q, p; dq/dt = p; dp/dt = -q; solve { method = leapfrog(dt = 0.1), target = simd }"
          [ "5:47-51 DEQ0608 `target = simd` cannot run this model: its method, leapfrog, moves positions and momenta by turns (leave the target to `auto`, or take `torch`)" ]
      model
          "state x; dx/dt = 1; when rising(x - 2) { x := 0 }; solve { target = simd }"
          [ "5:18-22 DEQ0608 `target = simd` cannot run this model: it has events, which registers do not find yet (leave the target to `auto`, or take `torch`)" ]
      model
          "state x, y; implicit { dx/dt = -x }; d3y/dt3 = y; param W(t) : R[2] = steps(10)"
          [ "3:1-24 DEQ0902 `implicit` is not supported yet"
            "4:1-12 DEQ0902 an equation of order 3 for `y` is not supported yet"
            "5:1-30 DEQ0901 a depth-varying parameter is not supported yet" ]
      file
          "import \"layers.deq\"; model A { state x;  dx/dt = x }; model B = time_reversal(A, score = s); model A { state x;  dx/dt = x }"
          [ "1:1-20 DEQ0904 `import` is not supported yet"
            "4:11-24 DEQ0904 the derived model `B` is not supported yet"
            "5:7-8 DEQ0203 `A` is declared twice" ]
      model
          "state x : R[2], y : R[3]; output z = if t > 0 then x else y; dx/dt = x; dy/dt = y"
          [ "3:33-34 DEQ0305 the branches of `if` have the shapes R[2] and R[3]" ]
      model
          "state X : R[2]; wiener W : R[2], correlation = [1, 2]; dX = X*dt + dW"
          [ "3:32-38 DEQ0321 the correlation of `W` is R[2, 2], not R[2]" ]
      model
          "state X; wiener W, correlation = 0.5; dX = X*dt + dW"
          [ "3:25-28 DEQ0321 `W` is R: only the elements of a vector can be correlated" ]
      model
          "state x; param k = 1; dx/dt = k*x; init k = 3; init x + 1 = 2"
          [ "6:8-9 DEQ0106 `=` is missing before `+`"
            "5:6-7 DEQ0409 `k` is a parameter: only states have initial values" ]
      model
          "state x; param k = 1 ~ normal(0, 1); dx/dt = k*x"
          [ "3:15-27 DEQ0413 the parameter `k` has a value and a distribution (keep one of them)" ]
      model
          "state x; param j = 1; param k = 1 in (0, j); dx/dt = k*x*j; solve { t = 0 .. x }"
          [ "4:20-21 DEQ0419 the end of an interval is a number known when the model is compiled, not `j`"
            "6:18-19 DEQ0419 the end of the time span is a number known when the model is compiled, not `x`" ]
      model
          "state x : R[2]; net f : R[2] -> R[2] = dense(50, 3) |> tanh |> dense(2); dx/dt = f(x)"
          [ "3:24-36 DEQ0422 the stage `dense` is written dense(size, bias = true)" ]
      model
          "state x : R[2, 2]; net f : R[2, 2] -> R[2] = dense(5); dx/dt = conv(x); output y = f(x)"
          [ "3:27-35 DEQ0320 `dense` takes a vector, and what comes in is R[2, 2]"
            "4:9-13 DEQ0907 the function `conv` is not supported yet" ]
      model "state x; dx/dt = x*sum([])" [ "3:16-17 DEQ0101 expected an expression, found `]`" ]
      model
          "state x; param k = 1; dx/dt = k'"
          [ "4:9-10 DEQ0407 `k` is a parameter: only states have derivatives" ]
      model
          "state X; wiener W; dX = W*dt + dW"
          [ "4:6-7 DEQ0206 the Wiener process `W` has no value of its own (an equation such as `dX = ... + sigma*dW` takes its increment `dW`)" ]
      model
          "state x : R[2], y : R[3]; fn f(a, b) = a + b; dx/dt = f(x, y); dy/dt = f(y, 1)"
          [ "3:16-17 DEQ0301 `+` takes operands of one shape, or a scalar: left is R[2], right is R[3]" ]
      model
          "state x; dx/dt = pi(x) + not x + (x < 1 and x)"
          [ "3:17-20 DEQ0101 expected an expression, found `not`" ]
      model "state x; dx/dt = concat()" [ "3:9-15 DEQ0210 `concat` takes at least 1 argument, not 0" ]
      model
          "state x; fn f(a) = a(2) + a'; dx/dt = f(x)"
          [ "3:11-12 DEQ0205 `a` is an argument, not a function (a product is written `a * (...)`, an element `a[0]`)"
            "3:18-19 DEQ0407 `a` is an argument: only states have derivatives" ]
      model
          "state x : R[2], n; dx/dt = solve(x, x); dn/dt = det([[1, 2, 3], [4, 5, 6]])"
          [ "3:9-14 DEQ0313 `solve` needs a square matrix, not R[2]"
            "4:9-12 DEQ0313 `det` needs a square matrix, not R[2, 3]" ]
      model
          "state x; dx/dt = jvp(x^2, x) + vjp(x, x, [1, 2])"
          [ "3:9-12 DEQ0210 `jvp` takes 3 arguments, not 2"
            "3:33-39 DEQ0319 `vjp`: the weight is R[2] where R is needed" ]
      model
          "state x; dx/dt = f(x, k = 1) + g(y = 2); fn f(a, b) = a*b; fn g(a) = a"
          [ "3:14-15 DEQ0211 `f` has no argument named `k`"
            "3:25-26 DEQ0211 `g` has no argument named `y`" ]
      model
          "state x; dx/dt = x; calculus ito; calculus stratonovich"
          [ "5:1-22 DEQ0411 a model has one `calculus`" ]
      model
          "state X : R[3]; wiener W; dX = [X[0]*dt, dW, X[1]] + sin(W)*dt"
          [ "4:20-24 DEQ0501 the term `X[1]` carries no differential (multiply it by `dt` or by an increment such as `dW`)"
            "4:32-33 DEQ0206 the Wiener process `W` has no value of its own (an equation such as `dX = ... + sigma*dW` takes its increment `dW`)" ]
      model
          "state X; wiener W; dX = (if dW > 0 then dt else dW) + abs(X)"
          [ "4:10-16 DEQ0503 `dW` stands inside `dW > 0`, which is not linear in it"
            "4:36-42 DEQ0501 the term `abs(X)` carries no differential (multiply it by `dt` or by an increment such as `dW`)" ]
      model
          "state x; param state = 1; dx/dt = state*x; solve { t = 5, method = 3, dtype = float16, device = cuda:x }"
          [ "5:59-60 DEQ0101 expected an expression, found `x`"
            "5:13-14 DEQ0605 `t` takes a span such as `0 .. 25`"
            "5:25-26 DEQ0605 `method` takes a method such as `tsit5(rtol = 1e-6)`"
            "5:36-43 DEQ0605 `dtype` takes one of `float32`, `float64` (did you mean `float32`?)" ]
      model
          "state x; dx/dt = -x; solve { method = tsit5(1e-3, rtol = x) }"
          [ "4:24-28 DEQ0606 an option takes a name and a value, such as `rtol = 1e-3`"
            "4:37-38 DEQ0606 `rtol` takes a positive number" ]
      model
          "state x : R[2]; param w : R[2] ~ uniform(3, 1); param v : R[2] ~ orthogonal(2); dx/dt = w*v*x"
          [ "3:18-31 DEQ0415 `uniform` is written uniform(low, high), low less than high"
            "4:18-31 DEQ0415 `orthogonal` is for matrices, and this is R[2] (vectors take `normal(0, 0.1)` or `uniform(-1, 1)`)" ]
      model
          "state x : R[k, a+1, 1/2]; param k = 2; dx/dt = k*x"
          [ "2:13-14 DEQ0316 a size is made of whole numbers and dims, not `k`"
            "2:16-17 DEQ0201 `a` is not declared (a size is declared by `dim a = 10`)"
            "2:21-24 DEQ0316 a size is made of whole numbers and dims, not `1/2`" ]
      model
          "dim n = m; dim m = n; state x : R[n]; dx/dt = x"
          [ "2:5-6 DEQ0208 `n` is defined by itself: n -> m -> n" ]
      model
          "state x; dx/dt = x ** 2"
          [ "3:11-13 DEQ0111 `**` is not an operator of the language (write `^`)" ]
      model
          "state x; dx/dt == x"
          [ "3:7-9 DEQ0112 `==` compares; it neither defines nor equates (write `=`)" ]
      model
          "state x; param k ~ 3; dx/dt = k x"
          [ "3:11-12 DEQ0101 expected a name, found `3`"
            "4:11-12 DEQ0101 expected an operator or the end of the line, found `x` (a product is written `a*b`, a call `f(x)`)" ]
      model "state x; dx/dt = (x + 1" [ "3:9-10 DEQ0104 `(` is never closed: `)` is missing" ]
      model "state x; dx/dt = x + $" [ "3:13-14 DEQ0102 unexpected character `$`" ]
      model
          "state x; let y ~ x; dx/dt = y && x"
          [ "3:7-8 DEQ0113 `~` gives a parameter or a sample its distribution; it neither defines nor equates (write `=`)"
            "4:11-13 DEQ0125 `&&` is not an operator of the language (write `and`)"
            "4:9-10 DEQ0314 `and` takes a condition, and `y` is a number (compare it: `... > 0`)"
            "4:14-15 DEQ0314 `and` takes a condition, and `x` is a number (compare it: `... > 0`)" ]
      model
          "state x; dx/dt = 0 < x < 1"
          [ "3:9-18 DEQ0126 comparisons do not chain (join two of them: `a < b and b < c`)" ]
      model
          "state x; x[0] = 3; dx/dt = -x;"
          [ "4:11-12 DEQ0116 `;` does not end a statement (a statement ends with its line: leave `;` out)"
            "3:1-5 DEQ0406 `x[0] = ...` is no equation (a state has one equation, for all its elements: `dx/dt = ...`)" ]
      model
          "dim nn = 3; state x : R[3]; dx/dt = x; output z = x @ x * undefined; output z = 3"
          [ "5:20-29 DEQ0201 `undefined` is not declared (declare it, as in `param undefined = 1` or `let undefined = ...`)"
            "6:8-9 DEQ0203 `z` is declared twice" ]
      file
          "fn f(a) = a + q; const g = 9.81; model A {;   state x;   dx/dt = f(x)*g; }; model B {;   state g;   dg/dt = g; }"
          [ "1:15-16 DEQ0201 `q` is not declared (declare it, as in `param q = 1` or `let q = ...`)"
            "8:9-10 DEQ0203 `g` is declared twice" ] ]
