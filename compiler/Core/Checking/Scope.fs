/// The names of a model: one namespace for everything that a file declares. Builtin functions live apart, in calls
/// alone, so that a model may name its states `norm`, `e` or `class`.
module internal DiffEqLang.Compiler.Checking.Scope

open System.Collections.Generic
open DiffEqLang.Contracts
open DiffEqLang.Compiler.Syntax
open DiffEqLang.Compiler.Checking.Errors

/// What stands behind a name, unchecked.
type Definition =
    | DimDefinition of value: Tree.Expr option
    | StateDefinition of Tree.TypeExpr option
    | AlgebraicDefinition of Tree.TypeExpr option
    | ParameterDefinition of Tree.TypeExpr option * Tree.ParamDecl
    | ConstantDefinition of Tree.TypeExpr option * value: Tree.Expr
    | WienerDefinition of Tree.TypeExpr option * correlation: Tree.Expr option
    | IncrementDefinition of wiener: string
    | LetDefinition of Tree.Expr
    | OutputDefinition of Tree.Expr
    | FunctionDefinition of Tree.FnDecl
    | NetworkDefinition of Tree.NetDecl
    | NetworkParameterDefinition of network: string
    /// What is not supported yet, or could not be read: an error is reported, and uses of the name stay silent.
    | UnsupportedDefinition

type Entity =
    {
        Name: string
        /// Where it is declared: the name itself.
        Span: SourceSpan
        Doc: string
        Definition: Definition
        /// Whether it stands outside the model, for all models of the file.
        IsShared: bool
    }

let kindOf (e: Entity) =
    match e.Definition with
    | DimDefinition _ -> DimName
    | StateDefinition _ -> StateName
    | AlgebraicDefinition _ -> AlgebraicName
    | ParameterDefinition _ -> ParameterName
    | ConstantDefinition _ -> ConstantName
    | WienerDefinition _ -> WienerName
    | IncrementDefinition _ -> IncrementName
    | LetDefinition _ -> LetName
    | OutputDefinition _ -> OutputName
    | FunctionDefinition _ -> FunctionName
    | NetworkDefinition _ -> NetworkName
    | NetworkParameterDefinition _ -> NetworkParameterName
    | UnsupportedDefinition -> UnsupportedName

let isFunction (kind: NameKind) =
    match kind with
    | FunctionName
    | NetworkName -> true
    | DimName
    | StateName
    | AlgebraicName
    | ParameterName
    | ConstantName
    | WienerName
    | IncrementName
    | LetName
    | OutputName
    | NetworkParameterName
    | ArgumentName
    | BuiltinName
    | UnsupportedName -> false

/// How many arguments a call of it takes, where it can be called: a state, at an earlier time.
let arity (definition: Definition) =
    match definition with
    | FunctionDefinition fn -> Some(List.length fn.Parameters)
    | NetworkDefinition _
    | StateDefinition _ -> Some 1
    | DimDefinition _
    | AlgebraicDefinition _
    | ParameterDefinition _
    | ConstantDefinition _
    | WienerDefinition _
    | IncrementDefinition _
    | LetDefinition _
    | OutputDefinition _
    | NetworkParameterDefinition _
    | UnsupportedDefinition -> None

/// The statements of a model that declare no name.
type Statement =
    | InitialStatement of target: Tree.Expr * value: Tree.Expr
    | HistoryStatement of state: Tree.Ident * value: Tree.Expr
    | EquationStatement of Tree.EquationTarget * right: Tree.Expr
    | CalculusStatement of Tree.Ident
    | EventStatement of Tree.EventKind * condition: Tree.Expr * actions: Tree.EventAction list
    | SolveStatement of Tree.Setting list

type Scope =
    {
        /// In the order of their declarations; of a name declared twice the first.
        Entities: Entity list
        ByName: Map<string, Entity>
        /// Names declared twice: what is said about one declaration may be meant for the other.
        Repeated: Set<string>
        Statements: (Statement * Tree.Declaration) list
    }

