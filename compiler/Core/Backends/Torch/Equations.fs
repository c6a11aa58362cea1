/// The nested class `Equations`: drift, diffusion and their vector-Jacobian products over packed states, with the
/// parameter values of one solve bound to its fields.
module internal DiffEqLang.Compiler.Backends.Torch.Equations

open DiffEqLang.Contracts
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Typed
open DiffEqLang.Compiler.Ir.Dynamics
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp
open DiffEqLang.Compiler.Backends.CSharp.Face
open DiffEqLang.Compiler.Backends.CSharp.Members
open DiffEqLang.Compiler.Backends.Torch.Binding
open DiffEqLang.Compiler.Backends.Torch.Functions
open DiffEqLang.Compiler.Backends.Torch.Packing
open DiffEqLang.Compiler.Backends.Torch.SharedTerms

/// More equations than this are not all named in a comment.
let private mostNamed = 6

// Packings

let private statePacking (bound: Bound) : Packing =
    { Name = "state"
      Parts = bound.Components |> List.map (fun c -> c.Symbol, c.Offset) }

let private cotangentPacking (bound: Bound) (cotangents: Symbol list) : Packing =
    { Name = "w"
      Parts = List.map2 (fun (c: Component) s -> s, c.Offset) bound.Components cotangents }

let private incrementPacking (noise: Noise) : Packing =
    let sizes = noise.Wiener |> List.map (fun w -> Shape.size w.Increment.Shape)
    let offsets = sizes |> List.scan Dim.add Dim.zero |> List.take sizes.Length

    { Name = "increments"
      Parts = List.map2 (fun (w: WienerDecl) offset -> w.Increment, offset) noise.Wiener offsets }

// Methods

/// What a method of the equations computes: a value for each component, from packed tensors.
type private Quantity = { Name: string; Packings: Packing list; Values: Expr.Expr list }

let private method' documentation name parameters body =
    { overriding (Method("Tensor", name, parameters, body)) with
        Documentation = documentation }

let private tensors (written: Written) = List.map (parameter "Tensor") ("t" :: written.Parameters)

/// The method that computes a quantity.
let private forward (bound: Bound) (terms: SharedTerms) doc (quantity: Quantity) : Member =
    let results =
        List.map2
            (fun (c: Component) value -> { Name = "d" + c.Symbol.Name; Value = value; Source = c.Span })
            bound.Components
            quantity.Values

    let written =
        Functions.write
            bound.Surroundings
            { Name = quantity.Name
              Packings = quantity.Packings
              Results = results
              Gradients = []
              Terms = terms }

    let out =
        match terms with
        | Given _ -> [ parameter "out Tensor[]" "terms" ]
        | Unshared
        | Taken _ -> []

    method' (DocumentationComments.summary doc) quantity.Name (tensors written @ out) (Block written.Body)

