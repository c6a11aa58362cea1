module DiffEqLang.Tests.Compiler.SyntaxTests

open System
open System.Text
open Expecto
open FsCheck
open FsCheck.FSharp
open DiffEqLang.Contracts
open DiffEqLang.Compiler.Syntax
open DiffEqLang.Compiler.Syntax.Tree
open DiffEqLang.Tests.Support.SyntaxText

let private inModel (statement: string) = $"model M {{\n{statement}\n}}\n"

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
          parses "when falling(height) { v := -0.8*v }" "Event Falling, height, [Assign v, ((-0.8) * v)]"
          parses "when rising(x - 1) { stop }" "Event Rising, (x - 1), [Stop ]"
          parses
              "when every(0.5) { dose := dose + 1, n := n + 1 }"
              "Event Every, 0.5, [Assign dose, (dose + 1); Assign n, (n + 1)]"
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

/// A model's line, and its diagnostics with places counted in that line's file.
let private reports statement expected =
    test statement {
        Expect.equal (List.map diagnosticText (snd (readText (inModel statement)))) expected "the diagnostics"
    }

let private reportsInFile (text: string) expected =
    test (text.ReplaceLineEndings "↵") {
        Expect.equal (List.map diagnosticText (snd (readText text))) expected "the diagnostics"
    }

let private codes text = [ for d in snd (readText text) -> d.Code ]

let private robustness =
    let tokens =
        [ "x"
          "dx/dt"
          "="
          "=="
          ":="
          "~"
          "("
          ")"
          "["
          "]"
          "{"
          "}"
          "+"
          "-"
          "*"
          "/"
          "^"
          "**"
          "@"
          "'"
          "."
          ".."
          ","
          ":"
          ";"
          "|>"
          "->"
          "if"
          "then"
          "else"
          "and"
          "not"
          "in"
          "model"
          "state"
          "param"
          "net"
          "fn"
          "when"
          "solve"
          "implicit"
          "init"
          "import"
          "wiener"
          "jumps"
          "sample"
          "control"
          "let"
          "0"
          "1e5"
          "\"s\""
          "\""
          "#c\n"
          "##d\n"
          "\n"
          "\n"
          "\n"
          "//"
          "/*"
          "€"
          "𝛼"
          "_"
          "modle"
          "d"
          "\t" ]

    let soup = Gen.elements tokens |> Gen.listOf |> Gen.map (String.concat " ") |> Arb.fromGen

    testList
        "robustness"
        [ testCase "token soup never throws"
          <| fun () ->
              Check.One(
                  Config.QuickThrowOnFailure.WithMaxTest(1500).WithEndSize(120),
                  Prop.forAll soup (fun text -> readText (text + "\nmodel M {\n" + text + "\n}") |> ignore)
              )
          testCase "random characters never throw"
          <| fun () ->
              Check.One(
                  Config.QuickThrowOnFailure.WithMaxTest 500,
                  fun (NonNull(text: string)) -> readText text |> ignore
              )
          for opening, closing in
              [ "(", ")"; "[", "]"; "f(", ")"; "-", ""; "not ", ""; "if a then ", ""; "x[", "]" ] do
              test $"100,000 nested `{opening}`" {
                  let times = 100_000

                  let text =
                      inModel (
                          "let y = " + String.replicate times opening + "x" + String.replicate times closing
                      )

                  Expect.equal (codes text) [ "DEQ0110" ] "one diagnostic"

                  Expect.equal
                      (codes (inModel ("let y = " + String.replicate times opening)))
                      [ "DEQ0110" ]
                      "unclosed too"
              }
          test "100,000 exponents or subscripts in a row" {
              Expect.equal
                  (codes (inModel ("let y = x" + String.replicate 100_000 "^x")))
                  [ "DEQ0110" ]
                  "exponents"

              Expect.equal
                  (codes (inModel ("let y = x" + String.replicate 100_000 "[0]")))
                  [ "DEQ0110" ]
                  "subscripts"
          }
          test "a sum of 20,000 terms" {
              let text = inModel ("let y = x" + String.replicate 20_000 " + x")

              match readText text with
              | { Items = [ Model { Declarations = [ { Kind = Let(_, { Kind = Binary _ }) } ] } ] } as file,
                [] -> Expect.stringContains (Printer.print file) "x + x" "it prints too"
              | _, diagnostics -> failtest $"{List.map diagnosticText diagnostics}"
          }
          test "a chain without end is refused" {
              Expect.equal
                  (codes (inModel ("let y = x" + String.replicate 100_000 " + x")))
                  [ "DEQ0110" ]
                  "refused"
          }
          test "10 MB of text that is no model" {
              let random = Random 1
              let text = StringBuilder()

              while text.Length < 10_000_000 do
                  text.Append(tokens[random.Next tokens.Length]).Append(' ') |> ignore

              let diagnostics = snd (readText (text.ToString()))
              Expect.isLessThanOrEqual diagnostics.Length 201 "cut short"
              Expect.exists diagnostics (fun d -> d.Code = "DEQ0140") "says so"
          }
          test "4 MB of words" {
              let diagnostics = snd (readText (String.replicate 160_000 "the quick brown fox jumps\n"))
              Expect.exists diagnostics (fun d -> d.Code = "DEQ0140") "cut short"
          }
          test "10 MB of one character" {
              for c in [ "("; "{"; "]"; "a"; "-"; "$"; "\""; "#"; "'" ] do
                  readText (String.replicate 2_000_000 c) |> ignore
          }
          test "2,000 equations" {
              let text =
                  String.concat
                      "\n"
                      [ for i in 1..2000 ->
                            $"dx{i}/dt = -k*x{i} + sin(x{i} - x{i + 1})*0.5^2 + w[{i}]/(1 + x{i}^2)" ]
                  |> inModel

              let file, diagnostics = readText text
              Expect.isEmpty diagnostics "no errors"
              Expect.isNonEmpty file.Items "read"
          } ]

