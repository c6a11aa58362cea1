/// What the code of the goldens does: it compiles without warnings, agrees with the interpreter, treats any batch axes alike, and
/// has vector-Jacobian products that agree with autograd.
module DiffEqLang.Tests.Compiler.GeneratedCodeTests

open System
open Expecto
open TorchSharp
open DiffEqLang.Contracts
open DiffEqLang.Compiler
open DiffEqLang.Runtime
open DiffEqLang.Tests.Support
open DiffEqLang.Tests.Support.GeneratedCode
open DiffEqLang.Tests.Compiler.GoldenTests

let private assembly =
    lazy
        (let files = goldens.Value |> List.map generate
         let compilation, problems = compile [ for f in files -> f.FileName, f.Text ]
         Expect.equal problems [] "no warnings"
         files |> List.map _.Model, load compilation)

let private create name = GeneratedCode.create (snd assembly.Value) name

/// Well inside every domain; the diagonal keeps square matrices regular.
let private stateOf (model: DifferentialModel) (batch: int64 list) =
    let size = model.Layout.Size

    torch.rand ([| yield! batch; size |], dtype = torch.ScalarType.Float64)
    |> fun unit' -> unit' * 0.8.ToScalar() + 0.3.ToScalar()

/// The same, followed by the delayed states that the equations ask for.
let private argumentOf (model: DifferentialModel) (equations: OdeEquations) (batch: int64 list) =
    match equations.Delays |> Seq.sumBy _.Size with
    | 0L -> stateOf model batch
    | past ->
        let delayed = torch.rand ([| yield! batch; past |], dtype = torch.ScalarType.Float64)
        torch.cat ([| stateOf model batch; delayed |], -1L)

let private close (expected: torch.Tensor) (actual: torch.Tensor) what =
    Expect.equal actual.shape expected.shape (what + ": shape")

    let difference =
        (expected - actual).abs().div(expected.abs () + 1.0.ToScalar()).max().item<float>()

    Expect.isLessThan difference 1e-9 what

/// A method of the equations from time and packed tensors to a packed state, with its vector-Jacobian product.
type private Packed =
    {
        Name: string
        /// Whether delayed states stand behind the state that it takes.
        TakesPast: bool
        Value: torch.Tensor -> torch.Tensor -> torch.Tensor
        Vjp: torch.Tensor -> torch.Tensor -> torch.Tensor -> ParameterGradients -> torch.Tensor
    }

/// What it takes, drawn.
let private operandOf model equations (m: Packed) batch =
    if m.TakesPast then argumentOf model equations batch else stateOf model batch

let private driftWithTerms (equations: OdeEquations) t x =
    let mutable terms = null
    equations.Drift(t, x, &terms), terms

let private methods (model: DifferentialModel) (equations: OdeEquations) (batch: int64 list) =
    [ { Name = "Drift"
        TakesPast = true
        Value = fun t x -> equations.Drift(t, x)
        Vjp = fun t x w into -> equations.DriftVjp(t, x, w, into) }
      { Name = "Drift with its terms kept"
        TakesPast = true
        Value = fun t x -> fst (driftWithTerms equations t x)
        Vjp = fun t x w into -> equations.DriftVjp(t, x, w, into, snd (driftWithTerms equations t x)) }
      if equations.Events |> Seq.exists _.IsRoot then
          { Name = "EventValues"
            TakesPast = false
            Value = fun t x -> equations.EventValues(t, x)
            Vjp = fun t x w into -> equations.EventValuesVjp(t, x, w, into) }
      for i in 0 .. equations.Events.Count - 1 do
          { Name = sprintf "Jump %d" i
            TakesPast = false
            Value = fun t x -> equations.Jump(i, t, x)
            Vjp = fun t x w into -> equations.JumpVjp(i, t, x, w, into) }
      match equations, model with
      | (:? SdeEquations as sde), (:? SdeModel as noisy) ->
          let dW = torch.randn ([| yield! batch; noisy.NoiseSize |], dtype = torch.ScalarType.Float64)

          { Name = "Diffusion"
            TakesPast = false
            Value = fun t x -> sde.Diffusion(t, x, dW)
            Vjp = fun t x w into -> sde.DiffusionVjp(t, x, dW, w, into) }

          { Name = "ItoCorrection"
            TakesPast = false
            Value = fun t x -> sde.ItoCorrection(t, x)
            Vjp = fun t x w into -> sde.ItoCorrectionVjp(t, x, w, into) }

          if noisy.Noise <> NoiseStructure.General then
              { Name = "Milstein"
                TakesPast = false
                Value = fun t x -> sde.Milstein(t, x, dW)
                Vjp = fun t x w into -> sde.MilsteinVjp(t, x, dW, w, into) }
      | _ -> () ]

let private batches: int64 list list = [ []; [ 4L ]; [ 2L; 3L ] ]

