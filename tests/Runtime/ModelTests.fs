module DiffEqLang.Tests.Runtime.ModelTests

open System
open System.Collections.Generic
open System.IO
open Expecto
open FsCheck
open DiffEqLang.Runtime
open DiffEqLang.Tests.Support.Refusals
open DiffEqLang.Tests.Support.StochasticModels
open TorchSharp

let private float32' = torch.ScalarType.Float32
let private number (x: float) = torch.tensor (x, Nullable float64)

/// Parameters of every kind of bound, a constant, and a state that starts from a parameter.
type private Kinds(?dtype: torch.ScalarType, ?device: torch.Device) as this =
    inherit
        SdeModel(
            "Kinds",
            states [ "x", [| 2L |]; "y", [||] ],
            SolveDefaults(Start = Nullable 0.0, End = Nullable 1.0),
            Option.toObj device,
            Option.toNullable dtype
        )

    do
        this.AddConstant("g", number 9.81)
        this.AddParameter("W", Initial.Normal(0.0, 1.0, [| 2L; 3L |], ParameterRandom 4UL))
        this.AddParameter("k", Initial.Constant(0.04, [| 3L |]), Interval(0.0, infinity))
        this.AddParameter("low", Initial.Constant(-2.0, [||]), Interval(-infinity, 1.0))
        this.AddParameter("mid", Initial.Constant(0.7, [||]), Interval(-1.0, 1.0))

    override _.Noise = NoiseStructure.Additive
    override _.Calculus = Calculus.Ito
    override _.NoiseSize = 3L
    override this.InitialState() = [| this.Value("k").narrow(0, 0L, 2L); null |] :> IReadOnlyList<_>
    override _.OutputNames = [| "energy" |] :> IReadOnlyList<_>

    override this.Output(name, t, state) =
        if name = "energy" then state.square().sum -1L else base.Output(name, t, state)

    override this.Bind() : OdeEquations =
        let W, g = this.Value "W", this.Value "g"

        { new SdeEquations() with
            member _.Parameters = [| W |] :> IReadOnlyList<_>
            member _.Drift(_, x) = -x * g
            member _.DriftVjp(_, _, w, _) = -w * g
            member _.Diffusion(_, _, dW) = dW * W.select (0, 0L)

            member _.DiffusionVjp(_, x, dW, w, into) =
                into.Add(0, torch.stack ([| w * dW; torch.zeros_like w |], -2L))
                torch.zeros_like x }

/// dx/dt = -k x with k above 0.
type private Decay() as this =
    inherit
        OdeModel(
            "Decay",
            states [ "x", [||] ],
            SolveDefaults(Start = Nullable 0.0, End = Nullable 2.0),
            null,
            Nullable float64
        )

    do this.AddParameter("k", Initial.Constant(0.5, [||]), Interval(0.0, infinity))
    override _.InitialState() = [| torch.ones ([||], float64) |] :> IReadOnlyList<_>
    override _.OutputNames = [| "half" |] :> IReadOnlyList<_>
    override _.Output(_, _, state) = state.select (-1, 0L) * number 0.5

    override this.Bind() : OdeEquations =
        let k = this.Value "k"

        { new OdeEquations() with
            member _.Parameters = [| k |] :> IReadOnlyList<_>
            member _.Drift(_, x) = -k * x

            member _.DriftVjp(_, x, w, into) =
                into.Add(0, -(w * x).sum -1L)
                -k * w }

let private inFolder (action: string -> unit) =
    let folder = Directory.CreateTempSubdirectory("deq-model-").FullName

    try
        action (Path.Combine(folder, "weights.safetensors"))
    finally
        Directory.Delete(folder, true)

