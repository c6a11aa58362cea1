/// What people write who know other languages, or mathematics on paper, and what they are told: one message a slip, that
/// says what to write.
module DiffEqLang.Tests.Compiler.Slips

/// Each with all that is said about it.
let all: (string * string list) list =
    [ "model A {\n  state x\n  param a = 1, b = 2\n  dx/dt = -a*x + b\n}\n",
      [ "3:14-15 DEQ0131 a value ends its `param` (write `param b ...` on a line of its own)" ]
      "model A {\n  state x\n  const a = 1, b = 2\n  dx/dt = -a*x + b\n}\n",
      [ "3:14-15 DEQ0131 a value ends its `const` (write `const b ...` on a line of its own)" ]
      "model A {\n  state x, y\n  dx/dt = -x\n  dy/dt = -y\n  init x = 1, y = 2\n}\n",
      [ "5:13-14 DEQ0131 a value ends its `init` (write `init y ...` on a line of its own)" ]
      "model A {\n  state x\n  let a = 1, b = 2\n  dx/dt = -a*x + b\n}\n",
      [ "3:12-13 DEQ0131 a value ends its `let` (write `let b ...` on a line of its own)" ]
      "model A {\n  state x = 1\n  dx/dt = -x\n}\n",
      [ "2:11-12 DEQ0132 the declaration of a state holds no value (write `init x = ...` on a line of its own)" ]
      "model A {\n  state x = 1, y = 2\n  dx/dt = -x\n  dy/dt = y\n}\n",
      [ "2:11-12 DEQ0132 the declaration of a state holds no value (write `init x = ...` on a line of its own)" ]
      "model A {\n  state x y\n  dx/dt = -x\n  dy/dt = y\n}\n",
      [ "2:11-12 DEQ0107 a comma is missing before `y`" ]
      "model A {\n  state Prey\n  dprey/dt = -Prey\n  init prey = 1\n}\n",
      [ "3:4-8 DEQ0404 no state `prey` is declared (did you mean `Prey`?)"
        "4:8-12 DEQ0404 no state `prey` is declared (did you mean `Prey`?)" ]
      "model A {\n  dx/dt = -x\n  init x = 1\n}\n",
      [ "2:4-5 DEQ0404 no state `x` is declared (declare it: `state x`)" ]
      "model A {\n  state x\n  dx/dt = -x + y\n  dy/dt = x\n  init y = 1\n init x = 1\n}\n",
      [ "4:4-5 DEQ0404 no state `y` is declared (declare it: `state y`)" ]
      "model A {\n  state x, y\n  dx/dt = k*x + k*y\n  dy/dt = k*y\n}\n",
      [ "3:11-12 DEQ0201 `k` is not declared (declare it, as in `param k = 1` or `let k = ...`)" ]
      "model A {\n  state x : R[n]\n  dx/dt = -x\n}\n",
      [ "2:15-16 DEQ0201 `n` is not declared (a size is declared by `dim n = 10`)" ]
      "model A {\n  state x\n  dx/dt = ln(x)\n  init x = 1\n}\n",
      [ "3:11-13 DEQ0202 there is no function `ln` (did you mean `log`?)" ]
      "model A {\n  state x\n  dx/dt = -x²\n  init x = 1\n}\n",
      [ "3:13-14 DEQ0102 `²` is no exponent (write `^2`)" ]
      "model A {\n  state x₁, x₂\n  dx₁/dt = x₂\n  dx₂/dt = -x₁\n}\n",
      [ "2:10-11 DEQ0102 a name holds no lowered digits (write `x1`)"
        "2:14-15 DEQ0102 a name holds no lowered digits (write `x2`)"
        "3:5-6 DEQ0102 a name holds no lowered digits (write `dx1`)"
        "3:13-14 DEQ0102 a name holds no lowered digits (write `x2`)"
        "4:5-6 DEQ0102 a name holds no lowered digits (write `dx2`)"
        "4:14-15 DEQ0102 a name holds no lowered digits (write `x1`)" ]
      "model A {\n  state x\n  dx/dT = -x\n  init x = 1\n}\n",
      [ "3:3-8 DEQ0406 `dx/dT = ...` is no equation (derivatives are by the time `t`: write `dx/dt = ...`)" ]
      "model A {\n  state x\n  dx/dt = -0,5*x\n  init x = 1,5\n}\n",
      [ "3:12-14 DEQ0122 `0,5` is no number (write `0.5`)"
        "4:12-14 DEQ0122 `1,5` is no number (write `1.5`)" ]
      "model A {\n  state x\n  dx/dt = -x\u200b\n  init x = 1\n}\n",
      [ "3:13-14 DEQ0102 unexpected character `U+200B` (it is invisible: delete it)" ]
      "model A {\n  state x\n  param λ = 1\n  dx/dt = -𝜆*x\n  init x = 1\n}\n",
      [ "4:12-14 DEQ0201 `𝜆` is not declared (`λ` is declared, of U+03BB; this one is U+1D706)" ]
      "model A {\n  state x\n  param µ = 1\n  dx/dt = -μ*x\n  init x = 1\n}\n",
      [ "4:12-13 DEQ0201 `μ` is not declared (`µ` is declared, of U+00B5; this one is U+03BC)" ]
      "model A {\n  state х\n  dx/dt = -x\n}\n",
      [ "3:4-5 DEQ0404 no state `x` is declared (`х` is declared, of U+0445; this one is U+0078)"
        "3:12-13 DEQ0201 `x` is not declared (`х` is declared, of U+0445; this one is U+0078)" ]
      "model A {\n  state x\n  f = lambda x: x^2\n  dx/dt = f(x)\n  init x = 1\n}\n",
      [ "3:7-15 DEQ0101 there is no `lambda` (a function is declared: `fn f(x) = ...`)" ]
      "model A {\n  state x\n  let a = b + 1\n  let b = a + x\n  dx/dt = a\n}\n",
      [ "3:7-8 DEQ0208 `a` is defined by itself: a -> b -> a" ]
      "model A {\n  state x\n  param k = 5 m/s\n  const g = 9.81m\n  dx/dt = -k*x*g\n}\n",
      [ "3:15-16 DEQ0101 expected an operator or the end of the line, found `m` (a product is written `a*b`, a call `f(x)`)"
        "4:13-18 DEQ0123 `9.81m` is no number and no name (write `9.81*m`)" ]
      "model A {\n  state x\n  ẋ = -x\n  init x = 1\n}\n",
      [ "3:3-4 DEQ0406 `ẋ = ...` is no equation (a derivative is written `dx/dt = ...`)" ]
      "model A {\n  state x\n  dx/dt = -x\n  x(0) = 1\n}\n",
      [ "4:3-7 DEQ0406 `x(0) = ...` is no equation (an initial value is `init x = ...`)" ]
      "model A {\n  state x\n  dx/dt = -x\n  init x(0) = 1\n}\n",
      [ "4:9-10 DEQ0101 `init` takes the name of a state alone, found `(` (write `init x = ...`)" ]
      "model A {\n  state x\n  dx/dt = -x\n  x0 = 1\n}\n",
      [ "4:3-5 DEQ0406 `x0 = ...` is no equation (an initial value is `init x = ...`)" ]
      "model A {\n  state x(t)\n  dx(t)/dt = -x(t)\n}\n",
      [ "2:10-11 DEQ0101 a state is declared by its name alone, found `(` (write `state x`, or `state x : R[2]` for a vector)"
        "3:3-11 DEQ0406 `dx(t)/dt = ...` is no equation (the left side is a derivative such as `dx/dt`, or a differential such as `dX`)" ]
      "model A {\n  state x\n  d/dt x = -x\n}\n",
      [ "3:3-9 DEQ0118 a derivative is one quotient (write `dx/dt`)" ]
      "model A {\n  state x\n  d(x)/dt = -x\n}\n",
      [ "3:3-10 DEQ0406 `d(x)/dt = ...` is no equation (derivatives are by the time `t`: write `dx/dt = ...`)" ]
      "model A {\n  state x\n  der(x) = -x\n}\n",
      [ "3:3-9 DEQ0406 `der(x) = ...` is no equation (derivatives are by the time `t`: write `dx/dt = ...`)" ]
      "model A {\n  state x\n  d^2x/dt^2 = -x\n}\n",
      [ "3:3-7 DEQ0118 a differential is written as one word (write `d2x/dt2`)" ]
      "model A {\n  state x\n  d2x/dt = -x\n}\n",
      [ "3:3-9 DEQ0406 `d2x/dt = ...` is no equation (derivatives are by the time `t`: write `d2x/dt2 = ...`)" ]
      "model A {\n  state x\n  dx/dt = -e^x\n}\n",
      [ "3:12-13 DEQ0201 `e` is not declared (the exponential function is `exp(x)`)" ]
      "model A {\n  state x : R[2]\n  dx/dt = (x[1], -x[0])\n}\n",
      [ "3:16-17 DEQ0101 expected an operator or `)`, found `,` (a vector is written `[a, b]`)" ]
      "model A\n{\n  state x : R[2]\n  dx/dt = {x[1], -x[0]}\n}\n",
      [ "4:11-12 DEQ0101 expected an expression, found `{` (a vector is written `[a, b]`)" ]
      "model A {\n  state x : R[2]\n  param A : R[2,2] = [1, 2; 3, 4]\n  dx/dt = A@x\n}\n",
      [ "3:27-28 DEQ0116 `;` does not begin a row (a matrix is a stack of its rows: `[[1, 2], [3, 4]]`)" ]
      "model A {\n  state x : R[2]\n  let A = [0, 1;\n -1, 0]\n  dx/dt = A @ x\n}\n",
      [ "3:16-17 DEQ0116 `;` does not begin a row (a matrix is a stack of its rows: `[[1, 2], [3, 4]]`)" ]
      "model A {\n  state x : R[4]\n  dx/dt = concat(x[0:2], x[2:4])\n}\n",
      [ "3:21-22 DEQ0101 expected `..` or `]`, found `:` (a range of positions is written `x[0..2]`)" ]
      "model A {\n  state x : R[4]\n  for i in 0..3 {\n    dx[i]/dt = -x[i]\n  }\n}\n",
      [ "3:3-6 DEQ0101 there is no loop `for` (an equation holds for all elements of its state: `dx/dt = ...`)" ]
      "model A {\n  state x : R[2]\n  dx[0]/dt = x[1]\n  dx[1]/dt = -x[0]\n}\n",
      [ "3:3-11 DEQ0406 `dx[0]/dt = ...` is no equation (a state has one equation, for all its elements: `dx/dt = ...`)"
        "4:3-11 DEQ0406 `dx[1]/dt = ...` is no equation (a state has one equation, for all its elements: `dx/dt = ...`)" ]
      "model A {\n  state x\n  dx/dt = x > 0 ? -x : x\n}\n",
      [ "3:17-18 DEQ0102 unexpected character `?` (a choice is written `if c then a else b`)" ]
      "model A {\n  state x\n  if x > 0 {\n   dx/dt = -x\n } else {\n dx/dt = x\n }\n}\n",
      [ "3:12-13 DEQ0101 expected an operator or `then`, found `{` (a choice is an expression: `if c then a else b`)" ]
      "model A {\n  state x\n  dx/dt = if x > 0 then -x\n}\n",
      [ "3:27-27 DEQ0101 expected an operator or `else`, found the end of the line (a choice is an expression: `if c then a else b`)" ]
      "model A {\n  state x\n  dx/dt = if x = 0 then 1 else 0\n}\n",
      [ "3:16-17 DEQ0112 `=` defines or equates; it does not compare (write `==`)" ]
      "model A {\n  state x : ℝ[2]\n  state y : R^2\n  dx/dt = -x\n dy/dt=y\n}\n",
      [ "3:14-15 DEQ0101 sizes stand in square brackets, found `^` (write `R[...]`)"
        "2:13-14 DEQ0318 there is no type `ℝ` (types are `R` and `R[n, m]`)" ]
      "model A {\n  state x : R(2)\n  dx/dt = -x\n}\n",
      [ "2:14-15 DEQ0101 sizes stand in square brackets, found `(` (write `R[...]`)" ]
      "model A {\n  state x : R[2]\n  dx/dt = torch.tanh(x).sum()*x\n}\n",
      [ "3:16-22 DEQ0101 there are no methods such as `.tanh(` (a function is called by its name: `tanh(...)`)" ]
      "model A:\n  state x\n  dx/dt = -x\n",
      [ "1:8-9 DEQ0108 expected `{`, found `:` (a model is `model Name { ... }`)" ]
      "state x\nparam k = 1\ndx/dt = -k*x\n",
      [ "1:1-6 DEQ0130 `state` stands outside a model (a model is `model Name { ... }`)" ]
      "model A {\n  state x\n  dx/dt = -x\n  solve { t = [0, 10], method = \"dopri5\", rtol = 1e-6 }\n}\n",
      [ "4:33-41 DEQ0101 expected an expression, found `\"dopri5\"` (only the path of an `import` and the file of `rk` stand in quotation marks)"
        "4:15-22 DEQ0605 `t` takes a span such as `0 .. 25`" ]
      "model A {\n  state x : R[2]\n  net f = dense(10) |> tanh |> dense(2)\n  dx/dt = f(x)\n}\n",
      [ "3:9-10 DEQ0101 a network says what it takes and gives before `=` (write `net f : R[2] -> R[3] = ...`)" ]
      "model A {\n  state x : R[2]\n  net f : R[2] -> R[2] = Dense(10) |> Tanh |> dense(2, 10)\n  dx/dt = f(x)\n}\n",
      [ "3:26-31 DEQ0421 there is no network stage `Dense` (did you mean `dense`?)"
        "3:39-43 DEQ0421 there is no network stage `Tanh` (did you mean `tanh`?)" ]
      "model A {\n  state x : R[2]\n  net f : R[2] -> R[2] = dense(10), tanh, dense(2)\n  dx/dt = f(x)\n}\n",
      [ "3:35-36 DEQ0101 expected `|>` or the end of the line, found `,` (the stages of a network are joined by `|>`)" ]
      "model A {\n  state x : R[2]\n  net f : R[2] → R[2] = dense(10) | tanh | dense(2)\n  dx/dt = f(x)\n}\n",
      [ "3:16-17 DEQ0102 unexpected character `→` (write `->`)"
        "3:35-36 DEQ0102 unexpected character `|` (stages of a network are joined by `|>`, and the absolute value is `abs(x)`)" ]
      "model A {\n  state x : R[2], y\n  net f : R[3] -> R[2] = dense(10) |> tanh |> dense(2)\n  dx/dt = f(x, y)\n dy/dt = 1\n}\n",
      [ "4:11-12 DEQ0210 the network `f` takes one argument (join them: `f(concat(x, y))`)" ]
      "model A {\n  state x\n  wiener dW\n  dx = -x*dt + dW\n}\n",
      [ "4:16-18 DEQ0206 the Wiener process `dW` has no value of its own (declare it as `wiener W`: `dW` is then its increment)" ]
      "model A {\n  state x\n  wiener W\n  dx/dt = -x + 0.1*dW/dt\n}\n",
      [ "4:20-22 DEQ0504 `dW` stands only in an equation such as `dX = mu*dt + sigma*dW` (leave it out, or write the equation in differentials)" ]
      "model A {\n  state x\n  wiener W\n  dx = -x dt + 0.1 dW\n}\n",
      [ "4:11-13 DEQ0101 expected an operator or the end of the line, found `dt` (a product is written `a*b`, a call `f(x)`)" ]
      "model A {\n  state x\n  wiener W\n  let s = 0.1*dW\n  dx = -x*dt + s\n}\n",
      [ "4:15-17 DEQ0504 `dW` stands only in an equation such as `dX = mu*dt + sigma*dW` (leave it out, or write the equation in differentials)" ]
      "model A {\n  state x\n  dx/dt = -x*dt\n}\n",
      [ "3:14-16 DEQ0504 `dt` stands only in an equation such as `dX = mu*dt + sigma*dW` (leave it out, or write the equation in differentials)" ]
      "model A {\n  state x\n  dx/dt = -|x|\n}\n",
      [ "3:12-13 DEQ0102 unexpected character `|` (stages of a network are joined by `|>`, and the absolute value is `abs(x)`)" ]
      "model A {\n  state x\n  dx/dt = sin(2*π*t) + PI + Math.PI\n}\n",
      [ "3:29-36 DEQ0101 nothing has a part `.PI` (the transpose is `.T`)"
        "3:17-18 DEQ0201 `π` is not declared (did you mean `pi`?)"
        "3:24-26 DEQ0201 `PI` is not declared (did you mean `pi`?)" ]
      "model A {\n  state x\n  dx/dt = sin(time)\n}\n",
      [ "3:15-19 DEQ0201 `time` is not declared (did you mean `t`?)" ]
      "model A {\n  state q, p\n  let H = (q^2+p^2)/2\n  dq/dt = dH/dp\n  dp/dt = -dH/dq\n}\n",
      [ "4:11-16 DEQ0201 `dH/dp` is no quotient of declared names (the derivative of `H` is `grad(H, p)`)"
        "5:12-17 DEQ0201 `dH/dq` is no quotient of declared names (the derivative of `H` is `grad(H, q)`)" ]
      "model A {\n  state x\n  dx/dt += x\n}\n",
      [ "3:9-11 DEQ0101 `+=` updates a variable, and the language has none (an equation gives the whole right side: `dx/dt = ...`)" ]
      "model A {\n  state x\n  param k = 1 in (0, infinity)\n  param j = 1 in 0..1\n  param l = 1 > 0\n  dx/dt = -k*j*l*x\n}\n",
      [ "4:18-19 DEQ0101 expected `(` or `[`, found `0` (an interval is written `in (0, 1)`)"
        "3:22-30 DEQ0201 `infinity` is not declared (did you mean `inf`?)"
        "5:13-18 DEQ0315 `l : R` takes numbers, and `1 > 0` is a condition (`if ... then 1 else 0` makes it a number)" ]
      "model A {\n  state x\n  param k ~ Normal(0, 1)\n  param j = normal(0, 1)\n  param l ~ N(0, 1)\n  dx/dt = -k*j*l*x\n}\n",
      [ "3:13-19 DEQ0414 there is no distribution `Normal` (did you mean `normal`?)"
        "4:13-19 DEQ0202 there is no function `normal` (a distribution stands behind `~`: `param w ~ normal(...)`)"
        "5:13-14 DEQ0414 there is no distribution `N` (there are `normal`, `uniform`, `xavier_uniform`, `xavier_normal`, `kaiming_uniform`, `kaiming_normal`, `orthogonal`)" ]
      "model A {\n  state x\n  let f(x) = x^2\n  dx/dt = f(x)\n}\n",
      [ "3:8-9 DEQ0101 `let` names a value, found `(` (a function is declared by `fn f(x) = ...`)" ]
      "model A {\n  state x\n  fn f = x^2\n  dx/dt = f\n}\n",
      [ "3:8-9 DEQ0101 expected `(`, found `=` (a function is declared by `fn f(x) = ...`)" ]
      "model A {\n  state x\n  fn f(x : R[2]) = x^2\n  dx/dt = f(x)\n}\n",
      [ "3:10-11 DEQ0101 the arguments of a function have no types, found `:` (it is inlined for any shape: `fn f(x) = ...`)" ]
      "model A {\n  state x\n  fn f(x) { x^2 }\n  dx/dt = f(x)\n}\n",
      [ "3:11-12 DEQ0106 `=` is missing before `{` (a function is declared by `fn f(x) = ...`)" ]
      "model A {\n  state x : R[2]\n  dx/dt = x^T\n}\n",
      [ "3:13-14 DEQ0201 `T` is not declared (time is `t`, the transpose of a matrix `A.T`)" ]
      "model A {\n  state x\n  dx/dt = [x\n  init x = 1\n}\n",
      [ "3:11-12 DEQ0104 `[` is never closed: `]` is missing" ]
      "model 2D {\n  state x\n  dx/dt = -x\n}\n",
      [ "1:7-9 DEQ0127 the name `2D` begins with a digit (a name begins with a letter)" ]
      "model A {\n  state 1x\n  dx/dt = -x\n}\n",
      [ "2:9-11 DEQ0127 the name `1x` begins with a digit (a name begins with a letter)"
        "3:4-5 DEQ0404 no state `x` is declared (declare it: `state x`)" ]
      "import \"other.deq\"\nmodel A {\n  state x\n  dx/dt = -f(x)\n}\n",
      [ "1:1-19 DEQ0904 `import` is not supported yet" ]
      "model A {\n  state x\n  when x > 1 { x = 0 }\n  dx/dt = -x\n}\n",
      [ "3:10-11 DEQ0101 expected `(`, found `>` (an event is `when rising(x - 1) { ... }`)"
        "3:18-19 DEQ0115 `=` holds always; an event changes a state at one time (write `:=`)" ]
      "model A {\n  state x, y\n  dx/dt = -x\n  0 = x^2 + y^2 - 1\n}\n",
      [ "4:3-20 DEQ0801 constraints and algebraic unknowns differ in number: 1 and 0 (what a constraint determines is declared as `algebraic y`)" ]
      "model A {\n  state x : R[2]\n  net f : R[2] -> R[2] = dense(10, tanh) |> dense(2)\n  dx/dt = f(x)\n}\n",
      [ "3:26-41 DEQ0422 the stage `dense` is written dense(size, bias = true)" ]
      "model A {\n  state x : R[2]\n  net f : R[2] -> R[2] = linear(10) |> tanh() |> dense(2)\n  dx/dt = f(x)\n}\n",
      [ "3:26-32 DEQ0421 there is no network stage `linear` (did you mean `dense`?)" ]
      "{\"model\": 1}\n", [ "1:1-2 DEQ0101 expected a declaration or an equation, found `{`" ]
      "model A {\n  state x\n  dx/dt = sin x\n}\n",
      [ "3:15-16 DEQ0101 expected an operator or the end of the line, found `x` (a product is written `a*b`, a call `f(x)`)" ] ]