/// Each model with each batch, time shared or one for each sample.
let private cases check =
    [ for name in fst assembly.Value do
          let model = create name

          for batch in batches do
              for t in
                  [ torch.tensor (0.7, dtype = torch.ScalarType.Float64)
                    torch.rand (List.toArray batch, dtype = torch.ScalarType.Float64) ] do
                  use _ = torch.NewDisposeScope()
                  let equations = bind model

                  for m in methods model equations batch do
                      check
                          (sprintf "%s.%s%A" name m.Name batch)
                          model
                          equations
                          m
                          batch
                          (t.to_type torch.ScalarType.Float64) ]
    |> ignore

let private gradientsAgree
    what
    (model: DifferentialModel)
    (equations: OdeEquations)
    (m: Packed)
    batch
    (t: torch.Tensor)
    =
    let x = (operandOf model equations m batch).requires_grad_ true
    let value = m.Value t x
    let w = torch.randn_like (value.detach ())
    let leaves = model.parameters () |> Seq.map (fun p -> p :> torch.Tensor) |> Seq.toList

    let grad (outputs: torch.Tensor list) inputs (along: torch.Tensor list) =
        if outputs.IsEmpty then
            List.map (fun _ -> null) inputs
        else
            torch.autograd.grad (
                ResizeArray outputs,
                ResizeArray inputs,
                ResizeArray along,
                retain_graph = true,
                allow_unused = true
            )
            |> Seq.toList

    let expected =
        grad
            [ if value.requires_grad then
                  value ]
            (x :: leaves)
            [ w ]

    let into = ParameterGradients equations.Parameters

    let cotangent =
        use _ = torch.no_grad ()
        m.Vjp t (x.detach ()) w into

    // What is computed once a solve hands its gradient on to the parameters that it comes from.
    let sums =
        [ for i in 0 .. equations.Parameters.Count - 1 -> equations.Parameters[i], into[i] ]

    let varying = sums |> List.filter (fun (p, _) -> p.requires_grad)
    let actual = grad (List.map fst varying) leaves (List.map snd varying)

    let orZeros (like: torch.Tensor) (e: torch.Tensor) =
        if isNull e || e.IsInvalid then torch.zeros_like like else e

    close (orZeros x expected.Head) cotangent (what + " by the state")

    for leaf, e, a in List.zip3 leaves expected.Tail actual do
        close (orZeros leaf e) (orZeros leaf a) (sprintf "%s by a parameter of shape %A" what leaf.shape)

let private batchesAgree
    what
    (model: DifferentialModel)
    (equations: OdeEquations)
    (m: Packed)
    (batch: int64 list)
    (t: torch.Tensor)
    =
    // The increments belong to the batch: the drift is compared sample by sample.
    if m.Name = "Drift" || m.Name.StartsWith "Event" || m.Name.StartsWith "Jump" then
        use _ = torch.no_grad ()
        let x = operandOf model equations m batch
        let whole = m.Value t x
        let whole = whole.reshape (-1L, whole.size -1)
        let rows = x.reshape (-1L, x.size -1)
        let times = t.expand(List.toArray batch).reshape(-1L)

        for i in 0L .. rows.size 0 - 1L do
            close (m.Value times[i] rows[i]) whole[i] (sprintf "%s, sample %d" what i)

/// The goldens' only open dim is n, and comes first.
let private hasOpenDim (model: DifferentialModel) =
    let parameters = model.GetType().GetConstructors()[0] |> _.GetParameters()
    parameters[0].ParameterType = typeof<int64>

/// Values by name as the interpreter's settings take them.
let private settings (model: DifferentialModel) (t: float) (x: torch.Tensor) =
    let entry (value: torch.Tensor) =
        struct (value.shape, value.detach().contiguous().reshape(-1L).data<float>().ToArray())

    dict
        [ "t", struct ([||], [| t |])
          if hasOpenDim model then
              "n", struct ([||], [| 3.0 |])
          for name in Seq.append model.ParameterNames model.ConstantNames do
              name, entry (model.Value name)
          for i, slot in Seq.indexed model.Layout.Slots do
              slot.Name, entry (model.Layout.Unpack(x, i)) ]
    |> System.Collections.Generic.Dictionary

let private outputsAgree (golden: Golden) =
    let name = (generate golden).Model
    let model = create name
    let x = stateOf model []
    let t = 0.7

    for output in model.OutputNames do
        let actual = model.Output(output, torch.tensor (t, dtype = torch.ScalarType.Float64), x)

        let struct (shape, values, diagnostics) =
            Compilation.Evaluate(golden.Source, name, output, settings model t x)

        Expect.isEmpty diagnostics ""

        close
            (torch.tensor(values, dtype = torch.ScalarType.Float64).reshape shape)
            actual
            (sprintf "%s.%s" name output)

