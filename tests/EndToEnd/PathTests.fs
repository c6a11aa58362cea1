/// The whole path: text of a .deq file, generated code, compiled assembly, solution and gradients, against closed forms.
module DiffEqLang.Tests.EndToEnd.PathTests

open System
open System.Collections.Generic
open System.IO
open Expecto
open TorchSharp
open DiffEqLang.Contracts
open DiffEqLang.Compiler
open DiffEqLang.Compiler.Builtins
open DiffEqLang.Compiler.Checking
open DiffEqLang.Compiler.Ir
open DiffEqLang.Runtime
open DiffEqLang.Tests.Support
open DiffEqLang.Tests.Support.Prelude

/// A model with a solution known in closed form.
type private Problem =
    {
        Source: string
        /// From time to the values of the states, one after another.
        Exact: float -> float list
        /// Of the first state's first component at the end: by each scalar parameter, with the value.
        Gradients: (string * float) list
    }

let private finish = 1.5

let private solveBlock =
    sprintf "solve { t = 0 .. %g, method = dopri8(rtol = 1e-11, atol = 1e-12) }" finish

let private decay =
    let k, x0 = 0.7, 1.3

    { Source = "state x\n param k in (0, inf) = 0.7\n param x0 = 1.3\n x' = -k*x\n init x = x0"
      Exact = fun t -> [ x0 * exp (-k * t) ]
      Gradients = [ "k", -finish * x0 * exp (-k * finish); "x0", exp (-k * finish) ] }

let private logistic =
    let r = 1.2
    let grown t = exp (r * t) / (9.0 + exp (r * t))

    { Source = "state x\n param r = 1.2\n dx/dt = r*x*(1 - x)\n init x = 0.1"
      Exact = fun t -> [ grown t ]
      Gradients = [ "r", finish * grown finish * (1.0 - grown finish) ] }

/// Second order: q'' = -w^2 q.
let private oscillator =
    let w = 2.0

    { Source = "state q\n param w = 2\n q'' = -w^2*q\n init q = 1\n init q' = 0"
      Exact = fun t -> [ cos (w * t); -w * sin (w * t) ]
      Gradients = [ "w", -finish * sin (w * finish) ] }

/// A matrix on the left, one on the right: X' = a J X rotates its columns.
let private rotation =
    let a = 0.8

    { Source =
        "state X : R[2, 2]\n param a = 0.8\n const J : R[2, 2] = [[0, -1], [1, 0]]\n X' = a*(J @ X)\n init X = [[1, 0], [0, 1]]"
      Exact = fun t -> [ cos (a * t); -sin(a * t); sin (a * t); cos (a * t) ]
      Gradients = [ "a", -finish * sin (a * finish) ] }

/// Hamilton's equations by symbolic gradients, with time in the Hamiltonian: p' = -s t, q' = p.
let private hamiltonian =
    let s = 0.5

    { Source =
        "state q, p\n param s = 0.5\n let H = p^2/2 + s*t*q\n dq/dt = grad(H, p)\n dp/dt = -grad(H, q)\n init q = 0\n init p = 1"
      Exact = fun t -> [ t - s * t ** 3.0 / 6.0; 1.0 - s * t ** 2.0 / 2.0 ]
      Gradients = [ "s", -(finish ** 3.0) / 6.0 ] }

/// A flow z' = b z in the plane with the logarithm of its density, logp' = -div.
let private flow =
    let b = -0.4

    { Source =
        "state z : R[2], logp\n param b = -0.4\n let v = b*z\n dz/dt = v\n dlogp/dt = -div(v, z)\n init z = [1, 2]\n init logp = 0"
      Exact = fun t -> [ exp (b * t); 2.0 * exp (b * t); -2.0 * b * t ]
      Gradients = [ "b", finish * exp (b * finish) ] }

/// A Riccati equation, x' = 1 - c x^2.
let private riccati =
    let c = 0.5
    let root = sqrt c

    { Source = "state x\n param c in (0, 4) = 0.5\n fn square(u) = u*u\n x' = 1 - c*square(x)\n init x = 0"
      Exact = fun t -> [ tanh (root * t) / root ]
      Gradients =
        [ "c", let u = root * finish in (finish / cosh u ** 2.0 / root - tanh u / c) / (2.0 * root) ] }

let private problems =
    [ "Decay", decay
      "Logistic", logistic
      "Oscillator", oscillator
      "Rotation", rotation
      "Hamiltonian", hamiltonian
      "Flow", flow
      "Riccati", riccati ]

