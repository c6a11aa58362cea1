/// Declarations, one after another in the order in which they use each other: each gives its name a value.
module internal DiffEqLang.Compiler.Checking.Declarations

open DiffEqLang.Contracts
open DiffEqLang.Compiler.Syntax
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Shape
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Typed
open DiffEqLang.Compiler.Checking.Errors
open DiffEqLang.Compiler.Checking.Context
open DiffEqLang.Compiler.Checking.Scope

/// What the declarations of a model come to. `Context` knows every name.
type Declarations =
    { Context: Context
      Dims: DimDecl list
      Constants: ConstantDecl list
      States: StateDecl list
      Algebraic: StateDecl list
      Parameters: ParameterDecl list
      Wiener: WienerDecl list
      Outputs: OutputDecl list }

/// What is decided outside the declarations.
type Choices =
    {
        /// The caller's values for dims, which win over the file's.
        Given: Map<string, int64>
        /// The order of each state's equation: `q''` declares the name `q'`.
        Orders: Map<string, int>
    }

let private withValue (entity: Entity) value (d: Declarations) =
    { d with
        Context = { d.Context with Globals = Map.add entity.Name value d.Context.Globals } }

let private poisoned entity d = withValue entity Poisoned d

let private known entity e d = withValue entity (Known e) d

let private symbol role (entity: Entity) shape = { Name = entity.Name; Role = role; Shape = shape }

