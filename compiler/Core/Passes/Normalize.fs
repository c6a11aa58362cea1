/// From the equations as written to a first-order system of components, packed one after another.
///
///     d2q/dt2 = -grad(V, q)      becomes      dq  = q' dt
///                                             dq' = -V'(q) dt
module internal DiffEqLang.Compiler.Passes.Normalize

open System.Collections.Generic
open DiffEqLang.Contracts
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Typed
open DiffEqLang.Compiler.Ir.Dynamics

/// A component before its place is known.
type private Part = { Symbol: Symbol; Drift: Expr; Diffusion: Expr option; Span: SourceSpan }

/// `q'` of the state q: a state of its own.
let velocity (state: Symbol) : Symbol = { Name = state.Name + "'"; Role = State; Shape = state.Shape }

let private parts (equation: Equation) =
    let whole (state: Symbol) e = Build.broadcastTo state.Shape e

    match equation with
    | Ordinary(state, 1, right, span) ->
        [ { Symbol = state; Drift = whole state right; Diffusion = None; Span = span } ]
    | Ordinary(state, 2, right, span) ->
        let rate = velocity state

        [ { Symbol = state; Drift = Build.input rate; Diffusion = None; Span = span }
          { Symbol = rate; Drift = whole state right; Diffusion = None; Span = span } ]
    | Ordinary(state, order, _, _) -> Build.internalError "An equation of order %d for %s." order state.Name
    | Stochastic(state, drift, diffusion, span) ->
        [ { Symbol = state
            Drift = whole state drift
            Diffusion = Some(whole state diffusion)
            Span = span } ]

/// The components in the order in which the states are declared, whatever the order of the equations.
let private ordered (model: Typed.Model) =
    let place = Dictionary(model.States |> Seq.mapi (fun i s -> KeyValuePair(s.Symbol.Name, i)))
    let placeOf (p: Part) = place[p.Symbol.Name.TrimEnd '\'']
    model.Equations |> List.collect parts |> List.sortBy placeOf

/// Applies a pass over all expressions of a system at once, so that what they share stays shared.
let private together (f: Expr list -> Expr list) (components: Component list) (outputs: OutputDecl list) =
    let initials = components |> List.choose _.Initial

    let all =
        (components |> List.map _.Drift)
        @ (components |> List.map _.Diffusion)
        @ (outputs |> List.map _.Value)
        @ initials

    let results = List.toArray (f all)
    let n = components.Length
    let firstInitial = 2 * n + outputs.Length
    let mutable initial = firstInitial

    let components =
        components
        |> List.mapi (fun i c ->
            let value =
                c.Initial
                |> Option.map (fun _ ->
                    initial <- initial + 1
                    results[initial - 1])

            { c with Drift = results[i]; Diffusion = results[n + i]; Initial = value })

    components, outputs |> List.mapi (fun i o -> { o with Value = results[2 * n + i] })

let private place (model: Typed.Model) : Component list * Dim =
    let docs = Dictionary(model.States |> Seq.map (fun s -> KeyValuePair(s.Symbol.Name, s.Doc)))
    let initials = Dictionary(model.Initials |> Seq.map (fun (s, e) -> KeyValuePair(s.Name, e)))

    let mutable offset = Dim.zero

    let components =
        [ for p in ordered model do
              let doc =
                  match docs.TryGetValue p.Symbol.Name with
                  | true, d -> d
                  | _ -> ""

              let initial =
                  match initials.TryGetValue p.Symbol.Name with
                  | true, e -> Some(Build.broadcastTo p.Symbol.Shape e)
                  | _ -> None

              { Symbol = p.Symbol
                Offset = offset
                Drift = p.Drift
                Diffusion = p.Diffusion |> Option.defaultValue (Build.zeros p.Symbol.Shape)
                Initial = initial
                Doc = doc
                Span = p.Span }

              offset <- Dim.add offset (Shape.size p.Symbol.Shape) ]

    components, offset

/// The noise of a system whose structure is not known yet.
let private noise (model: Typed.Model) : Noise option =
    match model.Wiener with
    | [] -> None
    | wiener ->
        Some
            { Wiener = wiener
              Size = wiener |> List.map (fun w -> Shape.size w.Increment.Shape) |> List.fold Dim.add Dim.zero
              Calculus = model.Calculus
              Structure = General
              Reason = "" }

/// The first-order system, derivative operators still in it.
let normalize (model: Typed.Model) : Model =
    let components, size = place model

    { Typed = model
      Components = components
      Size = size
      Noise = noise model
      Partition = Inseparable ""
      Outputs = model.Outputs }

/// Applies a rewriting of expressions to a whole system.
let mapExpressions (f: Expr list -> Expr list) (model: Model) : Model =
    let components, outputs = together f model.Components model.Outputs
    { model with Components = components; Outputs = outputs }