/// All of them from one file, in one assembly.
let private assembly =
    lazy
        (let model (name, p) = sprintf "model %s {\n %s\n %s\n}\n" name p.Source solveBlock
         let source = SourceFile("problems.deq", problems |> List.map model |> String.concat "\n")
         let result = Compilation.Compile(source, CompileOptions())
         Expect.isEmpty result.Diagnostics "no diagnostics"

         let compilation, warnings =
             GeneratedCode.compile [ for f in result.Files -> f.FileName, f.Text ]

         Expect.equal warnings [] "no warnings"
         GeneratedCode.load compilation)

let private numbers (t: torch.Tensor) = t.detach().reshape(-1L).data<float>().ToArray()

let private close accuracy (expected: float) actual what =
    Expect.floatClose { absolute = accuracy; relative = accuracy } actual expected what

let private solve (model: DifferentialModel) gradient =
    let times = [| 0.0; 0.4; finish |]

    let solution =
        model.Solve(
            options = SolveOptions(Save = SaveAt.Times(ReadOnlySpan times), Gradient = Nullable gradient)
        )

    solution.EnsureSuccess()
    times, solution

let private solves (name, problem) =
    test (name + " has its exact solution") {
        use _ = torch.NewDisposeScope()
        let times, solution = solve (GeneratedCode.create assembly.Value name) GradientMode.Discrete
        let width = int solution.Packed.shape[1]

        for row, t in Array.zip (Array.chunkBySize width (numbers solution.Packed)) times do
            for expected, actual in List.zip (problem.Exact t) (Array.toList row) do
                close 1e-9 expected actual (sprintf "at t = %g" t)
    }

let private differentiates (mode: GradientMode) (name, problem) =
    test (sprintf "%s has its exact gradient (%O)" name mode) {
        use _ = torch.NewDisposeScope()
        let model = GeneratedCode.create assembly.Value name
        let _, solution = solve model mode
        let parameters = problem.Gradients |> List.map (fst >> model.Value)

        // The constrained value of a bounded parameter is made anew: its gradient is that of what is registered,
        // times the slope of the reparameterisation.
        solution.Packed.select(0L, -1L).reshape(-1L).select(0L, 0L).backward()
        let registered = dict [ for struct (n, p) in model.named_parameters () -> n, p ]

        for (parameter, expected), value in List.zip problem.Gradients parameters do
            let leaf, slope =
                match registered.TryGetValue parameter with
                | true, leaf -> leaf, 1.0
                | _ ->
                    let leaf = registered[parameter + "_unconstrained"]

                    let slope =
                        torch.autograd.grad (ResizeArray [ value ], ResizeArray [ leaf :> torch.Tensor ])

                    leaf, slope[0].item<float>()

            close 1e-7 (expected * slope) (leaf.grad.item<float>()) parameter

            if mode = GradientMode.Forward then
                let ofLast = solution.Sensitivity(parameter).select(0L, -1L)
                close 1e-7 expected (numbers ofLast).[0] $"sensitivity to {parameter}"
    }

/// A solve of a batch is its samples' solves.
let private batched =
    test "a batch of initial values" {
        use _ = torch.NewDisposeScope()
        let model = GeneratedCode.create assembly.Value "Flow"
        let z = torch.randn ([| 3L; 2L; 2L |], dtype = torch.ScalarType.Float64)
        let solution = model.Solve(Dictionary(dict [ "z", z ]))
        solution.EnsureSuccess()
        let last = solution.State("z").select(0L, -1L)
        let expected = z * (exp (-0.4 * finish)).ToScalar()
        Expect.equal last.shape z.shape "the batch's axes"

        for e, a in Array.zip (numbers expected) (numbers last) do
            close 1e-9 e a "each sample"
    }

// What the compiler says of the runtime