let private dim (choices: Choices) (entity: Entity) (written: Tree.Expr option) d =
    let declare size =
        let decl: DimDecl =
            { Name = entity.Name
              Value = size |> Option.bind Dim.tryConstant
              Doc = entity.Doc
              Span = entity.Span }

        let size' = size |> Option.defaultValue (Dim.variable entity.Name)
        // A dim made of open dims is no dim of its own: it goes into shapes as the expression that it is.
        let isOwn = size.IsNone || decl.Value.IsSome
        let d = withValue entity (Size size') d
        if isOwn then { d with Dims = decl :: d.Dims } else d

    match Map.tryFind entity.Name choices.Given, written with
    | Some given, _ -> declare (Some(Dim.constant given))
    | None, None -> declare None
    | None, Some written ->
        match Dims.size d.Context written with
        | Some size -> declare (Some size)
        | None -> poisoned entity d

let private state (choices: Choices) (entity: Entity) typeExpr d =
    match Dims.declaredShape d.Context typeExpr with
    | None -> poisoned entity d
    | Some shape ->
        let own = symbol State entity shape
        let order = Map.tryFind entity.Name choices.Orders |> Option.defaultValue 1

        let addDerivative d k =
            let name = Expressions.primed entity.Name k
            let derivative = { own with Name = name }
            withValue { entity with Name = name } (Known(Build.input derivative)) d

        let d = known entity (Build.input own) d
        let decl: StateDecl = { Symbol = own; Doc = entity.Doc; Span = entity.Span }
        { List.fold addDerivative d [ 1 .. order - 1 ] with States = decl :: d.States }

let private algebraic (entity: Entity) typeExpr d =
    match Dims.declaredShape d.Context typeExpr with
    | None -> poisoned entity d
    | Some shape ->
        let own = symbol State entity shape
        let decl: StateDecl = { Symbol = own; Doc = entity.Doc; Span = entity.Span }
        { known entity (Build.input own) d with Algebraic = decl :: d.Algebraic }

let private declared (entity: Entity) shape : Declared = { Label = label entity.Name shape; At = entity.Span }

let private parameter (entity: Entity) typeExpr (written: Tree.ParamDecl) d =
    match Dims.declaredShape d.Context typeExpr with
    | None -> poisoned entity d
    | Some shape ->
        let own = symbol Parameter entity shape
        // The name has its shape even where its value is wrong.
        let d = known entity (Build.input own) d

        match Parameters.check d.Context (declared entity shape) entity.Name shape written with
        | None -> d
        | Some(initializer, bounds) ->
            let decl =
                { Symbol = own
                  Initializer = initializer
                  Bounds = bounds
                  Net = None
                  Doc = entity.Doc
                  Span = entity.Span }

            { d with Parameters = decl :: d.Parameters }

/// A constant without a type has the shape of its value.
let private constantValue
    (entity: Entity)
    (typeExpr: Tree.TypeExpr option)
    (written: Tree.Expr)
    (context: Context)
    =
    Expressions.elaborate context written
    |> Option.bind (
        Constants.requireRoles context written "a constant" "other constants and dims" [ Constant ]
    )
    |> Option.bind (fun value ->
        let shape =
            match typeExpr with
            | None -> Some value.Shape
            | Some typeExpr -> Dims.shape context typeExpr

        shape
        |> Option.bind (fun shape -> Constants.fill context written (declared entity shape) shape value))

let private constant (entity: Entity) typeExpr (written: Tree.Expr) d =
    match constantValue entity typeExpr written d.Context with
    | None -> poisoned entity d
    | Some value ->
        let own = symbol Constant entity value.Shape
        let d = known entity (Build.input own) d

        // Its value again, with the constants in it by theirs.
        let folding =
            { d.Context with
                Report = ignore
                Globals = Map.foldBack Map.add d.Context.Folded d.Context.Globals }

        let folded =
            constantValue entity typeExpr written folding
            |> Option.map Known
            |> Option.defaultValue Poisoned

        let decl: ConstantDecl = { Symbol = own; Value = value; Doc = entity.Doc; Span = entity.Span }

        { d with
            Context = { d.Context with Folded = Map.add entity.Name folded d.Context.Folded }
            Constants = decl :: d.Constants }

let private correlation (entity: Entity) (shape: Shape) (written: Tree.Expr) context =
    let check (value: Expr) =
        match shape with
        | [ m ] when value.Shape = [ m; m ] -> Some value
        | [ m ] -> fail context written.Span (Shape(CorrelationShape(entity.Name, [ m; m ], value.Shape)))
        | _ -> fail context written.Span (Shape(CorrelationNeedsVector(entity.Name, shape)))

    Expressions.elaborate context written
    |> Option.bind (Constants.requireRoles context written "a correlation" "constants and dims" [ Constant ])
    |> Option.bind check

let private wiener (entity: Entity) typeExpr (written: Tree.Expr option) d =
    match Dims.declaredShape d.Context typeExpr with
    | None -> poisoned entity d |> poisoned { entity with Name = "d" + entity.Name }
    | Some shape ->
        let increment = { Name = "d" + entity.Name; Role = Increment; Shape = shape }

        let decl: WienerDecl =
            { Name = entity.Name
              Increment = increment
              Correlation = written |> Option.bind (fun tree -> correlation entity shape tree d.Context)
              Span = entity.Span }

        { known { entity with Name = increment.Name } (Build.input increment) d with
            Wiener = decl :: d.Wiener }

let private network (entity: Entity) (written: Tree.NetDecl) d =
    match Nets.declare d.Context written with
    | Some(network, parameters) ->
        let add d (p: ParameterDecl) = known { entity with Name = p.Symbol.Name } (Build.input p.Symbol) d
        let d = withValue entity (Network network) (List.fold add d parameters)
        { d with Parameters = List.rev parameters @ d.Parameters }
    | None ->
        let names =
            Scope.networkParameterNames written |> List.collect (fun (w, b) -> w :: Option.toList b)

        names
        |> List.fold (fun d name -> poisoned { entity with Name = name } d) (poisoned entity d)

let private named (entity: Entity) (written: Tree.Expr) d =
    Expressions.elaborateAs d.Context (Some entity.Name) written

let private letValue entity written d =
    match named entity written d with
    | Some value -> known entity value d
    | None -> poisoned entity d

let private output (entity: Entity) (written: Tree.Expr) d =
    match named entity written d with
    | Some value ->
        let decl: OutputDecl =
            { Name = entity.Name; Value = value; Doc = entity.Doc; Span = entity.Span }

        { known entity value d with Outputs = decl :: d.Outputs }
    | None -> poisoned entity d

let private define choices d (entity: Entity) =
    match entity.Definition with
    | DimDefinition written -> dim choices entity written d
    | StateDefinition typeExpr -> state choices entity typeExpr d
    | AlgebraicDefinition typeExpr -> algebraic entity typeExpr d
    | ParameterDefinition(typeExpr, written) -> parameter entity typeExpr written d
    | ConstantDefinition(typeExpr, written) -> constant entity typeExpr written d
    | WienerDefinition(typeExpr, written) -> wiener entity typeExpr written d
    | LetDefinition written -> letValue entity written d
    | OutputDefinition written -> output entity written d
    | FunctionDefinition fn -> withValue entity (Inlined fn) d
    | NetworkDefinition net -> network entity net d
    // Their values come with the process and the network.
    | IncrementDefinition _
    | NetworkParameterDefinition _ -> d
    | UnsupportedDefinition -> poisoned entity d

/// Defines every name, then puts the declarations back into the order of the file.
let check (context: Context) (choices: Choices) (resolution: Names.Resolution) : Declarations =
    let empty =
        { Context = context
          Dims = []
          Constants = []
          States = []
          Algebraic = []
          Parameters = []
          Wiener = []
          Outputs = [] }

    let step d (entity: Entity) =
        if resolution.Cyclic.Contains entity.Name then
            poisoned entity d
        else
            define choices d entity

    let d = resolution.Order |> List.fold step empty
    let position = context.Scope.Entities |> List.mapi (fun i e -> e.Name, i) |> Map.ofList
    let written name = resolution.Reached.Contains name

    let inOrder (name: 'T -> string) (declarations: 'T list) =
        declarations
        |> List.rev
        |> List.filter (name >> written)
        |> List.sortBy (fun x -> position[name x])

    { d with
        Dims = inOrder _.Name d.Dims
        Constants = inOrder _.Symbol.Name d.Constants
        States = inOrder _.Symbol.Name d.States
        Algebraic = inOrder _.Symbol.Name d.Algebraic
        Parameters = inOrder (fun p -> p.Net |> Option.defaultValue p.Symbol.Name) d.Parameters
        Wiener = inOrder _.Name d.Wiener
        Outputs = inOrder _.Name d.Outputs }
