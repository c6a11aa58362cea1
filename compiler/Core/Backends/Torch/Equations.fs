/// The nested class `Equations`: drift, diffusion and their vector-Jacobian products over packed states, with the
/// parameter values of one solve bound to its fields.
module internal DiffEqLang.Compiler.Backends.Torch.Equations

open System.Collections.Generic
open DiffEqLang.Contracts
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Dynamics
open DiffEqLang.Compiler.Builtins
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.Torch.Functions
open DiffEqLang.Compiler.Backends.Torch.Hoisting
open DiffEqLang.Compiler.Backends.Torch.ModelClass

/// More scalar states than this have their Jacobian as its nonzero entries.
let private largestDense = 16

/// A system whose unvarying terms are fields.
type private Bound =
    {
        Face: Face
        Components: Component list
        Milstein: Expr.Expr list option
        ItoCorrection: Expr.Expr list
        Hoisted: Hoisted list
        /// By position: what gradients flow to.
        Parameters: Symbol list
        Surroundings: Surroundings
        /// Fields with the values that the constructor gives them.
        Fields: (string * string * CSharp.Expr) list
    }

let private method' documentation name parameters body : CSharp.Member =
    { Documentation = documentation
      Attributes = []
      Modifiers = [ "public"; "override" ]
      Kind = Method("Tensor", name, parameters, Block body) }

let private rolesIn role (roots: Expr.Expr list) = Expr.inputs roots |> List.filter (fun s -> s.Role = role)

/// Declared symbols come in the order of their declarations, whatever the order in which equations use them.
let private declaredFirst (declared: Symbol list) (used: Symbol list) =
    let isUsed = HashSet used
    let declaredUsed = declared |> List.filter isUsed.Contains
    let isDeclared = HashSet declaredUsed
    declaredUsed, used |> List.filter (not << isDeclared.Contains)

