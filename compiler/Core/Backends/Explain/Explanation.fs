/// What `deqc explain` says about a model: the system that is solved, its Jacobian and adjoint, what kind of noise it
/// has and why, and the other calculus' drift.
module internal DiffEqLang.Compiler.Backends.Explain.Explanation

open System.Collections.Generic
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Typed
open DiffEqLang.Compiler.Ir.Dynamics
open DiffEqLang.Compiler.Builtins
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Backends.Latex
open DiffEqLang.Compiler.Backends.Simd
open DiffEqLang.Compiler.Backends.Explain.Adjoint
open DiffEqLang.Compiler.Backends.Explain.Declarations
open DiffEqLang.Compiler.Backends.Explain.FormulaLine

/// The content, before any notation.
type Explanation =
    {
        Model: Dynamics.Model
        Rows: Row list
        /// Shared terms, by node.
        Names: IReadOnlyDictionary<Expr, string>
        Terms: Formula list
        Equations: Formula list
        /// What methods that split take implicitly; empty where there is no such part.
        Stiff: Formula list
        /// What each event watches and what it does.
        Events: (Event * Formula list) list
        /// Blocks of the Jacobian that are not zero, by row and column.
        Jacobian: (int * int * Formula) list
        Adjoint: Adjoint
        /// Of an SDE, in the calculus that the model does not use.
        OtherDrift: (Calculus * Formula list) option
        /// What the model's code runs on.
        Target: Target.Choice
    }

/// A shared term longer than this is given a name instead of being written again.
let private longestRepeated = 24

let private differential (s: Symbol) = sprintf @"\mathrm{d}%s" (Formula.name s.Name)

let private equations (model: Dynamics.Model) =
    [ for c in model.Components do
          match model.Noise with
          | _ when c.IsAlgebraic -> ()
          | None ->
              formula
                  (sprintf "d%s/dt" c.Symbol.Name)
                  (sprintf @"\frac{%s}{\mathrm{d}t}" (differential c.Symbol))
                  c.Drift
          | Some _ ->
              formula
                  (sprintf "drift of %s" c.Symbol.Name)
                  (sprintf @"f_{%s}" (Formula.name c.Symbol.Name))
                  c.Drift

              if not (Build.isZero c.Diffusion) then
                  formula
                      (sprintf "noise of %s" c.Symbol.Name)
                      (sprintf @"(g\,\mathrm{d}W)_{%s}" (Formula.name c.Symbol.Name))
                      c.Diffusion
      for c in model.Constraints do
          formula "0" "0" c.Residual ]

/// The stiff part of each derivative that has one.
let private stiff (model: Dynamics.Model) =
    [ for c in model.Components do
          for parts in Option.toList c.Parts do
              if not (Build.isZero parts.Implicit) then
                  formula
                      (sprintf "stiff part of d%s/dt" c.Symbol.Name)
                      (sprintf @"f^{\mathrm{I}}_{%s}" (Formula.name c.Symbol.Name))
                      parts.Implicit ]

let private jacobian (components: Component list) =
    let scalars = components |> List.forall _.Symbol.Shape.IsEmpty

    let left (row: Component) (column: Component) right =
        let plain, latex =
            if row.IsAlgebraic then
                sprintf " residual(%s)" row.Symbol.Name, "g"
            else
                sprintf "(d%s/dt)" row.Symbol.Name, "f"

        formula
            (sprintf "d%s/d%s" plain column.Symbol.Name)
            (sprintf
                @"\frac{\partial %s_{%s}}{\partial %s}"
                latex
                (Formula.name row.Symbol.Name)
                (Formula.name column.Symbol.Name))
            right

    if scalars then
        Derivatives.sparseJacobian components
        |> List.map (fun e -> e.Row, e.Column, left components[e.Row] components[e.Column] e.Value)
    else
        let places =
            [ for i, row in List.indexed components do
                  for j, column in List.indexed components do
                      i, j, DerivativeOperators.apply Jacobian row.Drift (Build.input column.Symbol) None ]

        let values = places |> List.map (fun (_, _, e) -> e) |> Differentiate.expand |> Simplify.run

        List.zip places values
        |> List.filter (snd >> Build.isZero >> not)
        |> List.map (fun ((i, j, _), value) -> i, j, left components[i] components[j] value)

