/// The members of a kernel about events: what they watch, how that changes along a slope, and what they do to the state.
///
///     when falling(h) { v := -0.8*v }        EventValues  h, and its derivative along the slope given
///                                            Jump0        v becomes -0.8*v
module internal DiffEqLang.Compiler.Backends.Simd.Events

open System.Collections.Generic
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Dynamics
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp
open DiffEqLang.Compiler.Backends.Simd.Kernel
open DiffEqLang.Compiler.Backends.Simd.KernelWriter

let private inputs =
    [ parameter "Lanes" "t"; parameter readOnly "state"; parameter readOnly "parameters" ]

let private sourceOf (kernel: Kernel) (event: Event) = equationSource kernel event.Decl.Span

/// `EventValues`.
let private watched (kernel: Kernel) precision : CSharp.Member =
    let watching = kernel.Events |> List.filter _.Watched.IsSome
    let values = watching |> List.map _.Watched.Value
    let nodes = topological (values @ kernel.EventRates)
    let writer = writer kernel precision nodes
    let used = inputsAmong nodes

    for part, tangent in List.zip kernel.States kernel.Tangents do
        if used.Contains tangent then
            Storing.take writer "tangent" part.Offset tangent.Name (Build.input tangent)

    Storing.prepare writer (Dictionary()) [] (values @ kernel.EventRates)

    for i, (event, value) in List.indexed (List.zip watching values) do
        Results.give writer "values" i "value" (sourceOf kernel event) value

    for i, rate in List.indexed kernel.EventRates do
        Results.give writer "rates" i "rate" None rate

    overriding
        "void"
        "EventValues"
        (inputs
         @ [ parameter readOnly "tangent"; parameter writable "values"; parameter writable "rates" ])
        writer.Body.Statements
        (summary "What events watch, and its derivatives along a slope.")

/// What an event changes, with its place in the state.
let private changes (kernel: Kernel) (event: Event) =
    [ if not event.After.IsEmpty then
          for value, part in List.zip event.After kernel.States do
              if value <> Build.input part.Symbol then
                  value, part ]

/// `Jump0`: what an event does.
let private jump (kernel: Kernel) precision (number: int, event: Event) : CSharp.Member =
    let changes = changes kernel event
    let values = changes |> List.map fst
    let writer = writer kernel precision (topological values)
    Storing.prepare writer (Dictionary()) [] values

    for value, part in changes do
        Results.give writer "after" part.Offset (part.Symbol.Name + "After") (sourceOf kernel event) value

    { Documentation = summary (sprintf "What happens at `%s`." event.Decl.Name)
      Attributes = []
      Modifiers =
        [ "private"
          if kernel.Weights.IsEmpty then
              "static" ]
      Kind =
        Method(
            "void",
            sprintf "Jump%d" number,
            inputs @ [ parameter writable "after" ],
            Block writer.Body.Statements
        ) }

/// `Jump`, and a method for every event that changes the state.
let private jumps (kernel: Kernel) precision : CSharp.Member list =
    let changing =
        kernel.Events
        |> List.indexed
        |> List.filter (fun (_, event) -> not (changes kernel event).IsEmpty)

    let parameters = inputs @ [ parameter writable "after" ]
    let arguments = [ for p in parameters -> Name p.Name ]

    let choosing =
        [ for number, _ in changing ->
              let call = invoke (sprintf "Jump%d" number) arguments
              let isIt = Infix(Name "which", "==", Literals.integer number)
              statement (If(isIt, [ statement (Do call) ])) ]

    if changing.IsEmpty then
        []
    else
        overriding
            "void"
            "Jump"
            (parameter "int" "which" :: parameters)
            choosing
            (summary "Lets an event act.")
        :: List.map (jump kernel precision) changing

/// All members about events; none where the model has none.
let members (kernel: Kernel) precision : CSharp.Member list =
    [ if not kernel.Events.IsEmpty then
          EventSpecs.property kernel.Events

          if not kernel.EventRates.IsEmpty then
              watched kernel precision

          yield! jumps kernel precision ]
