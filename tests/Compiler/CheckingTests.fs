/// What models mean: shapes, values and parts, after Checking.
module DiffEqLang.Tests.Compiler.CheckingTests

open Expecto
open DiffEqLang.Contracts
open DiffEqLang.Compiler
open DiffEqLang.Compiler.Syntax
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Typed
open DiffEqLang.Compiler.Ir.Tensor
open DiffEqLang.Compiler.Checking

let private checkedWith options text (body: Check.CheckedModel -> unit) =
    Expr.Arena.Run(fun () ->
        let tree, syntax = Reader.read (SourceFile("m.deq", text))
        let models, found = Check.models options tree
        Expect.isEmpty [ for d in syntax @ found -> d.ToString() ] text
        body (List.last models))

let private check' text (body: Typed.Model -> unit) =
    checkedWith (CompileOptions()) (sprintf "model M {\n%s\n}" text) (fun m -> body m.Model)

/// Element k of an input's value is 0.1*(k+1), unless given.
let private evaluate (given: (string * Tensor) list) (e: Expr) =
    let input (s: Symbol) =
        match List.tryFind (fun (name, _) -> name = s.Name) given with
        | Some(_, value) -> value
        | None ->
            let shape = s.Shape |> List.map (Dim.evaluate Map.empty >> int) |> List.toArray
            Tensor.ofArray shape (Array.init (Tensor.sizeOf shape) (fun k -> 0.1 * float (k + 1)))

    Evaluate.run input Map.empty [ e ] |> List.head

let private rightOf name (model: Typed.Model) =
    model.Equations
    |> List.pick (fun equation ->
        match equation with
        | Ordinary(state, _, right, _, _) when state.Name = name -> Some right
        | Stochastic(state, drift, _, _) when state.Name = name -> Some drift
        | Ordinary _
        | Stochastic _
        | Constraint _ -> None)

let private diffusionOf name (model: Typed.Model) =
    model.Equations
    |> List.pick (fun equation ->
        match equation with
        | Stochastic(state, _, diffusion, _) when state.Name = name -> Some diffusion
        | Stochastic _
        | Ordinary _
        | Constraint _ -> None)

let private shapes (model: Typed.Model) =
    model.Parameters
    |> List.map (fun p -> sprintf "%s : %s" p.Symbol.Name (Shape.print p.Symbol.Shape))

let private close (actual: Tensor) (shape: int list) (expected: float list) =
    Expect.equal (List.ofArray actual.Shape) shape "shape"

    for a, e in Seq.zip actual.Data expected do
        Expect.floatClose Accuracy.high a e (sprintf "%A" actual.Data)

/// Checks an expression of x : R[2], A : R[2, 3], s and t, and gives its value for x = [1, 2],
/// A = [[1, 2, 3], [4, 5, 6]], s = 0.5, t = 2.
let private valueOf text =
    let model = "model M {\nstate x : R[2], A : R[2, 3], s\nx' = 0\nA' = 0\ns' = 0\n}"
    let mutable result = Tensor.scalar nan

    checkedWith (CompileOptions()) model (fun m ->
        let source = SourceFile("expression", text)
        let tree, syntax = Reader.readExpression source
        Expect.isEmpty syntax text

        match Check.expression m source tree with
        | Ok e ->
            result <-
                e
                |> evaluate
                    [ "x", Tensor.vector [ 1.0; 2.0 ]
                      "A", Tensor.ofArray [| 2; 3 |] [| 1.0; 2.0; 3.0; 4.0; 5.0; 6.0 |]
                      "s", Tensor.scalar 0.5
                      "t", Tensor.scalar 2.0 ]
        | Error errors -> failtestf "%A" [ for d in errors -> d.ToString() ])

    result