let private text (result: Result<SourceFile, Diagnostic>) =
    match result with
    | Ok file -> file.Text
    | Error d -> diagnosticText d

let private bytes =
    let decode (bytes: byte array) = text (SourceText.decode "m.deq" bytes)

    testList
        "bytes"
        [ test "a mark and CRLF are accepted" {
              Expect.equal (decode [| 0xEFuy; 0xBBuy; 0xBFuy; 97uy; 13uy; 10uy; 98uy |]) "a\nb" "text"
          }
          test "the first byte that is not UTF-8 is named" {
              Expect.equal
                  (decode [| 97uy; 10uy; 0xC3uy; 0xA9uy; 98uy; 0xFFuy; 97uy |])
                  "2:3-2:4 DEQ0002 the byte 0xFF is not UTF-8 (save the file as UTF-8)"
                  "diagnostic"
          }
          test "a sequence cut off by the end of the file" {
              Expect.stringContains (decode [| 97uy; 0xC3uy |]) "1:2-1:3 DEQ0002 the byte 0xC3" "diagnostic"
          }
          test "UTF-16 is named" {
              Expect.stringContains
                  (decode [| 0xFFuy; 0xFEuy; 97uy; 0uy |])
                  "DEQ0002 the file is UTF-16"
                  "diagnostic"
          }
          test "NUL" {
              Expect.equal
                  (decode [| 97uy; 10uy; 98uy; 0uy |])
                  "2:2-2:3 DEQ0003 the file holds a NUL character: it is no text"
                  "diagnostic"
          }
          test "10 MB" {
              Expect.stringContains
                  (decode (Array.create 10_000_000 97uy))
                  "DEQ0004 the file has 9.5 MiB; a model may have 4 MiB"
                  "diagnostic"
          } ]