/// The methods of its vector-Jacobian product: one more where it takes terms that its caller may have kept.
let private backward
    (bound: Bound)
    (terms: SharedTerms)
    doc
    (quantity: Quantity)
    (product: Derivatives.VectorJacobian)
    : Member list =
    let name = quantity.Name + "Vjp"

    let results =
        List.map2
            (fun (c: Component) value ->
                { Name = "d" + Naming.capitalized c.Symbol.Name
                  Value = value
                  Source = SourceSpan.None })
            bound.Components
            product.States

    let written =
        Functions.write
            bound.Surroundings
            { Name = name
              Packings = quantity.Packings @ [ cotangentPacking bound product.Cotangents ]
              Results = results
              Gradients =
                product.Parameters |> List.indexed |> List.filter (fun (_, e) -> not (Build.isZero e))
              Terms = terms }

    let parameters = tensors written @ [ parameter "ParameterGradients" "into" ]

    match terms with
    | Unshared
    | Given _ -> [ method' (DocumentationComments.summary doc) name parameters (Block written.Body) ]
    | Taken _ ->
        let withoutTerms =
            invoke name ([ for p in parameters -> Name p.Name ] @ [ Literals.nullLiteral ])

        let withTerms = parameters @ [ parameter "Tensor[]?" "terms" ]

        [ method' inherited name parameters (Arrow withoutTerms)
          method' (DocumentationComments.summary doc) name withTerms (Block written.Body) ]

/// The vector-Jacobian product of values, its own products arranged as those of the values are.
let private vjp (bound: Bound) (values: Expr.Expr list) : Derivatives.VectorJacobian =
    let product = Derivatives.vjp bound.Components values bound.Parameters

    let ofStates, ofParameters =
        WeightsRight.arrange (product.States @ product.Parameters)
        |> List.splitAt product.States.Length

    { product with States = ofStates; Parameters = ofParameters }

/// A quantity and its vector-Jacobian product, which compute what they share twice.
let private both (bound: Bound) doc vjpDoc (quantity: Quantity) : Member list =
    let product = vjp bound quantity.Values
    forward bound Unshared doc quantity :: backward bound Unshared vjpDoc quantity product

// Drift and noise

let private batched size = DocumentationComments.batched [ size ]

/// `dx/dt, dy/dt, ...`
let private equationNames (bound: Bound) =
    let names = bound.Components |> List.map (fun c -> sprintf "d%s/dt" c.Symbol.Name)

    (if names.Length > mostNamed then
         List.take (mostNamed - 1) names @ [ "..." ]
     else
         names)
    |> String.concat ", "

let private drift (bound: Bound) : Member list =
    let size = batched bound.Face.Model.Size
    let doc = sprintf "%s.  %s -> %s" (equationNames bound) size size
    let vjpDoc = "The vector-Jacobian product of the drift; adds parameter gradients"

    let quantity =
        { Name = "Drift"
          Packings = [ statePacking bound ]
          Values = bound.Components |> List.map _.Drift }

    let product = vjp bound quantity.Values

    match SharedTerms.between quantity.Values (product.States @ product.Parameters) with
    | [] ->
        forward bound Unshared doc quantity
        :: backward bound Unshared (vjpDoc + " to the last argument.") quantity product
    | shared ->
        let ofGiven = "The drift, with the terms that its vector-Jacobian product needs again."
        let ofTaken = vjpDoc + ". Terms that were not kept are computed again."

        [ forward bound Unshared doc quantity; forward bound (Given shared) ofGiven quantity ]
        @ backward bound (Taken shared) ofTaken quantity product

let private diffusion (bound: Bound) (noise: Noise) : Member list =
    let state, increments = statePacking bound, incrementPacking noise
    let size = batched bound.Face.Model.Size

    let ofDiffusion =
        sprintf
            "The noise over a step: diffusion times increments.\n%s, increments %s -> %s"
            size
            (batched noise.Size)
            size

    let quantity name packings values = { Name = name; Packings = packings; Values = values }

    [ yield!
          quantity "Diffusion" [ state; increments ] (bound.Components |> List.map _.Diffusion)
          |> both bound ofDiffusion "The vector-Jacobian product of the noise."
      match bound.Milstein with
      | Some values ->
          yield!
              quantity "Milstein" [ state; increments ] values
              |> both
                  bound
                  "The double stochastic integrals of Milstein's scheme: half the derivative of the noise along the noise."
                  "The vector-Jacobian product of Milstein's term."
      | None -> ()
      match bound.ItoCorrection with
      | Some values ->
          yield!
              quantity "ItoCorrection" [ state ] values
              |> both
                  bound
                  "What the Itô drift has over the Stratonovich drift."
                  "The vector-Jacobian product of the correction."
      | None -> () ]

/// The positions, where the system falls into positions and momenta.
let private positions (bound: Bound) : Member list =
    let size = Literals.dim bound.Surroundings.OpenDim

    match bound.Face.Model.Partition with
    | Separable blocks ->
        [ overriding (
              Property(
                  "IReadOnlyList<(long Offset, long Length)>",
                  "Positions",
                  Collection [ for offset, length in blocks -> Tuple [ size offset; size length ] ]
              )
          ) ]
    | Inseparable _ -> []

/// The class.
let nested (face: Face) : Member =
    let bound = Binding.bind face
    let ofNoise = face.Model.Noise |> Option.map (diffusion bound) |> Option.defaultValue []

    member'
        (DocumentationComments.summary
            "The equations with one solve's parameter values; states are packed along the last axis.")
        [ "private"; "sealed" ]
        (Nested
            { Name = face.EquationsName
              Primary = None
              Base = (if face.IsStochastic then "SdeEquations" else "OdeEquations")
              Members = Binding.members bound @ positions bound @ drift bound @ ofNoise })