let tryFind name scope = Map.tryFind name scope.ByName

/// Names that every model has.
let builtinValues = [ "t"; "pi"; "inf" ]

/// Names that cannot be declared, with what they mean.
let private reserved = Map.ofList [ "t", "time"; "dt", "the differential of time" ]

/// A type covers the names since the one before it; names after the last type are scalars.
let private withTypes (declarators: Tree.Declarator list) =
    let folder (d: Tree.Declarator) (following, result) =
        let covering = d.Type |> Option.orElse following
        covering, (d.Name, covering) :: result

    List.foldBack folder declarators (None, []) |> snd

/// `dense(50, bias = false)`: the only way to leave the bias out.
let hasBias (dense: Tree.Stage) =
    dense.Arguments
    |> List.forall (fun a ->
        match a.Name, a.Value.Kind with
        | Some name, Tree.Name "false" -> name.Name <> "bias"
        | _ -> true)

/// The parameters that a network's dense stages make: `f_W1`, `f_b1`, `f_W2` ...: a weight, and a bias or None,
/// by stage.
let networkParameterNames (net: Tree.NetDecl) =
    net.Stages
    |> List.filter (fun s -> s.Name.Name = "dense")
    |> List.mapi (fun i stage ->
        let name letter = sprintf "%s_%s%d" net.Name.Name letter (i + 1)
        name "W", (if hasBias stage then Some(name "b") else None))

/// The names that a declaration declares, with their definitions.
let private definitions (kind: Tree.DeclarationKind) : (Tree.Ident * Definition) list =
    let typed definition declarators =
        withTypes declarators |> List.map (fun (name, typeExpr) -> name, definition typeExpr)

    let unsupported declarators = typed (fun _ -> UnsupportedDefinition) declarators

    /// With the differential that comes with each: `du` for `control u`.
    let unsupportedProcess names =
        [ for name: Tree.Ident, _ in names do
              name, UnsupportedDefinition
              { name with Name = "d" + name.Name }, UnsupportedDefinition ]

    match kind with
    | Tree.Dim(name, value) -> [ name, DimDefinition value ]
    | Tree.State declarators -> typed StateDefinition declarators
    | Tree.Algebraic declarators -> typed AlgebraicDefinition declarators
    | Tree.Param p when p.Depth.IsSome -> unsupported p.Names
    | Tree.Param p -> typed (fun typeExpr -> ParameterDefinition(typeExpr, p)) p.Names
    | Tree.Const(d, value) -> [ d.Name, ConstantDefinition(d.Type, value) ]
    | Tree.Wiener(declarators, correlation) ->
        [ for name, typeExpr in withTypes declarators do
              name, WienerDefinition(typeExpr, correlation)
              { name with Name = "d" + name.Name }, IncrementDefinition name.Name ]
    | Tree.Let(name, value) -> [ name, LetDefinition value ]
    | Tree.Output(name, value) -> [ name, OutputDefinition value ]
    | Tree.Fn fn -> [ fn.Name, FunctionDefinition fn ]
    | Tree.Net net ->
        [ net.Name, NetworkDefinition net
          for weight, bias in networkParameterNames net do
              for name in weight :: Option.toList bias do
                  { net.Name with Name = name }, NetworkParameterDefinition net.Name.Name ]
    | Tree.Sample(declarators, _) -> unsupported declarators
    | Tree.Control declarators -> unsupportedProcess (unsupported declarators)
    | Tree.Jumps(name, _) -> unsupportedProcess [ name, UnsupportedDefinition ]
    | Tree.Init _
    | Tree.History _
    | Tree.Calculus _
    | Tree.Equation _
    | Tree.Implicit _
    | Tree.Event _
    | Tree.Solve _ -> []

/// An equation of an `implicit` block: all of its right side is the stiff part.
let private markedWhole (declaration: Tree.Declaration) : Tree.Declaration =
    match declaration.Kind with
    | Tree.Equation(target, right) ->
        let marked: Tree.Expr = { Kind = Tree.ImplicitPart right; Span = right.Span }
        { declaration with Kind = Tree.Equation(target, marked) }
    | _ -> declaration