let private jacobianAgrees (name: string) =
    let model = create name
    let method' = model.GetType().GetMethod "Jacobian"

    if not (isNull method') then
        use _ = torch.no_grad ()
        let equations = bind model
        let x = argumentOf model equations [ 2L ]
        let t = torch.tensor (0.7, dtype = torch.ScalarType.Float64)
        let w = torch.randn_like (stateOf model [ 2L ])
        let jacobian = method'.Invoke(model, [| t; x |]) :?> torch.Tensor
        Expect.equal jacobian.shape [| 2L; model.Layout.Size; model.Layout.Size |] name

        let expected =
            equations
                .DriftVjp(t, x, w, ParameterGradients equations.Parameters)
                .narrow(-1L, 0L, model.Layout.Size)

        close expected (w.unsqueeze(-2L).matmul(jacobian).squeeze(-2L)) (name + ": the Jacobian by its rows")

/// What is watched and what jumps, and their derivatives along the solution by differences.
let private eventsAgree (golden: Golden) =
    let name = (generate golden).Model
    let model = create name
    use _ = torch.no_grad ()
    let equations = bind model
    let argument = argumentOf model equations [ 2L ]
    let x = argument.narrow (-1L, 0L, model.Layout.Size)
    let at (t: float) = torch.tensor ([| t; t |], dtype = torch.ScalarType.Float64)

    // Algebraic unknowns have no derivative in the equations, and are found anew after a jump.
    let differential (packed: torch.Tensor) =
        let result = packed.clone ()

        for struct (offset, length) in Option.ofObj equations.Algebraic |> Option.defaultValue [||] do
            result.narrow(-1L, offset, length).zero_() |> ignore

        result

    let slope = differential (equations.Drift(at 0.7, argument))

    let agrees what (value: torch.Tensor -> torch.Tensor -> torch.Tensor) (rate: torch.Tensor) =
        let h = 1e-5
        let slope = slope * h.ToScalar()
        let difference = (value (at (0.7 + h)) (x + slope)) - (value (at (0.7 - h)) (x - slope))
        let error = (difference / (2.0 * h).ToScalar() - rate).abs().max().item<float>()
        Expect.isLessThan error 1e-6 (sprintf "%s: %s" name what)

    if equations.Events |> Seq.exists _.IsRoot then
        agrees "rates" (fun t x -> equations.EventValues(t, x)) (equations.EventRates(at 0.7, argument))

    for i in 0 .. equations.Events.Count - 1 do
        agrees
            (sprintf "jump %d" i)
            (fun t x -> differential (equations.Jump(i, t, x)))
            (differential (equations.JumpRate(i, at 0.7, argument)))

/// What the expressions of the model say, by the interpreter: the events' own text, state by state.
let private eventTextsAgree =
    test "events agree with the interpreter" {
        let golden = goldens.Value |> List.find (fun g -> g.Source.Path = "events.deq")
        let model = create "Events"
        use _ = torch.no_grad ()
        let equations = bind model
        let x = stateOf model []
        let t = torch.tensor (0.7, dtype = torch.ScalarType.Float64)

        let interpreted text =
            let struct (shape, values, diagnostics) =
                Compilation.Evaluate(golden.Source, "Events", text, settings model 0.7 x)

            Expect.isEmpty diagnostics text
            torch.tensor(values, dtype = torch.ScalarType.Float64).reshape shape

        let watched = equations.EventValues(t, x)

        for i, text in List.indexed [ "h"; "t - tau"; "sum(q^2) - exp(tau)"; "count - 10" ] do
            close (interpreted text) watched[i] text

        let after which (state: string) =
            let slot = model.Layout.Slots |> Seq.findIndex (fun s -> s.Name = state)
            model.Layout.Unpack(equations.Jump(which, t, x), slot)

        for which, state, text in
            [ 0, "h'", "-e*h'"
              0, "count", "count + 1"
              0, "q", "q"
              1, "lamp", "1"
              1, "h'", "h' + t*tau"
              2, "q", "[q[1], e*q[0]]"
              3, "count", "0.5*count"
              4, "h", "h"
              5, "lamp", "0" ] do
            close (interpreted text) (after which state) (sprintf "%s after event %d" state which)

        Expect.equal
            [ for e in equations.Events -> e.Name, e.Kind, e.Time, e.Stops ]
            [ "falling(h)", EventKind.Falling, 0.0, false
              "rising(t - tau)", EventKind.Rising, 0.0, false
              "crossing(sum(q^2) - exp(tau))", EventKind.Crossing, 0.0, false
              "every(0.25)", EventKind.Every, 0.25, false
              "at(3)", EventKind.At, 3.0, false
              "rising(count - 10)", EventKind.Rising, 0.0, true ]
            "what is fixed about them"
    }

let tests =
    testSequenced
    <| testList
        "Generated code"
        [ test "the code compiles without a warning" { assembly.Force() |> ignore }
          test "vector-Jacobian products agree with autograd" {
              torch.manual_seed 1L |> ignore
              cases gradientsAgree
          }
          test "every sample of a batch is as if alone" {
              torch.manual_seed 2L |> ignore
              cases batchesAgree
          }
          test "outputs agree with the interpreter" {
              torch.manual_seed 3L |> ignore
              List.iter outputsAgree goldens.Value
          }
          test "derivatives of events along the solution agree with differences" {
              torch.manual_seed 5L |> ignore
              List.iter eventsAgree goldens.Value
          }
          eventTextsAgree
          test "Jacobians agree with vector-Jacobian products" {
              torch.manual_seed 4L |> ignore
              List.iter jacobianAgrees (fst assembly.Value)
          } ]
