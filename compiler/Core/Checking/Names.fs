/// Resolves every name of a model: unknown ones, functions used as values and the other way round, cycles. What it
/// leaves is an order of the declarations in which each uses earlier ones only.
module internal DiffEqLang.Compiler.Checking.Names

open System.Collections.Generic
open DiffEqLang.Contracts
open DiffEqLang.Compiler.Syntax
open DiffEqLang.Compiler.Checking.Errors
open DiffEqLang.Compiler.Checking.Scope

/// The direct parts of an expression.
let children (e: Tree.Expr) =
    match e.Kind with
    | Tree.Number _
    | Tree.Name _
    | Tree.Prime _
    | Tree.Quoted _
    | Tree.Missing -> []
    | Tree.Unary(_, operand) -> [ operand ]
    | Tree.Binary(_, left, _, right) -> [ left; right ]
    | Tree.Call(_, arguments) -> arguments |> List.map _.Value
    | Tree.Index(target, subscripts) ->
        target
        :: (subscripts
            |> List.collect (function
                | Tree.At position -> [ position ]
                | Tree.Range(from, upTo, _) -> Option.toList from @ Option.toList upTo))
    | Tree.Transpose operand
    | Tree.Parenthesized operand -> [ operand ]
    | Tree.Stack items -> items
    | Tree.If(condition, thenBranch, elseBranch) -> [ condition; thenBranch; elseBranch ]

/// An expression and all its parts, from left to right. Iterative: depth is no limit.
let parts (root: Tree.Expr) =
    let result = ResizeArray<Tree.Expr>()
    let pending = Stack<Tree.Expr>()
    pending.Push root

    while pending.Count > 0 do
        let e = pending.Pop()
        result.Add e

        for child in List.rev (children e) do
            pending.Push child

    List.ofSeq result

/// An expression of the model, the names that are bound inside it, and whether differentials may stand in it.
type private Site =
    { Expr: Tree.Expr; Locals: string list; TakesDifferentials: bool; IsSize: bool }

let private site e = { Expr = e; Locals = []; TakesDifferentials = false; IsSize = false }
let private size e = { site e with IsSize = true }

let private sizesOf (typeExpr: Tree.TypeExpr option) =
    typeExpr |> Option.map _.Dims |> Option.defaultValue [] |> List.map size

let private ofParameter (p: Tree.ParamDecl) =
    [ for d in Option.toList p.Distribution do
          for a in d.Arguments do
              a.Value
      yield! Option.toList p.Value
      for i in Option.toList p.Interval do
          i.Low
          i.High ]

let private isWord (a: Tree.Argument) =
    match a.Value.Kind with
    | Tree.Name "true"
    | Tree.Name "false" -> true
    | _ -> false

let private ofNetwork (net: Tree.NetDecl) =
    [ yield! net.From.Dims
      yield! net.To.Dims
      for stage in net.Stages do
          for a in stage.Arguments do
              if not (isWord a) then
                  a.Value ]

let private sitesOf (definition: Definition) =
    match definition with
    | DimDefinition value -> Option.toList value |> List.map site
    | StateDefinition typeExpr
    | AlgebraicDefinition typeExpr -> sizesOf typeExpr
    | ParameterDefinition(typeExpr, p) -> sizesOf typeExpr @ List.map site (ofParameter p)
    | ConstantDefinition(typeExpr, value) -> sizesOf typeExpr @ [ site value ]
    | WienerDefinition(typeExpr, correlation) -> sizesOf typeExpr @ List.map site (Option.toList correlation)
    | LetDefinition value
    | OutputDefinition value -> [ site value ]
    | FunctionDefinition fn -> [ { site fn.Body with Locals = fn.Parameters |> List.map _.Name } ]
    | NetworkDefinition net -> ofNetwork net |> List.map site
    | IncrementDefinition _
    | NetworkParameterDefinition _
    | UnsupportedDefinition -> []

