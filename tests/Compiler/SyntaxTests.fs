/// From text to tree, form by form.
module DiffEqLang.Tests.Compiler.SyntaxTests

open Expecto
open DiffEqLang.Contracts
open DiffEqLang.Compiler.Syntax
open DiffEqLang.Compiler.Syntax.Tree
open DiffEqLang.Tests.Support.SyntaxText

/// The one declaration of a model.
let private declarationOf statement =
    match readText (inModel statement) with
    | { Items = [ Model { Declarations = [ single ] } ] }, [] -> single
    | file, diagnostics -> failtest $"{fileText file}\n{List.map diagnosticText diagnostics}"

let private parses statement expected =
    test statement { Expect.equal (treeText (declarationOf statement).Kind) expected "the tree" }

let private expressionOf text =
    match Reader.readExpression (SourceFile("e", text)) with
    | expr, [] -> expr
    | _, diagnostics -> failtest $"{text}: {List.map diagnosticText diagnostics}"

let private means text expected =
    test text { Expect.equal (exprText (expressionOf text)) expected "the tree" }

let private declarations =
    testList
        "declarations"
        [ parses "dim h = 50" "Dim h, 50"
          parses "dim n" "Dim n, -"
          parses "state x, y : R[n], z" "State [(x, (R, [n])); (y, (R, [n])); (z, -)]"
          parses "state A : R[n, 2*m]" "State [(A, (R, [n; (2 * m)]))]"
          parses "algebraic y : R" "Algebraic [(y, (R, []))]"
          parses "param k : R = 0.04 in (0, inf)" "Param ([(k, (R, []))], -, -, 0.04, (0, inf, False, False))"
          parses "param a, b = 1 in [0, 1)" "Param ([(a, -); (b, -)], -, -, 1, (0, 1, True, False))"
          parses
              "param W : R[h, n] ~ xavier_uniform"
              "Param ([(W, (R, [h; n]))], -, (xavier_uniform, []), -, -)"
          parses "param s in (0, 1] = 0.5" "Param ([(s, -)], -, -, 0.5, (0, 1, False, True))"
          parses
              "param W(t) : R[h, h] ~ normal(0, 0.1) = steps(10)"
              "Param ([(W, (R, [h; h]))], t, (normal, [(-, 0); (-, 0.1)]), steps(10), -)"
          parses "const g = 9.81" "Const (g, -), 9.81"
          parses
              "const A : R[2, 2] = [[-0.1, 2], [-2, -0.1]]"
              "Const (A, (R, [2; 2])), [[(-0.1), 2], [(-2), (-0.1)]]"
          parses "control u : R[m]" "Control [(u, (R, [m]))]"
          parses "wiener W : R[m]" "Wiener [(W, (R, [m]))], -"
          parses "wiener W : R[m], correlation = C" "Wiener [(W, (R, [m]))], C"
          parses "wiener V, W : R[m] correlation = C" "Wiener [(V, (R, [m])); (W, (R, [m]))], C"
          parses "jumps N : rate(k*x)" "Jumps N, (k * x)"
          parses "sample eps : R[n] ~ rademacher" "Sample [(eps, (R, [n]))], (rademacher, [])"
          parses "let h = x + 1" "Let h, (x + 1)"
          parses "fn swish(x) = x*sigmoid(x)" "Fn (swish, [x], (x * sigmoid(x)))"
          parses "fn zero() = 0" "Fn (zero, [], 0)"
          parses
              "net f : R[2] -> R[2] = dense(50, bias = true) |> tanh |> dense(2)"
              "Net (f, (R, [2]), (R, [2]), [(dense, [(-, 50); (bias, true)], True); (tanh, [], False); (dense, [(-, 2)], True)])"
          parses "output E = 0.5*p^2" "Output E, (0.5 * (p ^ 2))"
          parses "init x = [2, 0]" "Init x, [2, 0]"
          parses "init q' = 0" "Init q', 0"
          parses "history x = cos(t)" "History x, cos(t)"
          parses "calculus stratonovich" "Calculus stratonovich" ]