let rec private statements (declaration: Tree.Declaration) : (Statement * Tree.Declaration) list =
    let one statement = [ statement, declaration ]

    match declaration.Kind with
    | Tree.Init(target, value) -> one (InitialStatement(target, value))
    | Tree.History(state, value) -> one (HistoryStatement(state, value))
    | Tree.Equation(target, right) -> one (EquationStatement(target, right))
    | Tree.Implicit equations -> equations |> List.map markedWhole |> List.collect statements
    | Tree.Calculus name -> one (CalculusStatement name)
    | Tree.Event(kind, condition, actions) -> one (EventStatement(kind, condition, actions))
    | Tree.Solve settings -> one (SolveStatement settings)
    | Tree.Dim _
    | Tree.State _
    | Tree.Algebraic _
    | Tree.Param _
    | Tree.Const _
    | Tree.Control _
    | Tree.Wiener _
    | Tree.Jumps _
    | Tree.Sample _
    | Tree.Let _
    | Tree.Fn _
    | Tree.Net _
    | Tree.Output _ -> []

/// What the compiler does not support yet, by construct.
let private unsupported (kind: Tree.DeclarationKind) =
    match kind with
    | Tree.Param p when p.Depth.IsSome -> Some(Declaration "a depth-varying parameter")
    | Tree.Control _ -> Some(Declaration "`control`")
    | Tree.Jumps _ -> Some(Declaration "`jumps`")
    | Tree.Sample _ -> Some(Declaration "`sample`")
    | Tree.Dim _
    | Tree.State _
    | Tree.Algebraic _
    | Tree.Param _
    | Tree.Const _
    | Tree.Wiener _
    | Tree.Let _
    | Tree.Fn _
    | Tree.Net _
    | Tree.Output _
    | Tree.Init _
    | Tree.History _
    | Tree.Calculus _
    | Tree.Equation _
    | Tree.Implicit _
    | Tree.Event _
    | Tree.Solve _ -> None

/// Enters the declarations of a model (after the shared ones of its file), and reports names declared twice,
/// reserved names and what is not supported yet. What a declaration says that was not read whole is not taken for granted.
let collect
    (report: Error -> unit)
    (unread: Tree.Unread)
    (shared: Tree.Declaration list)
    (own: Tree.Declaration list)
    : Scope =
    let byName = Dictionary<string, Entity>()
    let entities = ResizeArray<Entity>()
    let repeated = HashSet<string>()

    let declare isShared (declaration: Tree.Declaration) (name: Tree.Ident, definition) =
        match Map.tryFind name.Name reserved, byName.TryGetValue name.Name with
        | _ when name.Name = "" -> () // where the parser recovered
        | None, (true, first) ->
            repeated.Add name.Name |> ignore
            report (error name.Span (Name(Redeclared(name.Name, first.Span))))
        | meaning, _ ->
            let refuse meaning = report (error name.Span (Name(Reserved(name.Name, meaning))))
            meaning |> Option.iter refuse

            let entity =
                { Name = name.Name
                  Span = name.Span
                  Doc = declaration.Doc
                  Definition =
                    if meaning.IsSome || unread.Statements |> List.exists _.Contains(name.Span) then
                        UnsupportedDefinition
                    else
                        definition
                  IsShared = isShared }

            byName[name.Name] <- entity
            entities.Add entity

    let enter isShared (declaration: Tree.Declaration) =
        unsupported declaration.Kind
        |> Option.iter (fun construct -> report (error declaration.Span (NotSupportedYet construct)))

        definitions declaration.Kind |> List.iter (declare isShared declaration)

    List.iter (enter true) shared
    List.iter (enter false) own

    { Entities = List.ofSeq entities
      Repeated = Set.ofSeq repeated
      ByName = entities |> Seq.map (fun e -> e.Name, e) |> Map.ofSeq
      Statements = List.collect statements own }