let private sitesOfStatement (statement: Statement) =
    match statement with
    | InitialStatement(_, value) -> [ site value ]
    | EquationStatement(Tree.Differential _, right) -> [ { site right with TakesDifferentials = true } ]
    | EquationStatement((Tree.Derivative _ | Tree.Zero _), right) -> [ site right ]
    // Reported for their form alone: what stands in them says nothing about the model.
    | EquationStatement(Tree.Other _, _)
    | CalculusStatement _ -> []
    | EventStatement(_, condition, actions) ->
        site condition
        :: [ for action in actions do
                 match action with
                 | Tree.Assign(_, value, _) -> site value
                 | Tree.Stop _ -> () ]
    // Method options and setting words are no names of the model; the ends of the time span are.
    | SolveStatement settings ->
        settings
        |> List.collect (fun s ->
            match s.Value with
            | Tree.TimeSpan(from, upTo) -> [ site from; site upTo ]
            | Tree.Single _ -> [])

type private Resolver =
    {
        Report: Error -> unit
        Scope: Scope
        /// The functions that the language itself has.
        Functions: Set<string>
    }

    member r.Fail kind span : Entity option =
        r.Report(error span kind)
        None

let private suggestValue (r: Resolver) locals name =
    Spelling.suggestValue name (Seq.concat [ locals; builtinValues; r.Scope.Entities |> List.map _.Name ])

let private suggestFunction (r: Resolver) name =
    let declared = r.Scope.Entities |> List.filter (kindOf >> isFunction) |> List.map _.Name
    Spelling.suggestFunction name (Seq.append declared r.Functions)

/// `dB`, `dw`, `dx`: meant as a differential where nothing of this name is declared.
let looksLikeDifferential (scope: Scope) (name: string) =
    name.Length > 1
    && name[0] = 'd'
    && (name.Length = 2
        || System.Char.IsUpper name[1]
        || Map.containsKey (name.Substring 1) scope.ByName)

let private unknownDifferential (r: Resolver) (name: string) =
    let increments =
        r.Scope.Entities |> List.filter (fun e -> kindOf e = IncrementName) |> List.map _.Name

    UnknownDifferential(name, Spelling.suggest name increments)

/// A value's name that no declaration explains: one of the language's own, or an error.
let private resolveUndeclared (r: Resolver) (s: Site) name span =
    if List.contains name builtinValues then
        None
    elif name = "dt" then
        if s.TakesDifferentials then
            None
        else
            r.Fail (Noise(DifferentialOutside name)) span
    elif s.TakesDifferentials && looksLikeDifferential r.Scope name then
        r.Fail (Noise(unknownDifferential r name)) span
    elif r.Functions.Contains name then
        r.Fail (Name(NotAValue(name, FunctionName))) span
    else
        match suggestValue r s.Locals name with
        | None when s.IsSize -> r.Fail (Name(UnknownSize name)) span
        | suggestion -> r.Fail (Name(UnknownName(name, suggestion))) span

/// The declaration that a value's name refers to; None where there is none, or it is an error.
let private resolveValue (r: Resolver) (s: Site) name span =
    match tryFind name r.Scope with
    | _ when List.contains name s.Locals -> None
    | None -> resolveUndeclared r s name span
    | Some entity ->
        let kind = kindOf entity

        if kind = IncrementName && not s.TakesDifferentials then
            r.Fail (Noise(DifferentialOutside name)) span
        elif isFunction kind || kind = WienerName then
            r.Fail (Name(NotAValue(name, kind))) span
        else
            Some entity

let private checkArity (r: Resolver) (callee: Tree.Ident) (entity: Entity) (arguments: Tree.Argument list) =
    let names =
        arguments
        |> List.map (fun a ->
            match a.Value.Kind with
            | Tree.Name name -> name
            | _ -> "...")

    let given = arguments.Length

    arity entity.Definition
    |> Option.filter (fun arity -> arity <> given)
    |> Option.iter (fun arity ->
        let kind =
            if kindOf entity = NetworkName && given > 1 then
                NetworkArguments(callee.Name, names)
            else
                ArgumentCount(callee.Name, arity, arity, given)

        r.Report(error callee.Span (Name kind)))

