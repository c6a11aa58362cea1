/// Resolves every name of a model: unknown ones, functions used as values and the other way round. What it leaves is an order of the
/// declarations in which each uses earlier ones only (`DeclarationOrder`).
module internal DiffEqLang.Compiler.Checking.Names

open System.Collections.Generic
open DiffEqLang.Compiler.Syntax
open DiffEqLang.Compiler.Syntax.Traversal
open DiffEqLang.Compiler.Checking.Errors
open DiffEqLang.Compiler.Checking.Scope
open DiffEqLang.Compiler.Checking.Sites

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
        checkArity r callee entity arguments
        Some entity
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
        | Tree.ImplicitPart _
        | Tree.Quoted _
        | Tree.Missing -> None)
    |> List.map _.Name

type Resolution =
    {
        /// The declarations, each after those that it uses.
        Order: Entity list
        /// Those that are defined by themselves: reported, and without a value.
        Cyclic: Set<string>
        /// Those that the model's own declarations and statements reach.
        Reached: Set<string>
    }

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
        |> List.map (fun (e, names) ->
            e.Name, List.distinct (names @ DeclarationOrder.impliedReferences scope e.Definition))
        |> Map.ofList

    let named =
        byDeclaration
        |> List.collect (fun (e, names) -> names |> List.filter (fun n -> n <> e.Name))
        |> List.append byStatements
        |> Set.ofList

    DeclarationOrder.reportUnused report scope named
    let order, cyclic = DeclarationOrder.sort report scope edges
    let own = scope.Entities |> List.filter (fun e -> not e.IsShared) |> List.map _.Name

    { Order = order
      Cyclic = cyclic
      Reached = DeclarationOrder.reachable edges (own @ byStatements) }

/// The same for one more expression in the scope.
let resolveExpression (report: Error -> unit) (functions: Set<string>) (scope: Scope) (tree: Tree.Expr) =
    site tree
    |> resolveSite { Report = report; Scope = scope; Functions = functions }
    |> ignore