/// What passes zero at an event, its derivative along the solution, and the states after it. The derivative of what depends on algebraic
/// unknowns takes theirs, which have no formula.
let private event (model: Dynamics.Model) (e: Event) =
    let isOfStates value =
        Expr.inputs [ value ]
        |> List.forall (fun s -> model.Typed.Algebraic |> List.forall (fun a -> a.Symbol <> s))

    let watched =
        [ for value in Option.toList e.Watched do
              formula "watched" @"g" value

              if isOfStates value then
                  formula
                      "d watched/dt"
                      @"\frac{\mathrm{d}g}{\mathrm{d}t}"
                      (Derivatives.alongSolution model.Components [ value ]).Head ]

    let changed =
        [ for c, after in Seq.zip model.Components e.After do
              if after <> Build.input c.Symbol then
                  formula
                      (sprintf "%s after" c.Symbol.Name)
                      (sprintf "%s^{+}" (Formula.name c.Symbol.Name))
                      after ]

    e, watched @ changed

let calculusName (calculus: Calculus) =
    match calculus with
    | Ito -> "Itô"
    | Stratonovich -> "Stratonovich"

/// The drift of the same process in the calculus that the model does not use.
let private otherDrift (model: Dynamics.Model) =
    let inCalculus (noise: Noise) other =
        let drifts = Derivatives.driftIn other noise model.Components

        other,
        List.map2
            (fun (c: Component) e ->
                formula
                    (sprintf "%s drift of %s" (calculusName other) c.Symbol.Name)
                    (sprintf @"\tilde f_{%s}" (Formula.name c.Symbol.Name))
                    e)
            model.Components
            drifts

    model.Noise
    |> Option.map (fun noise ->
        match noise.Calculus with
        | Ito -> inCalculus noise Stratonovich
        | Stratonovich -> inCalculus noise Ito)

let ofModel (model: Dynamics.Model) : Explanation =
    let equations = equations model
    let stiff = stiff model
    let events = model.Events |> List.map (event model)
    let jacobian = jacobian model.Components
    let adjoint = Adjoint.ofModel model
    let otherDrift = otherDrift model

    let all =
        (equations @ stiff |> List.map _.Right)
        @ (events |> List.collect snd |> List.map _.Right)
        @ (jacobian |> List.map (fun (_, _, f) -> f.Right))
        @ (adjoint.States @ adjoint.Gradients |> List.map _.Right)
        @ (otherDrift |> Option.map (snd >> List.map _.Right) |> Option.defaultValue [])

    // `tanh = tanh(x)` would read as an equation for the function.
    let taken = (Expr.inputs all |> List.map _.Name) @ (Catalogue.all |> List.map _.Name)

    let program =
        all |> List.mapi (fun i e -> string i, e) |> Schedule.schedule taken model.Typed.Name []

    let names = Dictionary<Expr, string>(HashIdentity.Reference)

    for node, name in adjoint.Cotangents do
        names[node] <- name

    let plain (e: Expr) (node: Expr) =
        match names.TryGetValue node with
        | true, name when node <> e -> Some name
        | _ -> None

    // Code names everything that it would compute twice; a reader is helped by the user's names and by short lines.
    let terms =
        program.Bindings
        |> List.filter (fun b ->
            let isCotangent = b.Value.DependsOn.HasFlag Dependence.Cotangent
            let isNamed = not isCotangent && b.Origin |> Option.exists _.Name.IsSome
            let isLong = (Plain.plainWith (plain b.Value) b.Value).Length > longestRepeated

            if isNamed || isLong then
                names[b.Value] <- b.Name

            isNamed || isLong)

    { Model = model
      Rows = rows model
      Names = names
      Terms = terms |> List.map (fun b -> formula b.Name (Formula.name b.Name) b.Value)
      Equations = equations
      Stiff = stiff
      Events = events
      Jacobian = jacobian
      Adjoint = adjoint
      OtherDrift = otherDrift
      Target = Target.choose None model }

/// The target's name and why it is that.
let target (x: Explanation) =
    match x.Target with
    | Target.Torch reason -> "torch", reason
    | Target.Simd(_, reason) -> "simd", reason