/// The function or network that a call refers to. Calls have names of their own: a state `norm` leaves `norm(x)`
/// what it was.
let private resolveCall (r: Resolver) (s: Site) (callee: Tree.Ident) arguments =
    match tryFind callee.Name r.Scope with
    | Some entity when isFunction (kindOf entity) ->
        checkArity r callee entity arguments
        Some entity
    | _ when r.Functions.Contains callee.Name -> None
    | _ when List.contains callee.Name s.Locals ->
        r.Fail (Name(NotAFunction(callee.Name, ArgumentName))) callee.Span
    | Some entity when kindOf entity = UnsupportedName -> None
    | Some entity when kindOf entity = StateName ->
        r.Fail
            (NotSupportedYet(EquationForm(sprintf "a delay such as `%s(t - tau)`" callee.Name)))
            callee.Span
    | Some entity -> r.Fail (Name(NotAFunction(callee.Name, kindOf entity))) callee.Span
    | None when List.contains callee.Name builtinValues ->
        r.Fail (Name(NotAFunction(callee.Name, BuiltinName))) callee.Span
    | None -> r.Fail (Name(UnknownFunction(callee.Name, suggestFunction r callee.Name))) callee.Span

let private resolvePrime (r: Resolver) (s: Site) (state: Tree.Ident) =
    match tryFind state.Name r.Scope with
    | _ when List.contains state.Name s.Locals ->
        r.Fail (Structure(PrimeOfOther(state.Name, ArgumentName))) state.Span
    | None -> r.Fail (Name(UnknownName(state.Name, suggestValue r s.Locals state.Name))) state.Span
    | Some entity when kindOf entity = StateName -> Some entity
    | Some entity when kindOf entity = UnsupportedName -> None
    | Some entity -> r.Fail (Structure(PrimeOfOther(state.Name, kindOf entity))) state.Span

/// `dH/dp` where `H` and `p` are declared, and `dH` and `dp` are not; a sign before it belongs to the `dH`.
let rec private quotientOfDifferentials (scope: Scope) (e: Tree.Expr) =
    let isDeclared name = (tryFind name scope).IsSome

    let isDifferential (name: string) =
        name.StartsWith 'd' && isDeclared (name.Substring 1) && not (isDeclared name)

    match e.Kind with
    | Tree.Binary(Tree.Divide, { Kind = Tree.Unary(_, above) }, operator, below) ->
        let span = above.Span.To below.Span

        quotientOfDifferentials scope { Kind = Tree.Binary(Tree.Divide, above, operator, below); Span = span }
    | Tree.Binary(Tree.Divide, ({ Kind = Tree.Name above } as left), _, ({ Kind = Tree.Name below } as right)) when
        isDifferential above && isDifferential below
        ->
        Some(e.Span, (above.Substring 1, below.Substring 1), [ left; right ])
    | _ -> None

/// The declarations that a site refers to.
let private resolveSite (r: Resolver) (s: Site) =
    let parts = parts s.Expr
    let answered = HashSet<Tree.Expr>(HashIdentity.Reference)

    for e in parts do
        match quotientOfDifferentials r.Scope e with
        | Some(span, names, operands) ->
            r.Report(error span (Name(QuotientOfDifferentials names)))
            answered.UnionWith operands
        | None -> ()

    parts
    |> List.choose (fun e ->
        match e.Kind with
        | Tree.Name _ when answered.Contains e -> None
        | Tree.Name name -> resolveValue r s name e.Span
        | Tree.Call(callee, arguments) -> resolveCall r s callee arguments
        | Tree.Prime(state, _) -> resolvePrime r s state
        | Tree.Number _
        | Tree.Unary _
        | Tree.Binary _
        | Tree.Index _
        | Tree.Transpose _
        | Tree.Stack _
        | Tree.If _
        | Tree.Parenthesized _
        | Tree.Quoted _
        | Tree.Missing -> None)
    |> List.map _.Name

/// What a declaration uses without naming it in an expression: a network's stages, and the declaration that brought
/// the name with it.
let private impliedReferences (scope: Scope) (definition: Definition) =
    match definition with
    | NetworkDefinition net ->
        net.Stages
        |> List.map _.Name.Name
        |> List.filter (fun name -> tryFind name scope |> Option.exists (kindOf >> isFunction))
    | IncrementDefinition wiener -> [ wiener ]
    | NetworkParameterDefinition network -> [ network ]
    | DimDefinition _
    | StateDefinition _
    | AlgebraicDefinition _
    | ParameterDefinition _
    | ConstantDefinition _
    | WienerDefinition _
    | LetDefinition _
    | OutputDefinition _
    | FunctionDefinition _
    | UnsupportedDefinition -> []