let private slips =
    testList
        "errors"
        [ reports "let y = x**2" [ "2:10-2:12 DEQ0111 `**` is not an operator of the language (write `^`)" ]
          reports "let y == 3" [ "2:7-2:9 DEQ0112 `==` compares; it neither defines nor equates (write `=`)" ]
          reports
              "dx/dt == -x"
              [ "2:7-2:9 DEQ0112 `==` compares; it neither defines nor equates (write `=`)" ]
          reports
              "dx/dt ~ -x"
              [ "2:7-2:8 DEQ0113 `~` gives a parameter or a sample its distribution; it neither defines nor equates (write `=`)" ]
          reports
              "let y ~ 3"
              [ "2:7-2:8 DEQ0113 `~` gives a parameter or a sample its distribution; it neither defines nor equates (write `=`)" ]
          reports
              "let y := 3"
              [ "2:7-2:9 DEQ0114 `:=` changes a state in an event; elsewhere nothing is assigned (write `=`)" ]
          reports
              "dx/dt := 3"
              [ "2:7-2:9 DEQ0114 `:=` changes a state in an event; elsewhere nothing is assigned (write `=`)" ]
          reports
              "when rising(x) { v = 3 }"
              [ "2:20-2:21 DEQ0115 `=` holds always; an event changes a state at one time (write `:=`)" ]
          reports
              "when rising(x) { v == 3 }"
              [ "2:20-2:22 DEQ0112 `==` compares; it neither defines nor equates (write `:=`)" ]
          reports
              "when rise(x) { v := 3 }"
              [ "2:6-2:10 DEQ0103 `rise` is no kind of event; there are `rising`, `falling`, `crossing` and `every`" ]
          reports "when rising(x) { v }" [ "2:18-2:19 DEQ0101 an event does `x := ...` or `stop`" ]
          reports
              "state x;"
              [ "2:8-2:9 DEQ0116 `;` does not end a statement (a statement ends with its line: leave `;` out)" ]
          reports
              "state x; state y"
              [ "2:8-2:9 DEQ0116 `;` does not end a statement (a statement ends with its line: leave `;` out)" ]
          reports
              "let y = (a + b)'"
              [ "2:9-2:17 DEQ0117 a prime stands behind the name of a state only: `x'` is its derivative (the transpose of a matrix is `A.T`)" ]
          reports "let y = 'a'" [ "2:9-2:10 DEQ0101 expected an expression, found `'`" ]
          reports "let y = (a + b" [ "2:9-2:10 DEQ0104 `(` is never closed: `)` is missing" ]
          reports "let y = f(a, [b, c)" [ "2:14-2:15 DEQ0104 `[` is never closed: `]` is missing" ]
          reports "let y = a + b)" [ "2:14-2:15 DEQ0105 `)` closes nothing (leave it out, or open it above)" ]
          reports
              "modle Foo { state x }"
              [ "2:1-2:6 DEQ0103 `modle` begins no declaration (did you mean `model`?)"
                "2:1-2:6 DEQ0130 `modle` cannot stand inside a model" ]
          reports "parm k = 3" [ "2:1-2:5 DEQ0103 `parm` begins no declaration (did you mean `param`?)" ]
          reports
              "parameter k = 3"
              [ "2:1-2:10 DEQ0103 `parameter` begins no declaration (did you mean `param`?)" ]
          reports "d x/dt = -x" [ "2:1-2:4 DEQ0118 a differential is written as one word (write `dx`)" ]
          reports "dx dt = -x" [ "2:4-2:6 DEQ0101 expected an operator or the end of the line, found `dt`" ]
          reports "dx/dt -x" [ "2:1-2:9 DEQ0106 this is no declaration, and no equation without `=`" ]
          reports "x" [ "2:1-2:2 DEQ0106 this is no declaration, and no equation without `=`" ]
          reports "let y 3" [ "2:7-2:8 DEQ0106 `=` is missing before `3`" ]
          reports "let y = f(a b)" [ "2:13-2:14 DEQ0107 a comma is missing before `b`" ]
          reports "let y = [1 2]" [ "2:12-2:13 DEQ0107 a comma is missing before `2`" ]
          reports "state x y" [ "2:9-2:10 DEQ0107 a comma is missing before `y`" ]
          reports "state x : R[2 3]" [ "2:15-2:16 DEQ0107 a comma is missing before `3`" ]
          reports "fn f(a b) = a" [ "2:8-2:9 DEQ0107 a comma is missing before `b`" ]
          reports
              "solve { t = 0 .. 1 method = rk4 }"
              [ "2:20-2:26 DEQ0107 a comma is missing before `method`" ]
          reports "let y = a b" [ "2:11-2:12 DEQ0101 expected an operator or the end of the line, found `b`" ]
          reports "let y = 2x" [ "2:9-2:11 DEQ0123 `2x` is no number and no name (write `2*x`)" ]
          reports "let y = 1." [ "2:9-2:11 DEQ0122 a number ends with a digit (write `1.0`)" ]
          reports "let y = .5" [ "2:9-2:11 DEQ0122 a number begins with a digit (write `0.5`)" ]
          reports
              "let y = a // comment"
              [ "2:11-2:21 DEQ0119 `//` does not begin a comment (a comment begins with `#`)" ]
          reports
              "let y = a /* comment */"
              [ "2:11-2:24 DEQ0119 `/*` does not begin a comment (a comment begins with `#`)" ]
          reports "import foo.deq" [ "2:1-2:7 DEQ0130 `import` cannot stand inside a model" ]
          reports
              "let y = a && b || !c"
              [ "2:11-2:13 DEQ0125 `&&` is not an operator of the language (write `and`)"
                "2:16-2:18 DEQ0125 `||` is not an operator of the language (write `or`)"
                "2:19-2:20 DEQ0125 `!` is not an operator of the language (write `not`)" ]
          reports
              "let y = a < b < c"
              [ "2:9-2:18 DEQ0126 comparisons do not chain (join two of them: `a < b and b < c`)" ]
          reports
              "let _y = 3"
              [ "2:5-2:7 DEQ0127 the name `_y` begins with `_` (a name begins with a letter)" ]
          reports "param k = 1 = 2" [ "2:13-2:16 DEQ0128 the parameter has a value already" ]
          reports
              "let y = 1e999"
              [ "2:9-2:14 DEQ0129 `1e999` is beyond the range of float64 (about 1.8e308) (infinity is written `inf`)" ]
          reports "let y = a +" [ "2:12-2:12 DEQ0101 expected an expression, found the end of the line" ]
          reports "let y =" [ "2:8-2:8 DEQ0101 expected an expression, found the end of the line" ]
          reports "state" [ "2:6-2:6 DEQ0101 expected a name, found the end of the line" ]
          reports "state x : R[" [ "2:12-2:13 DEQ0104 `[` is never closed: `]` is missing" ]
          reports "param k : R = 0.04 in 0, 1" [ "2:23-2:24 DEQ0101 expected `(` or `[`, found `0`" ]
          reports "let y = a $ b" [ "2:11-2:12 DEQ0102 unexpected character `$`" ]
          reports "let y = a − b" [ "2:11-2:12 DEQ0102 unexpected character `−` (write `-`)" ]
          reports "let if = 3" [ "2:5-2:7 DEQ0101 expected a name, found `if`" ]
          reports
              "let y = if a then b"
              [ "2:20-2:20 DEQ0101 expected an operator or `else`, found the end of the line" ]
          reports "net f : R[2] = tanh" [ "2:14-2:15 DEQ0101 expected `->`, found `=`" ]
          reports
              "jumps N : rat(3)"
              [ "2:11-2:14 DEQ0103 a Poisson process is declared by its intensity, `rate(...)` (did you mean `rate`?)" ]
          reports
              "wiener W : R[2], corelation = C"
              [ "2:18-2:28 DEQ0103 a Brownian motion has no `corelation`, only a `correlation` (did you mean `correlation`?)" ]
          reports "let y = A.U" [ "2:11-2:12 DEQ0101 nothing has a part `.U` (the transpose is `.T`)" ]
          reports
              "let y = f(a + 1 = 3)"
              [ "2:11-2:16 DEQ0101 the name of an argument is one word, as in `axis = 0`" ]
          reports ") state x" [ "2:1-2:2 DEQ0105 `)` closes nothing (leave it out, or open it above)" ]
          reports "= 3" [ "2:1-2:2 DEQ0101 expected a declaration or an equation, found `=`" ]
          reports "let y = \"abc" [ "2:9-2:13 DEQ0121 this text is never closed (add `\"` at its end)" ]
          reports "calculus" [ "2:9-2:9 DEQ0101 expected a name, found the end of the line" ]
          reports "let y = [ ]" [ "2:11-2:12 DEQ0101 expected an expression, found `]`" ]
          reports "model B { state x }" [ "2:1-2:6 DEQ0130 `model` cannot stand inside a model" ]
          reports "implicit { state x }" [ "2:12-2:17 DEQ0101 expected `}`, found `state`" ]
          reports "solve" [ "2:6-2:6 DEQ0108 expected `{`, found the end of the line" ]
          reports "when rising(x" [ "2:12-2:13 DEQ0104 `(` is never closed: `)` is missing" ]
          reports
              "model B(3)"
              [ "2:1-2:6 DEQ0130 `model` cannot stand inside a model"
                "2:8-2:9 DEQ0108 expected `{`, found `(`" ]
          reports
              "let y = a\n  + b"
              [ "3:3-3:4 DEQ0124 a line does not begin with `+` (end the line above with `+`)" ]
          reportsInFile "" [ "1:1-1:1 DEQ0109 the file declares nothing (a model is `model Name { ... }`)" ]
          reportsInFile
              "# only\n"
              [ "1:1-1:1 DEQ0109 the file declares nothing (a model is `model Name { ... }`)" ]
          reportsInFile
              "import layers.deq"
              [ "1:1-1:18 DEQ0120 a path stands in quotation marks (write `import \"layers.deq\"`)" ]
          reportsInFile "model M {\n state x\n" [ "1:9-1:10 DEQ0104 `{` is never closed: `}` is missing" ]
          reportsInFile
              "model M {\n state x\nmodel B {\n state y\n}"
              [ "1:9-1:10 DEQ0104 `{` is never closed: `}` is missing" ]
          reportsInFile "model M\n state x\n}" [ "1:8-1:8 DEQ0108 `{` is missing behind `model M`" ]
          reportsInFile "state x" [ "1:1-1:6 DEQ0130 `state` stands outside a model" ]
          reportsInFile
              "model M {\n let y = (a +\n dx/dt = 2x\n let z = 3 3\n state q r\n}"
              [ "2:10-2:11 DEQ0104 `(` is never closed: `)` is missing"
                "3:10-3:12 DEQ0123 `2x` is no number and no name (write `2*x`)"
                "4:12-4:13 DEQ0101 expected an operator or the end of the line, found `3`"
                "5:10-5:11 DEQ0107 a comma is missing before `r`" ] ]

/// The fenced snippets of a page, by the word behind the fence.
let private snippets word (page: string) =
    page.Split "```"
    |> Array.filter (fun part -> part.StartsWith(word + "\n"))
    |> Array.map (fun part -> part.Substring(word.Length + 1))

let private reference =
    let page =
        IO.File.ReadAllText(
            IO.Path.Combine(DiffEqLang.Tests.Support.Prelude.repositoryRoot, "grammar", "REFERENCE.md")
        )

    testList
        "reference"
        [ for i, text in Array.indexed (snippets "deq" page) do
              test $"file {i}" { Expect.equal (List.map diagnosticText (snd (readText text))) [] text }
          for i, text in Array.indexed (snippets "deq-fragment" page) do
              test $"fragment {i}" {
                  let isFile = text.StartsWith "model"

                  Expect.equal
                      (List.map diagnosticText (snd (readText (if isFile then text else inModel text))))
                      []
                      text
              } ]

let tests =
    testList
        "Syntax"
        [ declarations
          equations
          expressions
          files
          newlines
          slips
          robustness
          bytes
          reference ]