let private registration =
    [ test "parameters are registered, bounded ones by their unconstrained value" {
          let model = new Kinds()
          let names = [ for struct (name, _) in model.named_parameters () -> name ]

          Expect.equal
              names
              [ "W"; "k_unconstrained"; "low_unconstrained"; "mid_unconstrained" ]
              "names in order"

          Expect.equal (List.ofSeq model.ParameterNames) [ "W"; "k"; "low"; "mid" ] "the model's own"
          Expect.equal (List.ofSeq (model.state_dict().Keys)) names "constants are not stored"
          Expect.equal model.Dtype float32' "single precision where nothing is said"
      }

      test "values are inside their bounds and what was asked" {
          let model = new Kinds(float64)

          for name, wanted in [ "k", 0.04; "low", -2.0; "mid", 0.7 ] do
              for value in values ((model.Value name).reshape -1L) do
                  Expect.floatClose Accuracy.veryHigh value wanted name

          Expect.equal (values (model.Value "g")) [| 9.81 |] "constant"
      }

      test "to(dtype) and to(device) keep values, and later solves compute there" {
          let model = new Kinds()
          let before = values (model.Value "W")
          model.``to`` float64 |> ignore
          Expect.equal model.Dtype float64 "dtype"
          Expect.equal (model.Value "g").dtype float64 "the constant's"
          Expect.equal (values (model.Value "W")) before "values"
          model.``to`` torch.CPU |> ignore
          let solution = model.Solve(Dictionary(dict [ "y", number 1.0 ]))
          Expect.equal solution.Packed.dtype float64 "of the solution"
      }

      test "a model without parameters follows to(dtype)" {
          let model = new LinearModel(torch.eye (2L, dtype = float64), 0.1)
          model.``to`` float32' |> ignore
          Expect.equal model.Dtype float32' "dtype"
      }

      test "state_dict moves values to another model" {
          let one, other = new Kinds(float64), new Kinds(float64)
          one.SetValue("k", vector [| 1.0; 2.0; 1e-9 |])
          other.load_state_dict (one.state_dict ()) |> ignore
          Expect.equal (values (other.Value "k")) (values (one.Value "k")) "k"
      }

      test "an optimizer moves a bounded parameter" {
          let model = new Kinds(float64)
          let optimizer = torch.optim.SGD(model.parameters (), 0.5)

          for _ in 1..200 do
              optimizer.zero_grad ()
              let loss = ((model.Value "mid") - number 3.0).square()
              loss.backward ()
              optimizer.step () |> ignore

          let value = (model.Value "mid").item<float>()
          Expect.isTrue (value > 0.95 && value < 1.0) $"near the bound, inside: {value}"
      }

      test "a model built inside a dispose scope outlives it" {
          let model =
              use _ = torch.NewDisposeScope()
              new Kinds(float64)

          Expect.floatClose Accuracy.high ((model.Value "mid").item<float>()) 0.7 "alive"
      } ]

