/// Models with a mistake in names, shapes, structure or noise: a case or more for each kind of error.
module DiffEqLang.Tests.Compiler.WrongModels

/// Statements are written with `; ` between them, to keep a case on one line.
let private lines (text: string) = text.Replace("; ", "\n")

let file source expected = lines source, expected

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
          "state X; wiener W; dX = X*dt + dW; solve { method = dopri5 }"
          [ "5:18-24 DEQ0507 `dopri5` solves ordinary equations, and the model has the noise `W` (methods for noise: `euler_maruyama`, `euler_heun`, `milstein`)" ]
      model
          "state x, z; control u : R[2]; jumps N : rate(x); sample eps ~ rademacher; dx/dt = x + eps + u[0]; dz = x*dt + x*dN"
          [ "3:1-17 DEQ0901 `control` is not supported yet"
            "4:1-18 DEQ0901 `jumps` is not supported yet"
            "5:1-24 DEQ0901 `sample` is not supported yet" ]
      model
          "state x, y; implicit { dx/dt = -x }; d3y/dt3 = y; param W(t) : R[2] = steps(10)"
          [ "4:1-12 DEQ0902 an equation of order 3 for `y` is not supported yet"
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
