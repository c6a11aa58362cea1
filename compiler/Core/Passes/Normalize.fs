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
type private Part =
    { Symbol: Symbol
      Drift: Expr
      Parts: Parts option
      Diffusion: Expr option
      Span: SourceSpan }

/// `q'` of the state q: a state of its own.
let velocity (state: Symbol) : Symbol = { Name = state.Name + "'"; Role = State; Shape = state.Shape }

let private parts (equation: Equation) =
    let whole (state: Symbol) e = Build.broadcastTo state.Shape e

    let part symbol drift span =
        { Symbol = symbol; Drift = drift; Parts = None; Diffusion = None; Span = span }

    match equation with
    | Ordinary(state, 1, right, marked, span) ->
        [ { part state (whole state right) span with Parts = marked } ]
    | Ordinary(state, 2, right, marked, span) ->
        let rate = velocity state

        [ part state (Build.input rate) span
          { part rate (whole state right) span with Parts = marked } ]
    | Ordinary(state, order, _, _, _) ->
        Build.internalError "An equation of order %d for %s." order state.Name
    | Stochastic(state, drift, diffusion, span) ->
        [ { part state (whole state drift) span with
              Diffusion = Some(whole state diffusion) } ]
    | Constraint _ -> []

/// The components in the order in which the states are declared, whatever the order of the equations.
let private ordered (model: Typed.Model) =
    let place = Dictionary(model.States |> Seq.mapi (fun i s -> KeyValuePair(s.Symbol.Name, i)))
    let placeOf (p: Part) = place[p.Symbol.Name.TrimEnd '\'']
    model.Equations |> List.collect parts |> List.sortBy placeOf

let private constraints (model: Typed.Model) : Constraint list =
    model.Equations
    |> List.choose (fun equation ->
        match equation with
        | Constraint(text, residual, span) -> Some { Text = text; Residual = residual; Span = span }
        | Ordinary _
        | Stochastic _ -> None)

/// The residuals in the shapes of the unknowns: which stands in whose place does not matter. Each unknown takes the first constraint of its
/// own shape; where one finds none, all are strung together and cut anew.
let private residuals (unknowns: Symbol list) (constraints: Constraint list) : (Expr * SourceSpan) list =
    let take (left: Constraint list, taken) (unknown: Symbol) =
        match left |> List.tryFindIndex (fun c -> c.Residual.Shape = unknown.Shape) with
        | Some i -> List.removeAt i left, (left[i].Residual, left[i].Span) :: taken
        | None -> left, taken

    let left, taken = List.fold take (constraints, []) unknowns

    if left.IsEmpty then
        List.rev taken
    else
        let flat (e: Expr) = Build.reshape [ Shape.size e.Shape ] e
        let all = constraints |> List.map (_.Residual >> flat) |> Build.concat
        let sizes = unknowns |> List.map (fun s -> Shape.size s.Shape)
        let starts = sizes |> List.scan Dim.add Dim.zero

        List.zip3 unknowns (List.take sizes.Length starts) (List.tail starts)
        |> List.map (fun (unknown, from, upTo) ->
            Build.reshape unknown.Shape (Build.slice 0 from upTo all), constraints.Head.Span)

/// The algebraic unknowns with the residuals that stand in their places.
let private algebraicParts (model: Typed.Model) =
    let symbols = model.Algebraic |> List.map _.Symbol

    List.zip symbols (residuals symbols (constraints model))
    |> List.map (fun (symbol, (residual, span)) ->
        { Symbol = symbol
          Drift = residual
          Parts = None
          Diffusion = None
          Span = span })