type Resolution =
    {
        /// The declarations, each after those that it uses.
        Order: Entity list
        /// Those that are defined by themselves: reported, and without a value.
        Cyclic: Set<string>
        /// Those that the model's own declarations and statements reach.
        Reached: Set<string>
    }

let private reportCycle report (scope: Scope) (names: string list) =
    let entities = names |> List.map (fun n -> Map.find n scope.ByName)
    let areFunctions = entities |> List.forall (fun e -> kindOf e = FunctionName)
    let kind = if areFunctions then RecursiveFunction names else Cycle names
    report (error entities.Head.Span (Name kind))

/// Depth-first, in declaration order. `edges` gives what each declaration uses.
let private sort report (scope: Scope) (edges: Map<string, string list>) =
    let finished = HashSet<string>()
    let open' = HashSet<string>()
    let cyclic = HashSet<string>()
    let order = ResizeArray<Entity>()

    let close path name =
        let cycle = name :: (List.takeWhile (fun n -> n <> name) path |> List.rev)

        if not (List.forall cyclic.Contains cycle) then
            reportCycle report scope cycle

        List.iter (cyclic.Add >> ignore) cycle

    let rec visit path name =
        if open'.Contains name then
            close path name
        elif not (finished.Contains name) then
            open'.Add name |> ignore
            Map.find name edges |> List.iter (visit (name :: path))
            open'.Remove name |> ignore
            finished.Add name |> ignore
            order.Add(Map.find name scope.ByName)

    scope.Entities |> List.iter (fun e -> visit [] e.Name)
    List.ofSeq order, Set.ofSeq cyclic

let private reachable (edges: Map<string, string list>) (roots: string seq) =
    let seen = HashSet<string>()
    let pending = Stack<string> roots

    while pending.Count > 0 do
        let name = pending.Pop()

        if seen.Add name then
            Map.find name edges |> List.iter pending.Push

    Set.ofSeq seen

let private warnsWhenUnused (e: Entity) =
    match kindOf e with
    | ParameterName
    | ConstantName
    | LetName
    | FunctionName
    | NetworkName
    | WienerName -> not e.IsShared
    | DimName
    | StateName
    | AlgebraicName
    | IncrementName
    | OutputName
    | NetworkParameterName
    | ArgumentName
    | BuiltinName
    | UnsupportedName -> false

/// `dW` uses `W`, and `f_W1` uses `f`, only where something uses them.
let private reportUnused report (scope: Scope) (named: Set<string>) =
    let implied =
        scope.Entities
        |> List.filter (fun e -> kindOf e = NetworkName || named.Contains e.Name)
        |> List.collect (fun e -> impliedReferences scope e.Definition)
        |> Set.ofList

    for e in scope.Entities do
        if warnsWhenUnused e && not (named.Contains e.Name || implied.Contains e.Name) then
            report (error e.Span (Name(Unused(e.Name, kindOf e))))

/// `functions` are the names that calls may use besides the model's own.
let resolve (report: Error -> unit) (functions: Set<string>) (scope: Scope) : Resolution =
    let resolver = { Report = report; Scope = scope; Functions = functions }

    let byDeclaration =
        scope.Entities
        |> List.map (fun e -> e, sitesOf e.Definition |> List.collect (resolveSite resolver))

    let byStatements =
        scope.Statements
        |> List.collect (fst >> sitesOfStatement >> List.collect (resolveSite resolver))

    let edges =
        byDeclaration
        |> List.map (fun (e, names) -> e.Name, List.distinct (names @ impliedReferences scope e.Definition))
        |> Map.ofList

    let named =
        byDeclaration
        |> List.collect (fun (e, names) -> names |> List.filter (fun n -> n <> e.Name))
        |> List.append byStatements
        |> Set.ofList

    reportUnused report scope named
    let order, cyclic = sort report scope edges
    let own = scope.Entities |> List.filter (fun e -> not e.IsShared) |> List.map _.Name

    { Order = order
      Cyclic = cyclic
      Reached = reachable edges (own @ byStatements) }

/// The same for one more expression in the scope.
let resolveExpression (report: Error -> unit) (functions: Set<string>) (scope: Scope) (tree: Tree.Expr) =
    site tree
    |> resolveSite { Report = report; Scope = scope; Functions = functions }
    |> ignore