let private methods =
    [ test "the checker's methods are the runtime's" {
          let names deterministic =
              Methods.all
              |> List.filter (fun m -> (m.Noise = Methods.Deterministic) = deterministic)
              |> List.map _.Name

          let ordinary =
              [ yield! DiffEqLang.Runtime.Methods.OdeNames
                yield! DiffEqLang.Runtime.Methods.SymplecticNames
                yield! DiffEqLang.Runtime.Methods.SplitNames
                yield! DiffEqLang.Runtime.Methods.ExponentialNames
                yield! DiffEqLang.Runtime.Methods.ReversibleNames
                DiffEqLang.Runtime.Methods.AutoName ]

          Expect.containsAll (names true) ordinary "for ordinary equations"
          Expect.containsAll ordinary (names true) "for ordinary equations"
          Expect.containsAll (names false) DiffEqLang.Runtime.Methods.SdeNames "for stochastic equations"
          Expect.containsAll DiffEqLang.Runtime.Methods.SdeNames (names false) "for stochastic equations"
      }
      test "a method is adaptive where its tableau estimates its error" {
          for tableau in Seq.append DiffEqLang.Tableaux.Catalogue.All DiffEqLang.Tableaux.Catalogue.Split do
              let m = (Methods.tryFind tableau.Name).Value
              Expect.equal m.IsAdaptive (not (isNull tableau.Error)) tableau.Name
      }
      test "a method's order is variable, up to the runtime's, where it takes several steps" {
          for method in DiffEqLang.Tableaux.Catalogue.Multistep do
              let m = (Methods.tryFind method.Name).Value
              Expect.equal (m.IsAdaptive, m.MostOrder) (true, Some method.MostOrder) method.Name

          let orders = Methods.all |> List.filter _.MostOrder.IsSome |> List.map _.Name
          Expect.equal (Set.ofList orders) (Set.ofSeq DiffEqLang.Runtime.Methods.MultistepNames) "names"
      }
      test "an order in the solve block is the method's highest" {
          let text =
              "model M {\nstate x\nx' = -x\ninit x = 1\nsolve { t = 0 .. 1, method = bdf(rtol = 1e-4, order = 2) }\n}"

          let result = Compilation.Compile(SourceFile("m.deq", text), CompileOptions())

          let compilation, problems =
              GeneratedCode.compile [ for f in result.Files -> f.FileName, f.Text ]

          Expect.equal problems [] "no warnings"
          let model = GeneratedCode.create (GeneratedCode.load compilation) "M"
          Expect.equal model.Defaults.Method (Methods.Bdf(rtol = Nullable 1e-4, order = Nullable 2)) "method"
          use _ = torch.no_grad ()
          let solution = model.Solve()
          solution.EnsureSuccess()
          Expect.isLessThan (abs (solution.LastState.item<float>() - exp -1.0)) 1e-3 "solved"
      }
      test "a method's family is what the runtime makes of its name" {
          let isOf family name =
              let choice: Typed.MethodChoice =
                  { Name = name; Options = []; Tableau = None; Span = Unchecked.defaultof<_> }

              family (Methods.familyOf choice)

          let partitioned family =
              match family with
              | Methods.Family.Tableau tableau -> tableau.IsPartitioned
              | _ -> false

          Expect.all DiffEqLang.Runtime.Methods.SymplecticNames (isOf partitioned) "symplectic"

          let split family =
              match family with
              | Methods.Family.Tableau tableau -> tableau.IsSplit
              | _ -> false

          Expect.all DiffEqLang.Runtime.Methods.SplitNames (isOf split) "split"
          Expect.all DiffEqLang.Runtime.Methods.ExponentialNames (isOf _.IsExponential) "exponential"
          Expect.all DiffEqLang.Runtime.Methods.MultistepNames (isOf _.IsMultistep) "multistep"
          Expect.all DiffEqLang.Runtime.Methods.ReversibleNames (isOf _.IsReversible) "reversible"
          Expect.all DiffEqLang.Runtime.Methods.SdeNames (isOf _.IsStochastic) "of stochastic equations"
          Expect.isTrue (isOf _.IsSwitching DiffEqLang.Runtime.Methods.AutoName) "auto"
      }
      test "a method is reversible where the runtime can undo its steps" {
          Expect.equal Methods.reversibleNames (List.ofSeq DiffEqLang.Runtime.Methods.ReversibleNames) "names"
      }
      test "every option of a method is a property of the runtime's" {
          for option in Methods.all |> List.collect Methods.options |> List.distinct do
              let property =
                  typeof<Method>
                      .GetProperty(
                          Char.ToUpperInvariant option[0] |> string |> fun first -> first + option.Substring 1
                      )

              Expect.isNotNull property option

              Expect.equal
                  property.PropertyType
                  (if option = "order" then typeof<Nullable<int>> else typeof<Nullable<float>>)
                  option
      }
      test "the modes of a gradient are the runtime's" {
          let modes = Enum.GetNames typeof<GradientMode> |> Array.map _.ToLowerInvariant() |> Array.sort
          Expect.equal (Array.sort (List.toArray Methods.gradient.Now)) modes "gradient"
      } ]

let tests =
    testList
        "Path"
        [ testSequenced
          <| testList
              "models"
              [ yield! List.map solves problems
                for mode in Gradients.modes do
                    yield! List.map (differentiates mode) problems
                batched ]
          testList "methods" methods ]
