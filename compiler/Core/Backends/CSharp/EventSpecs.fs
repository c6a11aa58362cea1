/// What is fixed about a model's events, as its equations list it on either target.
///
///     when falling(h) { v := -0.8*v }        EventSpec.Falling("falling(h)")
module internal DiffEqLang.Compiler.Backends.CSharp.EventSpecs

open DiffEqLang.Compiler.Ir.Typed
open DiffEqLang.Compiler.Ir.Dynamics
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp.Literals

/// `EventSpec.Falling("falling(h)", stops: true)`
let private spec (event: Event) =
    let kind, numbers =
        match event.Decl.Trigger with
        | Root(Rising, _) -> "Rising", []
        | Root(Falling, _) -> "Falling", []
        | Root(Crossing, _) -> "Crossing", []
        | Every period -> "Every", [ period ]
        | Once time -> "At", [ time ]

    Invoke(
        Member(Name "EventSpec", kind),
        [ argument (text event.Decl.Name)
          for n in numbers do
              argument (number n)
          if event.Decl.Stops then
              labelled "stops" (Literal "true") ]
    )

/// `Events`: a line each would be clearer for many, but most models have one or two.
let property (events: Event list) : Member =
    Members.overriding (Property("IReadOnlyList<EventSpec>", "Events", Collection(List.map spec events)))
