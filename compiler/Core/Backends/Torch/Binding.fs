/// A system as its equations see it in one solve: parameters and what is computed from them alone are fields.
module internal DiffEqLang.Compiler.Backends.Torch.Binding

open System.Collections.Generic
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Dynamics
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp
open DiffEqLang.Compiler.Backends.CSharp.Face
open DiffEqLang.Compiler.Backends.CSharp.Members
open DiffEqLang.Compiler.Backends.Torch.Hoisting
open DiffEqLang.Compiler.Backends.Torch.Writer

/// What the events of a system watch, as one vector, and its derivative by time along the solution.
type Watched = { Values: Expr.Expr; Rates: Expr.Expr }

/// An event, the state after it, and the derivative of that by the event's time; both empty where it changes no state.
type Jump = { Event: Event; After: Expr.Expr list; Rates: Expr.Expr list }

/// A system whose unvarying terms are fields.
type Bound =
    {
        Face: Face
        Components: Component list
        /// Where there is noise that allows it.
        Milstein: Expr.Expr list option
        /// Where there is noise.
        ItoCorrection: Expr.Expr list option
        /// Where an event passes zero.
        Watched: Watched option
        /// Of all events, in their order.
        Jumps: Jump list
        Delays: Delay list
        /// Of every component, with its derivative by time; empty where no state has one.
        History: (Expr.Expr * Expr.Expr) list
        /// Of every component's drift; empty where the system is not split.
        Parts: Typed.Parts list
        Hoisted: Hoisted list
        /// By position: what gradients flow to.
        Parameters: Symbol list
        Surroundings: Surroundings
        /// Fields with the values that the constructor gives them.
        Fields: (string * string * CSharp.Expr) list
    }

let private rolesIn role (roots: Expr.Expr list) = Expr.inputs roots |> List.filter (fun s -> s.Role = role)

/// Declared symbols come in the order of their declarations, whatever the order in which equations use them.
let private declaredFirst (declared: Symbol list) (used: Symbol list) =
    let isUsed = HashSet used
    let declaredUsed = declared |> List.filter isUsed.Contains
    let isDeclared = HashSet declaredUsed
    declaredUsed, used |> List.filter (not << isDeclared.Contains)

/// Every delay as a number or an input: what hoisting leaves where it is used, such as a sign, is computed once too, since gradients flow to it.
let private hoistDelays taken (delays: Delay list) : Delay list * Hoisted list =
    let names = Naming.Unique taken

    let hoisted (delay: Delay) =
        match delay.Value with
        | Build.Uniform _
        | { Op = Input _ } -> delay, None
        | value ->
            let symbol = { Name = names.Fresh "delay"; Role = Hoisting.role value; Shape = value.Shape }
            { delay with Value = Build.input symbol }, Some { Symbol = symbol; Value = value }

    let delays, own = delays |> List.map hoisted |> List.unzip
    delays, List.choose id own

/// What every method computes, hoisted at once: what the methods share is computed once.
let private hoistAll (model: Dynamics.Model) =
    let components = model.Components

    let ofNoise = model.Noise |> Option.map (fun noise -> Derivatives.ofNoise noise components)

    let milstein = ofNoise |> Option.bind _.Milstein
    let correction = ofNoise |> Option.map _.ItoCorrection

    let watched =
        match model.Events |> List.choose _.Watched with
        | [] -> []
        | values -> [ Build.stack values ]

    let parts =
        match model.Splitting with
        | Marked
        | LinearTerms -> components |> List.map Dynamics.partsOf
        | Unsplit _ -> []

    let alongSolution = Derivatives.alongSolution components

    let groups =
        [ components |> List.map _.Drift
          components |> List.map _.Diffusion
          Option.defaultValue [] milstein
          Option.defaultValue [] correction
          watched
          alongSolution watched
          for e in model.Events do
              e.After
              alongSolution e.After
          model.Delays |> List.map _.Value
          model.History
          Derivatives.byTime model.History
          parts |> List.map _.Explicit
          parts |> List.map _.Implicit ]

    let written = List.concat groups
    let names = Expr.inputs written |> List.map _.Name
    let roots, hoisted = Hoisting.hoist names (WeightsRight.arrange written)

    let groups =
        groups
        |> List.mapFold (fun rest group -> List.splitAt (List.length group) rest) roots
        |> fst
        |> List.toArray

    let components =
        List.zip3 components groups[0] groups[1]
        |> List.map (fun (c, drift, diffusion) -> { c with Drift = drift; Diffusion = diffusion })

    let behindEvents = 6 + 2 * model.Events.Length
    let jump i (e: Event) = { Event = e; After = groups[6 + 2 * i]; Rates = groups[7 + 2 * i] }

    let delays, ofDelays =
        List.map2 (fun (d: Delay) value -> { d with Value = value }) model.Delays groups[behindEvents]
        |> hoistDelays (names @ List.map (fun h -> h.Symbol.Name) hoisted)

    {| Roots = roots @ (delays |> List.map _.Value)
       Hoisted = hoisted @ ofDelays
       Components = components
       Milstein = milstein |> Option.map (fun _ -> groups[2])
       ItoCorrection = correction |> Option.map (fun _ -> groups[3])
       Watched =
        List.tryHead groups[4]
        |> Option.map (fun values -> { Values = values; Rates = groups[5].Head })
       Jumps = model.Events |> List.mapi jump
       Delays = delays
       History = List.zip groups[behindEvents + 1] groups[behindEvents + 2]
       Parts =
        List.map2
            (fun ofExplicit ofImplicit -> { Typed.Explicit = ofExplicit; Typed.Implicit = ofImplicit })
            groups[behindEvents + 3]
            groups[behindEvents + 4] |}