let private setting =
    [ testProperty
          "what is set is what is read, over all magnitudes"
          (fun (exponent: int) (fraction: NormalFloat) ->
              let size = 10.0 ** float (exponent % 12)
              let value = size * (1.0 + abs (fraction.Get % 1.0))
              let model = new Kinds(float64)
              model.SetValue("k", vector [| value; 1.0; 1.0 |])
              model.SetValue("low", number (1.0 - value))

              abs ((values (model.Value "k"))[0] - value) <= 1e-12 * value
              && abs ((model.Value "low").item<float>() - (1.0 - value)) <= 1e-12 * (1.0 + value))

      test "setting a value keeps the registered parameter" {
          let model = new Kinds(float64)
          let registered = model.get_parameter "W"
          model.SetValue("W", torch.ones (2L, 3L, dtype = float64))
          Expect.equal (values registered |> Array.sum) 6.0 "in place"
          Expect.isTrue registered.requires_grad "still trained"
      }

      test "a constant can be set" {
          let model = new Kinds(float64)
          model.SetConstant("g", 1.62)
          Expect.equal (values (model.Value "g")) [| 1.62 |] "constant"
      }

      test "wrong shapes, bounds and names are refused" {
          let model = new Kinds(float64)

          says "Parameter W has shape [2, 3]; the value given has [3]" (fun () ->
              model.SetValue("W", torch.ones 3L))

          says "open interval (-1, 1); the value given has 1" (fun () -> model.SetValue("mid", number 1.0))

          says "open interval (0, Infinity); the value given has NaN" (fun () ->
              model.SetValue("k", vector [| nan; 1.0; 1.0 |]))

          says "the value given has Infinity" (fun () ->
              model.SetValue("W", torch.full ([| 2L; 3L |], Scalar.op_Implicit infinity)))

          says "no parameter 'lwo'. Did you mean 'low'?" (fun () -> model.SetValue("lwo", number 0.0))
          says "no constant 'h'" (fun () -> model.SetConstant("h", 1.0))
      }

      test "single precision is double precision rounded" {
          let wide, single = new Kinds(float64), new Kinds(float32')
          Expect.isTrue (same (wide.Value("W").``to`` float32') (single.Value "W")) "W"
      } ]

let private solving =
    let y = number 1.0

    [ test "states come from init and from the caller, whose batch they share" {
          let model = new Kinds(float64)
          let start = Dictionary(dict [ "y", torch.ones (4L, 5L, dtype = float64) ])
          let solution = model.Solve(start, SolveOptions(Save = SaveAt.Grid 3))
          Expect.equal (solution.State "x").shape [| 3L; 4L; 5L; 2L |] "x"
          Expect.equal (solution.State "y").shape [| 3L; 4L; 5L |] "y"
          Expect.equal (solution.Output "energy").shape [| 3L; 4L; 5L |] "output"
          Expect.hasLength solution.Status 20 "a status a sample"
      }

      test "init is trained" {
          let model = new Kinds(float64)

          let solution =
              model.Solve(
                  Dictionary(dict [ "y", y ]),
                  SolveOptions(Method = Methods.EulerMaruyama(Nullable 0.1))
              )

          (solution.State("x").sum()).backward()
          let gradient = values (model.get_parameter("k_unconstrained").grad)

          Expect.floatClose
              Accuracy.high
              gradient[0]
              ((1.0 - 0.981) ** 10.0 * (1.0 - exp -0.04))
              "through softplus and ten steps"

          Expect.equal gradient[2] 0.0 "not an initial value"
      }

      test "an ODE model solves by its defaults, with outputs and gradients" {
          let model = new Decay()
          let solution = model.Solve()
          solution.EnsureSuccess()
          Expect.floatClose Accuracy.medium (solution.Packed.item<float>()) (exp -1.0) "solution"
          Expect.floatClose Accuracy.medium ((solution.Output "half").item<float>()) (0.5 * exp -1.0) "output"
          (solution.Packed.sum ()).backward()
          let gradient = (model.get_parameter "k_unconstrained").grad.item<float>()
          Expect.floatClose Accuracy.medium gradient (-2.0 * exp -1.0 * (1.0 - exp -0.5)) "through softplus"

          says "no method euler_maruyama for ordinary" (fun () ->
              model.Solve(options = SolveOptions(Method = Methods.EulerMaruyama())) |> ignore)
      }

      test "what cannot be solved is refused with the reason" {
          let model = new Kinds(float64)

          let solve (initial: (string * torch.Tensor) list) () =
              model.Solve(Dictionary(dict initial)) |> ignore

          says
              "State y of Kinds has no initial value: pass one to Solve, or declare `init y = ...`"
              (solve [])

          says "no state 'z'. Did you mean 'x'?" (solve [ "z", y ])
          says "State x has shape [2]" (solve [ "x", y; "y", y ])
          says "is Float32 on cpu; Kinds computes in Float64 on cpu" (solve [ "y", torch.tensor 1.0f ])
          says "initial value of y has NaN" (solve [ "y", number nan ])
          says "initial value of y has NaN or infinity" (solve [ "y", number infinity ])

          says
              "batch [3], which does not fit"
              (solve [ "x", torch.ones (2L, 2L, dtype = float64); "y", torch.ones (3L, dtype = float64) ])

          says "float32 or float64, not Int64" (fun () -> new Kinds(torch.ScalarType.Int64) |> ignore)
          let at options () = model.Solve(Dictionary(dict [ "y", y ]), options) |> ignore
          says "finite span" (at (SolveOptions(End = Nullable nan)))

          says
              "SaveAt.Grid needs at least two"
              (at (SolveOptions(Start = Nullable 0.0, Save = SaveAt.Grid 1)))

          says "no output 'enrgy'. Did you mean 'energy'?" (fun () -> model.Output("enrgy", y, y) |> ignore)
      } ]

let private files =
    [ test "weights are saved and loaded, across dtypes" {
          inFolder (fun path ->
              let one, other = new Kinds(float64), new Kinds(float32')
              one.SetValue("mid", number -0.25)
              one.Save path
              let registered = other.get_parameter "W"
              other.SetValue("W", torch.zeros (2L, 3L))
              other.Load path
              Expect.equal other.Dtype float32' "dtype is kept"
              Expect.isTrue (same registered (one.Value("W").``to`` float32')) "in place"
              Expect.floatClose Accuracy.medium ((other.Value "mid").item<float32>() |> float) -0.25 "mid")
      }

      test "another model's weights are refused, with the differences" {
          inFolder (fun path ->
              let shape = torch.ones (4L)

              Safetensors.Write(
                  path,
                  Dictionary(
                      dict
                          [ "W", shape
                            "extra", shape
                            "k_unconstrained", torch.ones 3L
                            "low_unconstrained", torch.ones 1L ]
                  )
              )

              let model = new Kinds(float64)
              let before = values (model.Value "W")
              let problem = message (fun () -> model.Load path)

              for words in
                  [ "does not hold the parameters of Kinds"
                    "mid_unconstrained is missing"
                    "extra is not in the model"
                    "W is [4], the model's [2, 3]"
                    "low_unconstrained is [1], the model's []" ] do
                  Expect.stringContains problem words "message"

              Expect.equal (values (model.Value "W")) before "nothing was loaded")
      } ]

let tests =
    testList
        "Model"
        [ testList "parameters" registration
          testList "values" setting
          testList "solve" solving
          testList "files" files ]