let private equations =
    testList
        "equations"
        [ parses "dx/dt = -x" "Equation Derivative x, 1, (-x)"
          parses "x' = -x" "Equation Derivative x, 1, (-x)"
          parses "d2q/dt2 = -q" "Equation Derivative q, 2, (-q)"
          parses "q'' = -q'" "Equation Derivative q, 2, (-q')"
          parses "dX = mu*dt + sigma*dW" "Equation Differential X, ((mu * dt) + (sigma * dW))"
          parses "dz = F(z) @ du" "Equation Differential z, (F(z) @ du)"
          parses "dX = a*dt + b*dN" "Equation Differential X, ((a * dt) + (b * dN))"
          parses "0 = x^2 + y^2 - L^2" "Equation Zero , (((x ^ 2) + (y ^ 2)) - (L ^ 2))"
          parses "x' = -x(t - tau)" "Equation Derivative x, 1, (-x((t - tau)))"
          parses "x + y = 1" "Equation Other (x + y), 1"
          parses
              "implicit {\n dx/dt = -x\n y' = x\n}"
              "Implicit [('', Equation Derivative x, 1, (-x)); ('', Equation Derivative y, 1, x)]"
          parses "x' = implicit { -k*x } + y" "Equation Derivative x, 1, (implicit<((-k) * x)> + y)"
          parses
              "x' = y +\n  implicit {\n    -k*x\n    + z\n  } - (implicit { x })[0]"
              "Equation Derivative x, 1, ((y + implicit<(((-k) * x) + z)>) - <implicit<x>>[0])"
          parses "let implicit = 2*implicit" "Let implicit, (2 * implicit)"
          parses "when falling(height) { v := -0.8*v }" "Event Falling, height, [Assign v, ((-0.8) * v)]"
          parses "when rising(x - 1) { stop }" "Event Rising, (x - 1), [Stop ]"
          parses
              "when every(0.5) { dose := dose + 1, n := n + 1 }"
              "Event Every, 0.5, [Assign dose, (dose + 1); Assign n, (n + 1)]"
          parses "when at(2) { stop }" "Event Once, 2, [Stop ]"
          parses "when crossing(x) {\n v := 0\n stop\n}" "Event Crossing, x, [Assign v, 0; Stop ]"
          parses
              "solve { t = 0 .. 25, method = dopri5(rtol = 1e-7), device = cuda:1 }"
              "Solve [(t, TimeSpan 0, 25); (method, Single dopri5(rtol=1e-7)); (device, Single cuda:1)]"
          parses
              "solve {\n t = 0 .. 25,\n method = rk4\n dtype = float32\n}"
              "Solve [(t, TimeSpan 0, 25); (method, Single rk4); (dtype, Single float32)]"
          test "the state of d2q/dt2 stands where its letter does" {
              match (declarationOf "d2q/dt2 = 1").Kind with
              | Equation(Derivative(state, 2), _) ->
                  Expect.equal (state.Span.Column, state.Span.EndColumn) (3, 4) "columns"
              | other -> failtest (treeText other)
          } ]

let private expressions =
    testList
        "expressions"
        [ means "-x^2" "(-(x ^ 2))"
          means "x^-1" "(x ^ (-1))"
          means "2^-x^2" "(2 ^ (-(x ^ 2)))"
          means "a^b^c" "(a ^ (b ^ c))"
          means "a - b - c" "((a - b) - c)"
          means "a / b * c" "((a / b) * c)"
          means "W @ x * 2" "((W @ x) * 2)"
          means "W @ tanh(x) + b" "((W @ tanh(x)) + b)"
          means "- + -x" "(-(+(-x)))"
          means "-x*y" "((-x) * y)"
          means "a + b < c * d" "((a + b) < (c * d))"
          means "not a < b and c or d" "(((not (a < b)) and c) or d)"
          means "a or b and c" "(a or (b and c))"
          means "not not a" "(not (not a))"
          means "A.T @ x" "(A.T @ x)"
          means "A.T[0]" "A.T[0]"
          means "x[1..3]" "x[1..3]"
          means "A[0, 1..]" "A[0, 1..]"
          means "A[.., ..2]" "A[.., ..2]"
          means "q''^2" "(q'' ^ 2)"
          means "sum(A, axis = 0)" "sum(A, axis=0)"
          means "f()" "f()"
          means "[a, [b]]" "[a, [b]]"
          means "(a + b) * c" "(<(a + b)> * c)"
          means "if a > 0 then b else c + 1" "(if (a > 0) then b else (c + 1))"
          means "if a then 1 else if b then 2 else 3" "(if a then 1 else (if b then 2 else 3))"
          means "if a then if b then 1 else 2 else 3" "(if a then (if b then 1 else 2) else 3)"
          means "2_000 + 1e-3 - 0.5E+2" "((2_000 + 1e-3) - 0.5E+2)"
          means "a != b" "(a != b)"
          test "numbers have their values" {
              match (expressionOf "1_000.25e-1").Kind with
              | Number(value, text) -> Expect.equal (value, text) (100.025, "1_000.25e-1") "number"
              | _ -> failtest "a number"
          } ]