let private model = Name "model"

/// The names of fields, by symbol, and what the constructor reads from the model.
let private readFields (face: Face) (scope: Names.Scope) (symbols: Symbol list) =
    [ for s in symbols -> s, scope.Fresh s.Name, Member(model, face.Properties[s]) ]

let bind (face: Face) : Bound =
    let typed = face.Model.Typed
    let system = hoistAll face.Model
    let parameters = typed.Parameters |> List.map _.Symbol
    let constants = typed.Constants |> List.map _.Symbol
    let directly, ownParameters = declaredFirst parameters (rolesIn Parameter system.Roots)

    let hoistedParameters =
        system.Hoisted
        |> List.map _.Symbol
        |> List.filter (fun s -> List.contains s ownParameters)

    let read = system.Roots @ (system.Hoisted |> List.map _.Value)
    let needed role declared = fst (declaredFirst declared (rolesIn role read))

    let scope =
        Names.Scope(
            Seq.concat
                [ Seq.ofList Writer.parameterNames
                  Seq.ofArray Names.usedInBodies
                  Seq.ofArray Names.inheritedByEquations
                  Names.declaredByEvents face.Model.Events.Length
                  Seq.singleton face.EquationsName ]
        )

    let readFields =
        readFields face scope (needed Constant constants @ needed Parameter parameters)

    let fields = Dictionary<Symbol, CSharp.Expr>()

    for symbol, name, _ in readFields do
        fields[symbol] <- Name name

    for h in system.Hoisted do
        fields[h.Symbol] <- Name(scope.Fresh h.Symbol.Name)

    let dims = [ for d, property in face.OpenDims -> d.Name, scope.Fresh d.Name, property ]

    let surroundings: Surroundings =
        { Fields = fields
          OpenDim =
            fun name -> dims |> List.pick (fun (d, field, _) -> if d = name then Some(Name field) else None)
          Taken = scope.Taken
          Source = typed.Source
          Placement =
            [ labelled "dtype" (Member(model, "Dtype")); labelled "device" (Member(model, "Device")) ] }

    { Face = face
      Components = system.Components
      Milstein = system.Milstein
      ItoCorrection = system.ItoCorrection
      Watched = system.Watched
      Jumps = system.Jumps
      Delays = system.Delays
      History = system.History
      Parts = system.Parts
      Hoisted = system.Hoisted
      Parameters = directly @ hoistedParameters
      Surroundings = surroundings
      Fields =
        [ for _, field, property in dims -> "long", field, Member(model, property) ]
        @ [ for _, field, value in readFields -> "Tensor", field, value ] }

let private fieldName (bound: Bound) symbol =
    match bound.Surroundings.Fields[symbol] with
    | Name name -> name
    | other -> Build.internalError "A field is called %A." other

/// The fields, and the constructor that reads every parameter once and computes what does not change during the solve.
let members (bound: Bound) : Member list =
    let hoisted = bound.Hoisted |> List.map (fun h -> fieldName bound h.Symbol)
    let assign value name = statement (Assign(Name name, value))

    // What is hoisted may be made of what was hoisted before.
    let body =
        [ for _, name, value in bound.Fields -> assign value name ]
        @ (List.zip (bound.Hoisted |> List.map _.Value) hoisted
           |> Functions.writeInOrder bound.Surroundings assign)

    [ for typeName, name, _ in bound.Fields do
          privateField typeName name
      for name in hoisted do
          privateField "Tensor" name
      member'
          noDocumentation
          [ "public" ]
          (Constructor(bound.Face.EquationsName, [ parameter bound.Face.ClassName "model" ], None, body))
      overriding (
          Property(
              "IReadOnlyList<Tensor>",
              "Parameters",
              Collection [ for s in bound.Parameters -> Name(fieldName bound s) ]
          )
      ) ]
