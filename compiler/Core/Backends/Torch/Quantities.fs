/// What the methods of `Equations` compute: a value for each component, from packed tensors, and its vector-Jacobian product.
module internal DiffEqLang.Compiler.Backends.Torch.Quantities

open DiffEqLang.Contracts
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Dynamics
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp
open DiffEqLang.Compiler.Backends.CSharp.Members
open DiffEqLang.Compiler.Backends.Torch.Binding
open DiffEqLang.Compiler.Backends.Torch.Functions
open DiffEqLang.Compiler.Backends.Torch.Packing
open DiffEqLang.Compiler.Backends.Torch.SharedTerms

let statePacking (bound: Bound) : Packing =
    { Name = "state"
      Parts = bound.Components |> List.map (fun c -> c.Symbol, c.Offset) }

let private cotangentPacking (bound: Bound) (cotangents: Symbol list) : Packing =
    { Name = "w"
      Parts = List.map2 (fun (c: Component) s -> s, c.Offset) bound.Components cotangents }

/// What a method computes.
type Quantity =
    {
        Name: string
        /// Whether the method is the class's own and not one that its base asks for.
        IsPrivate: bool
        Packings: Packing list
        /// One for each component.
        Results: Result list
    }

/// `dx` of a state, `residualY` of an algebraic unknown.
let private resultName (c: Component) =
    if c.IsAlgebraic then
        "residual" + Naming.capitalized c.Symbol.Name
    else
        "d" + c.Symbol.Name

/// A quantity of the base's, its results named as the differentials of the states and told from their equations.
let ofBase (bound: Bound) name packings values : Quantity =
    { Name = name
      IsPrivate = false
      Packings = packings
      Results =
        List.map2
            (fun (c: Component) value -> { Name = resultName c; Value = value; Source = c.Span })
            bound.Components
            values }

let private values (quantity: Quantity) = quantity.Results |> List.map _.Value

let private method' documentation isPrivate name parameters body =
    let kind = Method("Tensor", name, parameters, body)

    if isPrivate then
        member' documentation [ "private" ] kind
    else
        { overriding kind with Documentation = documentation }

let tensors (written: Written) = List.map (parameter "Tensor") ("t" :: written.Parameters)

/// The method that computes a quantity.
let forward (bound: Bound) (terms: SharedTerms) doc (quantity: Quantity) : Member =
    let written =
        Functions.write
            bound.Surroundings
            { Name = quantity.Name
              Packings = quantity.Packings
              Results = quantity.Results
              Gradients = []
              Terms = terms }

    let out =
        match terms with
        | Given _ -> [ parameter "out Tensor[]" "terms" ]
        | Unshared
        | Taken _ -> []

    method'
        (DocumentationComments.summary doc)
        quantity.IsPrivate
        quantity.Name
        (tensors written @ out)
        (Block written.Body)

/// What a vector-Jacobian product writes: cotangents of the components, and what it adds to the parameters' gradients.
let productBody (bound: Bound) terms name packings (product: Derivatives.VectorJacobian) : Written =
    let results =
        List.map2
            (fun (c: Component) value ->
                { Name = "d" + Naming.capitalized c.Symbol.Name
                  Value = value
                  Source = SourceSpan.None })
            bound.Components
            product.States

    Functions.write
        bound.Surroundings
        { Name = name
          Packings = packings
          Results = results
          Gradients = product.Parameters |> List.indexed |> List.filter (fun (_, e) -> not (Build.isZero e))
          Terms = terms }

/// The parameters of a vector-Jacobian product's method.
let productParameters (written: Written) = tensors written @ [ parameter "ParameterGradients" "into" ]

/// The methods of its vector-Jacobian product: one more where it takes terms that its caller may have kept.
let backward
    (bound: Bound)
    (terms: SharedTerms)
    doc
    (quantity: Quantity)
    (product: Derivatives.VectorJacobian)
    : Member list =
    let name = quantity.Name + "Vjp"
    let packings = quantity.Packings @ [ cotangentPacking bound product.Cotangents ]
    let written = productBody bound terms name packings product
    let parameters = productParameters written

    match terms with
    | Unshared
    | Given _ ->
        [ method' (DocumentationComments.summary doc) quantity.IsPrivate name parameters (Block written.Body) ]
    | Taken _ ->
        let withoutTerms =
            invoke name ([ for p in parameters -> Name p.Name ] @ [ Literals.nullLiteral ])

        let withTerms = parameters @ [ parameter "Tensor[]?" "terms" ]

        [ method' inherited false name parameters (Arrow withoutTerms)
          method' (DocumentationComments.summary doc) false name withTerms (Block written.Body) ]

/// A vector-Jacobian product with its own products arranged as those of the values are.
let arranged (product: Derivatives.VectorJacobian) : Derivatives.VectorJacobian =
    let ofStates, ofParameters =
        WeightsRight.arrange (product.States @ product.Parameters)
        |> List.splitAt product.States.Length

    { product with States = ofStates; Parameters = ofParameters }

/// The vector-Jacobian product of a quantity.
let vjp (bound: Bound) (quantity: Quantity) : Derivatives.VectorJacobian =
    arranged (Derivatives.vjp bound.Components (values quantity) bound.Parameters)

/// A quantity and its vector-Jacobian product, which compute what they share twice.
let both (bound: Bound) doc vjpDoc (quantity: Quantity) : Member list =
    forward bound Unshared doc quantity
    :: backward bound Unshared vjpDoc quantity (vjp bound quantity)