/// Expression, shape, values.
let private expressions: (string * int list * float list) list =
    [ "x + 1", [ 2 ], [ 2.0; 3.0 ]
      "-x^2", [ 2 ], [ -1.0; -4.0 ]
      "2^3^2", [], [ 512.0 ]
      "x @ x", [], [ 5.0 ]
      "x @ A", [ 3 ], [ 9.0; 12.0; 15.0 ]
      "A.T @ x", [ 3 ], [ 9.0; 12.0; 15.0 ]
      "A @ A.T", [ 2; 2 ], [ 14.0; 32.0; 32.0; 77.0 ]
      "x[1]", [], [ 2.0 ]
      "A[1]", [ 3 ], [ 4.0; 5.0; 6.0 ]
      "A[0, 1..]", [ 2 ], [ 2.0; 3.0 ]
      "A[.., 2]", [ 2 ], [ 3.0; 6.0 ]
      "[s, t]", [ 2 ], [ 0.5; 2.0 ]
      "[x, -x]", [ 2; 2 ], [ 1.0; 2.0; -1.0; -2.0 ]
      "concat(x, t)", [ 3 ], [ 1.0; 2.0; 2.0 ]
      "sum(A)", [], [ 21.0 ]
      "sum(A, axis = 0)", [ 3 ], [ 5.0; 7.0; 9.0 ]
      "mean(A, axis = -1)", [ 2 ], [ 2.0; 5.0 ]
      "max(x, 1.5)", [ 2 ], [ 1.5; 2.0 ]
      "if x > 1.5 then x else 0", [ 2 ], [ 0.0; 2.0 ]
      "if s < 1 and not (t < 1) then 1 else 2", [], [ 1.0 ]
      "outer(x, x)", [ 2; 2 ], [ 1.0; 2.0; 2.0; 4.0 ]
      "cos(pi)*t", [], [ -2.0 ] ]

let private values =
    expressions
    |> List.map (fun (text, shape, expected) -> test text { close (valueOf text) shape expected })

let private declarations =
    testList
        "declarations"
        [ test "a type covers the names since the one before it" {
              check' "state x, y : R[2], z\nx' = 0\ny' = 0\nz' = 0" (fun m ->
                  Expect.equal
                      (m.States |> List.map (fun s -> Shape.print s.Symbol.Shape))
                      [ "R[2]"; "R[2]"; "R" ]
                      "")
          }
          test "dims are integer polynomials, and the caller's win" {
              let text =
                  "model M {\ndim n\ndim h = 3\ndim m = 2*n + h\nstate x : R[m, (h + 1)^2]\nx' = 0\n}"

              let shapeWith options expected =
                  checkedWith options text (fun m ->
                      Expect.equal (Shape.print m.Model.States.Head.Symbol.Shape) expected "")

              shapeWith (CompileOptions()) "R[2*n + 3, 16]"
              shapeWith (CompileOptions(Dims = CompileOptions().Dims.Add("n", 5L).Add("h", 1L))) "R[11, 4]"
          }
          test "an open dim stays the caller's" {
              check' "dim n\ndim m = n + 1\nstate x : R[m]\nx' = x/n" (fun m ->
                  Expect.equal (m.Dims |> List.map (fun d -> d.Name, d.Value)) [ "n", None ] "")
          }
          test "parameters keep their distribution and interval" {
              check'
                  "state x\nparam a ~ normal(1, 2)\nparam b = 0.5 in (0, inf)\nparam c : R[2] = 3\nx' = a*b*c[0]"
                  (fun m ->
                      match m.Parameters with
                      | [ a; b; c ] ->
                          Expect.equal a.Initializer (Normal(1.0, 2.0)) "a"
                          Expect.equal b.Bounds (Some { Low = 0.0; High = infinity }) "b"

                          Expect.equal
                              c.Initializer
                              (Value(Build.filled [ Dim.constant 2L ] 3.0))
                              "a scalar fills the shape"
                      | other -> failtestf "%A" other)
          }
          test "declarations may stand in any order" {
              check' "x' = b\nlet b = a*g\nlet a = f(x)\nfn f(y) = y + g\nconst g = 2\nstate x" (fun m ->
                  close
                      (rightOf "x" m |> evaluate [ "x", Tensor.scalar 1.0; "g", Tensor.scalar 2.0 ])
                      []
                      [ 6.0 ])
          }
          test "names of functions and of other languages are ordinary names" {
              check'
                  "state e, N, class, norm : R[3]\ne' = norm(norm)*e\nN' = -N\nclass' = N\nnorm' = e"
                  (fun m ->
                      Expect.equal (m.States |> List.map _.Symbol.Name) [ "e"; "N"; "class"; "norm" ] "")
          }
          test "shared declarations go to the models that use them" {
              let text =
                  "const g = 9.81\nconst c = 1\nnet f : R -> R = dense(1)\nmodel A {\nstate x\nx' = f(x)\n}\nmodel B {\nstate y\ny' = g\n}"

              Expr.Arena.Run(fun () ->
                  let models, _ =
                      Check.check (CompileOptions()) (fst (Reader.read (SourceFile("m.deq", text))))

                  let names (m: Typed.Model) = [ for c in m.Constants -> c.Symbol.Name ], shapes m

                  Expect.equal
                      (models |> List.map names)
                      [ [], [ "f_W1 : R[1, 1]"; "f_b1 : R[1]" ]; [ "g" ], [] ]
                      "")
          }
          test "a let carries its name, its text and its place" {
              check' "state x\nlet energy = 0.5 *\n  x^2\nx' = -energy" (fun m ->
                  let origin = (rightOf "x" m).Args |> List.head |> Expr.tryOrigin |> Option.get

                  Expect.equal
                      (origin.Name, origin.Text, origin.Span.Line)
                      (Some "energy", "0.5 * x^2", 3)
                      "")
          } ]

