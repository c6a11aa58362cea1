/// The nested class `Variational` of `Equations`: the equations and behind them how their states change along a direction, which gradients
/// of gradients are made of.
///
///     dx/dt = a*x        becomes        dx/dt = a*x,  dxTangent/dt = a*xTangent + aTangent*x
module internal DiffEqLang.Compiler.Backends.Torch.Variational

open System.Collections.Generic
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp
open DiffEqLang.Compiler.Backends.CSharp.Literals
open DiffEqLang.Compiler.Backends.CSharp.Members
open DiffEqLang.Compiler.Backends.Torch.Binding

let private className = "Variational"
let private equations = Name "equations"

/// The equations and their variations as one system, and its fields with what they are set to.
let private system (bound: Bound) =
    let model, directions =
        Derivatives.variational bound.Face.Model bound.Components bound.Parameters

    let drifts = model.Components |> List.map _.Drift |> WeightsRight.arrange
    let used = HashSet(Expr.inputs drifts)
    let scope = Names.Scope bound.Surroundings.Taken
    let fields = Dictionary<Symbol, CSharp.Expr>()

    let values =
        [ for KeyValue(symbol, field) in bound.Surroundings.Fields do
              match field with
              | Name name when used.Contains symbol ->
                  fields[symbol] <- field
                  name, Member(equations, name)
              | _ -> ()
          for position, symbol in List.indexed directions do
              if used.Contains symbol then
                  let name = scope.Fresh symbol.Name
                  fields[symbol] <- Name name
                  name, Element(Name "direction", [ integer position ]) ]

    let openDim name =
        match bound.Surroundings.OpenDim name with
        | Name field -> Member(equations, field)
        | other -> other

    { bound with
        Face = { bound.Face with Model = model }
        Components =
            List.map2 (fun (c: Dynamics.Component) drift -> { c with Drift = drift }) model.Components drifts
        Surroundings =
            { bound.Surroundings with
                Fields = fields
                OpenDim = openDim
                Taken = scope.Taken } },
    values

/// Whether the system's steps are differentiated again: not those of systems whose states jump, look back or are bound.
let suits (model: Dynamics.Model) =
    model.Noise.IsNone
    && model.Events.IsEmpty
    && model.Delays.IsEmpty
    && model.Constraints.IsEmpty

/// `Along`, and the class that it gives.
let members (bound: Bound) : Member list =
    let variational, fields = system bound
    let direction = "IReadOnlyList<Tensor>"
    let assign (name, value) = statement (Assign(Name name, value))

    let constructor =
        Constructor(
            className,
            [ parameter bound.Face.EquationsName "equations"; parameter direction "direction" ],
            None,
            assign ("Parameters", Member(equations, "Parameters")) :: List.map assign fields
        )

    [ overriding (
          Method(
              "OdeEquations",
              "Along",
              [ parameter direction "direction" ],
              Arrow(New(className, [ argument (Name "this"); argument (Name "direction") ]))
          )
      )
      member'
          (DocumentationComments.summary
              "The equations, and behind their states how these change along a direction in states and parameters.")
          [ "private"; "sealed" ]
          (Nested
              { Name = className
                Primary = None
                Base = "OdeEquations"
                Members =
                  [ for name, _ in fields do
                        privateField "Tensor" name
                    member' noDocumentation [ "public" ] constructor
                    overriding (GetOnly(direction, "Parameters")) ]
                  @ Drift.positions variational
                  @ Drift.members variational }) ]