let private place (model: Typed.Model) : Component list * Dim =
    let docs =
        Dictionary(model.States @ model.Algebraic |> Seq.map (fun s -> KeyValuePair(s.Symbol.Name, s.Doc)))

    let isAlgebraic = HashSet(model.Algebraic |> Seq.map _.Symbol)
    let initials = Dictionary(model.Initials |> Seq.map (fun (s, e) -> KeyValuePair(s.Name, e)))

    let mutable offset = Dim.zero

    let components =
        [ for p in ordered model @ algebraicParts model do
              let doc =
                  match docs.TryGetValue p.Symbol.Name with
                  | true, d -> d
                  | _ -> ""

              let initial =
                  match initials.TryGetValue p.Symbol.Name with
                  | true, e -> Some(Build.broadcastTo p.Symbol.Shape e)
                  // A guess, where the model gives none.
                  | _ when isAlgebraic.Contains p.Symbol -> Some(Build.zeros p.Symbol.Shape)
                  | _ -> None

              { Symbol = p.Symbol
                Offset = offset
                Drift = p.Drift
                Parts = p.Parts
                IsAlgebraic = isAlgebraic.Contains p.Symbol
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

/// The events as maps of the whole state: a component that an event does not name keeps its value.
let private events (components: Component list) (model: Typed.Model) : Event list =
    [ for decl in model.Events do
          let after (c: Component) =
              decl.Jumps
              |> List.tryFind (fun (state, _) -> state = c.Symbol)
              |> Option.map (snd >> Build.broadcastTo c.Symbol.Shape)
              |> Option.defaultValue (Build.input c.Symbol)

          { Decl = decl
            Watched =
              match decl.Trigger with
              | Root(_, value) -> Some value
              | Every _
              | Once _ -> None
            After = if decl.Jumps.IsEmpty then [] else List.map after components } ]

/// The delayed states, those of one delay together.
let private delays (components: Component list) (model: Typed.Model) : Delay list =
    let componentOf (state: Symbol) = components |> List.find (fun c -> c.Symbol = state)

    [ for delay, asked in model.Delays |> List.groupBy _.Delay ->
          { Value = delay
            States = asked |> List.map (fun d -> componentOf d.State, d.Symbol) } ]

/// The past of the whole state: of a component without a history what it is at the start.
let private history (components: Component list) (model: Typed.Model) : Expr list =
    let pastOf (c: Component) =
        model.Histories
        |> List.tryFind (fun (state, _) -> state = c.Symbol)
        |> Option.map (snd >> Build.broadcastTo c.Symbol.Shape)
        |> Option.defaultValue (Build.input c.Symbol)

    if model.Histories.IsEmpty || model.Delays.IsEmpty then
        []
    else
        List.map pastOf components

/// The first-order system, derivative operators still in it.
let normalize (model: Typed.Model) : Model =
    let components, size = place model

    { Typed = model
      Components = components
      Constraints = constraints model
      Size = size
      Noise = noise model
      Events = events components model
      Delays = delays components model
      History = history components model
      Partition = Inseparable ""
      Splitting = Unsplit ""
      Outputs = model.Outputs }

/// All expressions of a system, in a fixed order.
let private expressions (model: Model) =
    [ for c in model.Components do
          c.Drift
          c.Diffusion

          for parts in Option.toList c.Parts do
              parts.Explicit
              parts.Implicit

          yield! Option.toList c.Initial
      for c in model.Constraints do
          c.Residual
      for e in model.Events do
          yield! Option.toList e.Watched
          yield! e.After
      for d in model.Delays do
          d.Value
      yield! model.History
      for o in model.Outputs do
          o.Value ]

/// Applies a rewriting of expressions to a whole system, to all at once, so that what they share stays shared.
let mapExpressions (f: Expr list -> Expr list) (model: Model) : Model =
    let results = Queue(f (expressions model))
    let next _ = results.Dequeue()

    // In the order of `expressions`.
    let components =
        model.Components
        |> List.map (fun c ->
            let drift = next ()
            let diffusion = next ()

            let parts =
                c.Parts
                |> Option.map (fun _ ->
                    let ofExplicit = next ()
                    { Explicit = ofExplicit; Implicit = next () })

            { c with
                Drift = drift
                Diffusion = diffusion
                Parts = parts
                Initial = Option.map next c.Initial })

    let constraints = model.Constraints |> List.map (fun c -> { c with Residual = next () })

    let events =
        model.Events
        |> List.map (fun e ->
            let watched = Option.map next e.Watched
            { e with Watched = watched; After = List.map next e.After })

    let delays = model.Delays |> List.map (fun d -> { d with Value = next () })

    { model with
        Components = components
        Constraints = constraints
        Events = events
        Delays = delays
        History = model.History |> List.map (fun _ -> next ())
        Outputs = model.Outputs |> List.map (fun o -> { o with Value = next () }) }