let private networks =
    testList
        "networks"
        [ test "a net expands into named parameters that start as torch's do" {
              check'
                  "state y : R[2]\nnet f : R[2] -> R[2] = dense(50) |> tanh |> dense(2, bias = false)\ny' = f(y^3)"
                  (fun m ->
                      Expect.equal (shapes m) [ "f_W1 : R[50, 2]"; "f_b1 : R[50]"; "f_W2 : R[2, 50]" ] ""

                      Expect.equal
                          (m.Parameters |> List.map _.Initializer)
                          (List.map (int64 >> Dim.constant >> LinearDefault) [ 2; 2; 50 ])
                          "")
          }
          test "a net is its formula, wherever it is called" {
              check'
                  "state y : R[2]\nnet f : R[2] -> R[2] = dense(3) |> tanh |> dense(2)\ny' = f(y) - (f_W2 @ tanh(f_W1 @ y + f_b1) + f_b2)"
                  (fun m -> Expect.isTrue (Build.isZero (rightOf "y" m)) "the two are one node")
          }
          test "scalars go in and out of nets" {
              check'
                  "state y\nnet g : R -> R = dense(3) |> dense(1)\nnet f : R -> R = g |> tanh |> g\ny' = f(y)"
                  (fun m ->
                      Expect.equal
                          (shapes m)
                          [ "g_W1 : R[3, 1]"; "g_b1 : R[3]"; "g_W2 : R[1, 3]"; "g_b2 : R[1]" ]
                          ""

                      Expect.equal (rightOf "y" m).Shape Shape.scalar "")
          }
          test "stages may be functions of the file and of the language" {
              check'
                  "state y : R[2]\nfn swish(x) = x*sigmoid(x)\nnet f : R[2] -> R = dense(4) |> swish |> softmax(axis = 0) |> dense(1)\ny' = f(y)*y"
                  (fun m -> Expect.equal m.Parameters.Length 4 "")
          } ]