let private files =
    testList
        "files"
        [ test "every top-level form" {
              let text =
                  "import \"layers.deq\"\n\n## Two.\n## Lines.\nfn sq(x) = x*x\nconst g = 9.81\n"
                  + "model A { state x }\nmodel B = time_reversal(A, score = s)\n"

              let file, diagnostics = readText text
              Expect.isEmpty diagnostics "no errors"

              Expect.equal
                  (fileText file)
                  ("[Import layers.deq; Shared (Two.\nLines., Fn (sq, [x], (x * x))); Shared ('', Const (g, -), 9.81); "
                   + "Model ('', A, [('', State [(x, -)])]); Derived '', B, time_reversal, [(-, A); (score, s)]]")
                  "tree"
          }
          test "documentation belongs to the declaration below, other comments are kept" {
              let file, _ =
                  readText
                      "## Doc.\nmodel M {   # one\n  # two\n  ## Of x.\n  state x # three\n  ## rest\n}\n"

              match file.Items with
              | [ Model { Doc = "Doc."; Declarations = [ { Doc = "Of x." } ] } ] -> ()
              | items -> failtest (treeText items)

              Expect.equal
                  [ for c in file.Comments -> c.Text, c.OwnLine ]
                  [ "# one", false; "# two", true; "# three", false; "## rest", true ]
                  "comments"
          }
          test "keywords are names where they begin no declaration" {
              let text =
                  inModel
                      "state N, data, class, model, t0, state, method, steps, in, param, yield, match\nstate' = -state\ndparam/dt = in*model\nlet init = let0(class)"

              let file, diagnostics = readText text
              Expect.equal (List.map diagnosticText diagnostics) [] "no errors"

              Expect.stringContains
                  (fileText file)
                  "Equation Derivative state, 1, (-state)"
                  "an equation of `state`"
          }
          test "names are composed" {
              let file, _ = readText (inModel "state x\u0307, \u2126")
              Expect.stringContains (fileText file) "State [(\u1E8B, -); (\u03A9, -)]" "one letter each"
          }
          test "columns count UTF-16 units" {
              let _, diagnostics = readText "model M { # 𝛼𝛽\n let y = /* 𝛼 */ a $\n}"
              Expect.equal [ for d in diagnostics -> d.Span.Line, d.Span.Column ] [ 2, 10; 2, 21 ] "columns"
          }
          test "Greek names need no warning, look-alikes get one" {
              let warnings text = [ for d in snd (readText (inModel text)) -> d.Code, d.Severity ]
              Expect.equal (warnings "state α, θ_1, Δ\ndα/dt = θ_1\ndγ/dt = Δ") [] "Greek"
              Expect.equal (warnings "state sp\u0435ed") [ "DEQ0141", Severity.Warning ] "a Cyrillic e"
          } ]

let private newlines =
    let same name one other =
        test name {
            let read text =
                let file, diagnostics = readText (inModel text)
                Expect.equal (List.map diagnosticText diagnostics) [] "no errors"
                fileText file

            Expect.equal (read one) (read other) "the same tree"
        }

    testList
        "newlines"
        [ same "inside brackets" "let y = f(\n a,\n b\n + c)[\n 0\n ]" "let y = f(a, b + c)[0]"
          same "behind an operator" "let y = a +\n b @\n\n # comment\n c" "let y = a + b @ c"
          same
              "behind a word operator"
              "let y = if a and\n not\n b then\n c else\n d"
              "let y = if a and not b then c else d"
          same "behind =" "let y =\n a" "let y = a"
          same "behind a comma" "state x,\n y" "state x, y"
          same
              "before and behind |>"
              "net f : R -> R = tanh\n |> tanh |>\n tanh"
              "net f : R -> R = tanh |> tanh |> tanh"
          same "before then and else" "let y = if a\n then b\n else c" "let y = if a then b else c"
          same "CRLF" "state x\r\nstate y\r" "state x\nstate y"
          test "braces do not suppress them" {
              match readText "model M {\n state x\n\n\n state y }" with
              | { Items = [ Model { Declarations = [ _; _ ] } ] }, [] -> ()
              | file, diagnostics -> failtest $"{fileText file} {diagnostics}"
          }
          test "the brace may stand on the next line" {
              Expect.isEmpty (snd (readText "model M\n{\n state x\n}")) "no errors"
          } ]

let tests = testList "Syntax" [ declarations; equations; expressions; files; newlines ]
