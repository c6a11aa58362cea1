/// The passes between Checking and the back ends, by name and in order.
module internal DiffEqLang.Compiler.Pipeline

open DiffEqLang.Contracts
open DiffEqLang.Compiler
open DiffEqLang.Compiler.Checking
open DiffEqLang.Compiler.Checking.Errors
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Dynamics
open DiffEqLang.Compiler.Passes

type Pass = { Name: string; Run: Dynamics.Model -> Dynamics.Model }

let private findNoiseStructure (model: Dynamics.Model) =
    let analysed (noise: Noise) =
        let structure, reason =
            NoiseStructure.analyse (Derivatives.diffusionOf noise model.Components)

        { noise with Structure = structure; Reason = reason }

    { model with Noise = Option.map analysed model.Noise }

let private findPartition (model: Dynamics.Model) =
    match model.Noise with
    | Some _ -> { model with Partition = Inseparable "the model has noise" }
    | None when not model.Constraints.IsEmpty ->
        { model with Partition = Inseparable "the model has algebraic constraints" }
    | None when not model.Delays.IsEmpty -> { model with Partition = Inseparable "the model has delays" }
    | None -> { model with Partition = Partition.analyse model.Components }

let private findParts (model: Dynamics.Model) =
    Splitting.analyse (model.Typed.Solve.Method |> Option.exists Methods.splits) model

/// After `normalize`, which makes the first-order system.
let passes: Pass list =
    [ { Name = "differentiate"; Run = Normalize.mapExpressions Differentiate.expand }
      { Name = "simplify"; Run = Normalize.mapExpressions Simplify.run }
      { Name = "noise-structure"; Run = findNoiseStructure }
      { Name = "partition"; Run = findPartition }
      { Name = "splitting"; Run = findParts } ]

/// What `--dump-after` takes.
let passNames = "normalize" :: List.map _.Name passes

let private roots (model: Dynamics.Model) : (string * Expr) list =
    [ for c in model.Components do
          (if c.IsAlgebraic then
               sprintf "residual for %s" c.Symbol.Name
           else
               sprintf "d%s/dt" c.Symbol.Name),
          c.Drift
      for c in model.Components do
          for parts in Option.toList c.Parts do
              sprintf "explicit part of d%s/dt" c.Symbol.Name, parts.Explicit
              sprintf "implicit part of d%s/dt" c.Symbol.Name, parts.Implicit
      for c in model.Components do
          if model.Noise.IsSome then
              sprintf "noise of %s" c.Symbol.Name, c.Diffusion
      for e in model.Events do
          for watched in Option.toList e.Watched do
              e.Decl.Name, watched

          for c, after in Seq.zip model.Components e.After do
              sprintf "%s after %s" c.Symbol.Name e.Decl.Name, after
      for d in model.Delays do
          sprintf "delay of %s" (d.States |> List.map (fun (c, _) -> c.Symbol.Name) |> String.concat ", "),
          d.Value
      for c, past in Seq.zip model.Components model.History do
          sprintf "history of %s" c.Symbol.Name, past
      for o in model.Outputs do
          o.Name, o.Value ]

let private validated (pass: string) (model: Dynamics.Model) =
    match roots model |> List.map snd |> Validate.check with
    | [] -> model
    | fault :: _ -> Build.internalError "After the pass %s: %s." pass fault

/// A system, and the text that was asked for on the way.
type Outcome = { Model: Dynamics.Model; Dump: string option }

/// All passes. `dumpAfter` names one whose result is wanted as text.
let run (validate: bool) (dumpAfter: string option) (typed: Typed.Model) : Outcome =
    let step (outcome: Outcome) name f =
        let model = f outcome.Model |> if validate then validated name else id

        let dump =
            if dumpAfter = Some name then
                Some(Print.program (roots model))
            else
                outcome.Dump

        { Model = model; Dump = dump }

    let start = { Model = Normalize.normalize typed; Dump = None }
    let first = step start "normalize" id
    passes |> List.fold (fun outcome pass -> step outcome pass.Name pass.Run) first

/// Constraints whose structure leaves algebraic unknowns undetermined.
let constraintDiagnostics (model: Dynamics.Model) : Diagnostic list =
    [ for s in ConstraintStructure.analyse model do
          let replacement =
              s.Differentiated
              |> Option.map (fun (times, residual) ->
                  times, "0 = " + Backends.Latex.Plain.plainWith (fun _ -> None) residual)

          SingularConstraint(s.Constraint.Text, s.IsFree, s.Undetermined, replacement)
          |> Structure
          |> error s.Constraint.Span
          |> Messages.Render.diagnostic ]

/// A method of the solve block that the structure of the noise or of the equations does not allow. Only here are they known.
let methodDiagnostics (model: Dynamics.Model) : Diagnostic list =
    Option.toList (model.Noise |> Option.bind (MethodChoice.ofStructure model.Typed))
    @ Option.toList (MethodChoice.ofPartition model.Typed model.Partition)
    @ Option.toList (
        MethodChoice.ofSplitting
            model.Typed
            model.Splitting
            (Splitting.nonlinear model |> Option.map _.Symbol.Name)
    )