let private equations =
    testList
        "equations"
        [ test "a second-order state brings its derivative" {
              check' "state q\nq'' = -q - 0.5*q'\ninit q' = 3" (fun m ->
                  close
                      (rightOf "q" m |> evaluate [ "q", Tensor.scalar 2.0; "q'", Tensor.scalar 4.0 ])
                      []
                      [ -4.0 ]

                  Expect.equal (m.Initials |> List.map (fun (s, _) -> s.Name)) [ "q'" ] "")
          }
          test "drift and diffusion are split exactly" {
              let text =
                  "state X : R[2]\nwiener W : R[3], B\nparam G : R[2, 3] = 1\n"
                  + "dX = (1 + 2*X)*dt + G @ dW + dt*X - X*dB/2 + [sum(dW), 0*dt] - (dB*X + dt*X)"

              check' text (fun m ->
                  let x, dW, dB = [ 1.0; 2.0 ], [ 0.1; 0.2; 0.3 ], 0.5

                  let given =
                      [ "X", Tensor.vector x
                        "dW", Tensor.vector dW
                        "dB", Tensor.scalar dB
                        "G", Tensor.filled [| 2; 3 |] 1.0 ]

                  close (rightOf "X" m |> evaluate given) [ 2 ] [ 3.0; 5.0 ]
                  let noise x = List.sum dW - 1.5 * x * dB
                  close (diffusionOf "X" m |> evaluate given) [ 2 ] [ noise 1.0 + List.sum dW; noise 2.0 ])
          }
          test "a branch chooses among drift and diffusion" {
              check' "state x\nwiener W\ndx = if x > 0 then -x*dt else 2*dW" (fun m ->
                  let at x = [ "x", Tensor.scalar x; "dW", Tensor.scalar 0.25 ]
                  close (rightOf "x" m |> evaluate (at 3.0)) [] [ -3.0 ]
                  close (rightOf "x" m |> evaluate (at -3.0)) [] [ 0.0 ]
                  close (diffusionOf "x" m |> evaluate (at -3.0)) [] [ 0.5 ])
          }
          test "dx/dt and dX mix in one model" {
              check' "state x, y\nwiener W\nx' = y\ndy = -x*dt + dW\ncalculus stratonovich" (fun m ->
                  Expect.equal m.Calculus Stratonovich ""
                  Expect.equal m.Equations.Length 2 "")
          }
          test "derivatives stay operators, by a name" {
              check'
                  "state q, p\nnet H : R[2] -> R = dense(4) |> tanh |> dense(1)\nq' = grad(H([q, p]), p)\np' = -grad(H([q, p]), q)"
                  (fun m ->
                      match (rightOf "q" m).Op with
                      | Derivative Gradient -> ()
                      | other -> failtestf "%A" other)
          }
          test "the solve block" {
              check'
                  "state x\nconst T = 2\nx' = -x\nsolve { t = 0 .. T*pi, method = dopri5(rtol = 1e-7, atol = 1e-9), device = cuda:1, gradient = discrete(checkpoints = T*10), dtype = float64 }"
                  (fun m ->
                      let s = m.Solve
                      Expect.equal (s.Start, s.End) (Some 0.0, Some(2.0 * System.Math.PI)) ""

                      Expect.equal
                          (s.Method |> Option.map (fun c -> c.Name, c.Options))
                          (Some("dopri5", [ "rtol", Real 1e-7; "atol", Real 1e-9 ]))
                          ""

                      Expect.equal
                          (s.Device,
                           s.Gradient |> Option.map (fun g -> g.Mode, g.Checkpoints),
                           s.Dtype,
                           s.Target)
                          (Some "cuda:1", Some("discrete", Some 20), Some "float64", None)
                          "")
          }
          test "extra outputs are checked in the model's scope" {
              let extra =
                  CompileOptions(
                      ExtraOutputs =
                          System.Collections.Immutable.ImmutableArray.Create(struct ("twice", "2*h"))
                  )

              checkedWith extra "model M {\nstate x\nlet h = x + t\nx' = h\n}" (fun m ->
                  close
                      (m.Model.Outputs.Head.Value
                       |> evaluate [ "x", Tensor.scalar 1.0; "t", Tensor.scalar 2.0 ])
                      []
                      [ 6.0 ])
          }
          test "a sum of 5,000 terms and a chain of 2,000 states" {
              let sum = String.concat " + " (List.replicate 5_000 "x0*dt")
              let states = [ for k in 0..1_999 -> sprintf "x%d" k ] |> String.concat ", "

              let chain =
                  [ for k in 1..1_999 -> sprintf "x%d' = x%d - x%d" k (k - 1) k ] |> String.concat "\n"

              check' (sprintf "state %s\ndx0 = %s\n%s" states sum chain) (fun m ->
                  Expect.equal m.Equations.Length 2_000 "")
          } ]

let private spelling =
    testList
        "spelling"
        [ for written, known, expected in
              [ "velocty", [ "velocity"; "v" ], Some "velocity"
                "theta", [ "θ"; "thetb" ], Some "θ"
                "Θ", [ "theta" ], Some "theta"
                "tnah", [ "tanh"; "tan" ], Some "tanh"
                "x", [ "y"; "z" ], None
                "X", [ "x" ], Some "x"
                "completely", [ "different" ], None ] ->
              test written { Expect.equal (Spelling.suggest written known) expected "" } ]

let tests =
    testList "Checking" [ testList "expressions" values; declarations; networks; equations; spelling ]