/// Applies `f` to all values that methods compute, at once: what they share is computed once.
let private mapValues (f: Expr.Expr list -> Expr.Expr list) (components: Component list) milstein correction =
    let n = components.Length

    let groups =
        [ List.map _.Drift components
          List.map _.Diffusion components
          Option.defaultValue [] milstein
          correction ]

    let results = List.concat groups |> f |> List.toArray
    let group index (like: 'T list) = List.mapi (fun i _ -> results[index * n + i]) like
    let drifts, diffusions = group 0 components, group 1 components

    let components =
        List.map3
            (fun (c: Component) drift diffusion -> { c with Drift = drift; Diffusion = diffusion })
            components
            drifts
            diffusions

    components, milstein |> Option.map (group 2), group (if milstein.IsSome then 3 else 2) correction

let private bind (face: Face) : Bound =
    let model = face.Model
    let typed = model.Typed

    let ofNoise =
        model.Noise |> Option.map (fun noise -> Derivatives.ofNoise noise model.Components)

    let mutable roots, hoisted = [], []

    let hoist written =
        let symbolNames = Expr.inputs written |> List.map _.Name
        let rewritten, values = Hoisting.hoist symbolNames written
        roots <- rewritten
        hoisted <- values
        rewritten

    let correction = ofNoise |> Option.map _.ItoCorrection |> Option.defaultValue []

    let components, milstein, correction =
        mapValues hoist model.Components (ofNoise |> Option.bind _.Milstein) correction

    let hoisted = hoisted
    let roots = roots
    let values = hoisted |> List.map _.Value
    let declaredParameters = typed.Parameters |> List.map _.Symbol
    let declaredConstants = typed.Constants |> List.map _.Symbol
    let directly, ownParameters = declaredFirst declaredParameters (rolesIn Parameter roots)

    let hoistedParameters =
        hoisted |> List.map _.Symbol |> List.filter (fun s -> List.contains s ownParameters)

    let needed role declared = fst (declaredFirst declared (rolesIn role (roots @ values)))

    let scope =
        Names.Scope(
            Seq.concat
                [ Seq.ofList Functions.parameterNames
                  Seq.ofArray Names.usedInBodies
                  Seq.ofArray Names.inheritedByEquations
                  Seq.singleton face.EquationsName ]
        )

    let model' = Name "model"
    let fields = Dictionary<Symbol, CSharp.Expr>()

    let readFields =
        [ for s in needed Constant declaredConstants @ needed Parameter declaredParameters do
              let name = scope.Fresh s.Name
              fields[s] <- Name name
              "Tensor", name, Member(model', face.Properties[s]) ]

    let hoistedNames = [ for h in hoisted -> h, scope.Fresh h.Symbol.Name ]

    for h, name in hoistedNames do
        fields[h.Symbol] <- Name name

    let dims = [ for d, property in face.OpenDims -> d.Name, scope.Fresh d.Name, property ]

    let surroundings: Surroundings =
        { Fields = fields
          OpenDim =
            fun name ->
                dims |> List.pick (fun (dim, field, _) -> if dim = name then Some(Name field) else None)
          Taken = scope.Taken
          Source = typed.Source
          Placement =
            [ labelled "dtype" (Member(model', "Dtype"))
              labelled "device" (Member(model', "Device")) ] }

    { Face = face
      Components = components
      Milstein = milstein
      ItoCorrection = correction
      Hoisted = hoisted
      Parameters = directly @ hoistedParameters
      Surroundings = surroundings
      Fields = [ for _, field, property in dims -> "long", field, Member(model', property) ] @ readFields }

/// The constructor reads every parameter once and computes what does not change during the solve.
let private constructor (bound: Bound) =
    let terms, values =
        bound.Hoisted |> List.map _.Value |> Functions.writeSingle bound.Surroundings

    let fieldOf symbol = bound.Surroundings.Fields[symbol]

    let assignments =
        [ for _, name, value in bound.Fields -> statement (Assign(Name name, value)) ]
        @ terms
        @ [ for h, value in List.zip bound.Hoisted values -> statement (Assign(fieldOf h.Symbol, value)) ]

    let fields =
        [ for typeName, name, _ in bound.Fields do
              typeName, name
          for h in bound.Hoisted do
              match fieldOf h.Symbol with
              | Name name -> "Tensor", name
              | other -> Build.internalError "A field is called %A." other ]

    let field (typeName, name) : CSharp.Member =
        { Documentation = noDocumentation
          Attributes = []
          Modifiers = [ "private"; "readonly" ]
          Kind = Field(typeName, name, None) }

    List.map field fields
    @ [ { Documentation = noDocumentation
          Attributes = []
          Modifiers = [ "public" ]
          Kind =
            Constructor(
                bound.Face.EquationsName,
                [ parameter bound.Face.ClassName "model" ],
                None,
                assignments
            ) } ]

let private parametersProperty (bound: Bound) : CSharp.Member =
    { Documentation = inherited
      Attributes = []
      Modifiers = [ "public"; "override" ]
      Kind =
        Property(
            "IReadOnlyList<Tensor>",
            "Parameters",
            Collection [ for s in bound.Parameters -> bound.Surroundings.Fields[s] ]
        ) }

// Packings

let private statePacking (bound: Bound) : Packing =
    { Name = "state"
      Parts = bound.Components |> List.map (fun c -> c.Symbol, c.Offset) }

let private cotangentPacking (bound: Bound) (cotangents: Symbol list) : Packing =
    { Name = "w"
      Parts = List.map2 (fun (c: Component) s -> s, c.Offset) bound.Components cotangents }

let private incrementPacking (noise: Noise) : Packing =
    let mutable offset = Dim.zero

    { Name = "increments"
      Parts =
        [ for w in noise.Wiener do
              w.Increment, offset
              offset <- Dim.add offset (Shape.size w.Increment.Shape) ] }

// Methods

let private batchShape size = sprintf "[..., %s]" (string size)

let private equationNames (bound: Bound) =
    bound.Components
    |> List.map (fun c -> sprintf "d%s/dt" c.Symbol.Name)
    |> fun names -> if names.Length > 6 then List.take 5 names @ [ "..." ] else names
    |> String.concat ", "

let private tensorParameters names = List.map (parameter "Tensor") names

/// A method from packings to one packed state.
let private packedWith
    (terms: SharedTerms)
    (bound: Bound)
    documentation
    name
    packings
    prefix
    (values: Expr.Expr list)
    =
    let results =
        List.map2
            (fun (c: Component) value -> { Name = prefix c.Symbol; Value = value; Source = c.Span })
            bound.Components
            values

    let definition =
        { Name = name
          Packings = packings
          Results = results
          Gradients = []
          Terms = terms }

    let names, body = Functions.write bound.Surroundings definition

    let out =
        match terms with
        | Given _ -> [ parameter "out Tensor[]" "terms" ]
        | Unshared
        | Taken _ -> []

    method' documentation name (tensorParameters ("t" :: names) @ out) body

let private packed bound = packedWith Unshared bound

/// The vector-Jacobian product of such a method.
let private packedVjpWith
    terms
    (bound: Bound)
    documentation
    name
    packings
    (product: Derivatives.VectorJacobian)
    =

    let results =
        List.map2
            (fun (c: Component) value ->
                { Name = "d" + Naming.capitalized c.Symbol.Name
                  Value = value
                  Source = SourceSpan.None })
            bound.Components
            product.States

    let gradients =
        product.Parameters |> List.indexed |> List.filter (fun (_, e) -> not (Build.isZero e))

    let definition =
        { Name = name
          Packings = packings @ [ cotangentPacking bound product.Cotangents ]
          Results = results
          Gradients = gradients
          Terms = terms }

    let names, body = Functions.write bound.Surroundings definition
    let parameters = tensorParameters ("t" :: names) @ [ parameter "ParameterGradients" "into" ]

    match terms with
    | Unshared
    | Given _ -> [ method' documentation name parameters body ]
    | Taken _ ->
        let all = parameters @ [ parameter "Tensor[]?" "terms" ]
        let forward = invoke name ([ for p in parameters -> Name p.Name ] @ [ Literal "null" ])

        [ { method' inherited name parameters body with
              Kind = Method("Tensor", name, parameters, Arrow forward) }
          method' documentation name all body ]

let private packedVjp (bound: Bound) documentation name packings (values: Expr.Expr list) =
    Derivatives.vjp bound.Components values bound.Parameters
    |> packedVjpWith Unshared bound documentation name packings
    |> List.exactlyOne

let private derivativeName (s: Symbol) = "d" + s.Name

let private drift (bound: Bound) =
    let size = bound.Face.Model.Size
    let values = bound.Components |> List.map _.Drift
    let shapes = sprintf "%s -> %s" (batchShape size) (batchShape size)

    let product = Derivatives.vjp bound.Components values bound.Parameters
    let shared = Functions.sharedTerms values (product.States @ product.Parameters)
    let ofProduct = "The vector-Jacobian product of the drift; adds parameter gradients"

    [ packed
          bound
          (summary (sprintf "%s.  %s" (equationNames bound) shapes))
          "Drift"
          [ statePacking bound ]
          derivativeName
          values

      if shared.IsEmpty then
          yield!
              packedVjpWith
                  Unshared
                  bound
                  (summary (ofProduct + " to the last argument."))
                  "DriftVjp"
                  [ statePacking bound ]
                  product
      else
          packedWith
              (Given shared)
              bound
              (summary "The drift, with the terms that its vector-Jacobian product needs again.")
              "Drift"
              [ statePacking bound ]
              derivativeName
              values

          yield!
              packedVjpWith
                  (Taken shared)
                  bound
                  (summary (ofProduct + ". Terms that were not kept are computed again."))
                  "DriftVjp"
                  [ statePacking bound ]
                  product ]

let private diffusion (bound: Bound) (noise: Noise) : CSharp.Member list =
    let state, increments = statePacking bound, incrementPacking noise
    let values = bound.Components |> List.map _.Diffusion

    let shapes =
        sprintf
            "%s, increments %s -> %s"
            (batchShape bound.Face.Model.Size)
            (batchShape noise.Size)
            (batchShape bound.Face.Model.Size)

    [ packed
          bound
          (summary (sprintf "The noise over a step: diffusion times increments.  %s" shapes))
          "Diffusion"
          [ state; increments ]
          derivativeName
          values
      packedVjp
          bound
          (summary "The vector-Jacobian product of the noise.")
          "DiffusionVjp"
          [ state; increments ]
          values
      match bound.Milstein with
      | Some values ->
          packed
              bound
              (summary
                  "The double stochastic integrals of Milstein's scheme: half the derivative of the noise along the noise.")
              "Milstein"
              [ state; increments ]
              derivativeName
              values

          packedVjp
              bound
              (summary "The vector-Jacobian product of Milstein's term.")
              "MilsteinVjp"
              [ state; increments ]
              values
      | None -> ()
      packed
          bound
          (summary "What the Itô drift has over the Stratonovich drift.")
          "ItoCorrection"
          [ state ]
          derivativeName
          bound.ItoCorrection
      packedVjp
          bound
          (summary "The vector-Jacobian product of the correction.")
          "ItoCorrectionVjp"
          [ state ]
          bound.ItoCorrection ]

/// The class.
let nested (face: Face) : CSharp.Member =
    let bound = bind face
    let ofNoise = face.Model.Noise |> Option.map (diffusion bound) |> Option.defaultValue []

    { Documentation =
        summary "The equations with the parameter values of one solve; states are packed along the last axis."
      Attributes = []
      Modifiers = [ "private"; "sealed" ]
      Kind =
        Nested
            { Name = face.EquationsName
              Primary = None
              Base = (if face.Model.Noise.IsSome then "SdeEquations" else "OdeEquations")
              Members = constructor bound @ [ parametersProperty bound ] @ drift bound @ ofNoise } }

// The Jacobian, on the model itself: with its present parameters and under autograd.

let private publicMember documentation kind : CSharp.Member =
    { Documentation = documentation
      Attributes = []
      Modifiers = [ "public" ]
      Kind = kind }

let private jacobianMethod (face: Face) name doc (value: Expr.Expr) =
    let packing: Packing =
        { Name = "state"
          Parts = face.Model.Components |> List.map (fun c -> c.Symbol, c.Offset) }

    let names, body =
        Functions.writeValue (ModelClass.surroundings face) packing value SourceSpan.None

    let parameterDocs =
        [ "t", [ Plain "Time: [] or [...]." ] ]
        @ [ for n in names -> n.TrimStart '@', [ Plain(sprintf "Packed: %s." (batchShape face.Model.Size)) ] ]

    let documentation =
        { noDocumentation with Summary = [ [ Plain doc ] ]; Parameters = parameterDocs }

    publicMember documentation (Method("Tensor", name, tensorParameters ("t" :: names), Block body))

let private positions name doc (values: int list) : CSharp.Member =
    { Documentation = summary doc
      Attributes = []
      Modifiers = [ "public"; "static"; "readonly" ]
      Kind = Field("IReadOnlyList<int>", name, Some(Collection(values |> List.map Lowering.integer))) }

/// `Jacobian(t, state)`, or for large systems of scalars the nonzero entries alone.
let jacobian (face: Face) : CSharp.Member list =
    let components = face.Model.Components
    let isScalarSystem = components |> List.forall _.Symbol.Shape.IsEmpty

    if isScalarSystem && components.Length > largestDense then
        let entries = Derivatives.sparseJacobian components
        let values = Build.stack (entries |> List.map (fun entry -> entry.Value))
        let count = entries.Length

        [ positions
              "JacobianRows"
              "The equations of the entries of JacobianValues."
              (entries |> List.map _.Row)
          positions
              "JacobianColumns"
              "The states of the entries of JacobianValues."
              (entries |> List.map _.Column)
          jacobianMethod
              face
              "JacobianValues"
              (sprintf "The nonzero entries of the drift's Jacobian: [..., %d]." count)
              values ]
    else
        let size = string face.Model.Size

        [ jacobianMethod
              face
              "Jacobian"
              (sprintf "The Jacobian of the drift: [..., %s, %s]." size size)
              (Derivatives.denseJacobian components) ]
