/// The graph of which declaration uses which: an order of them, cycles, what is reached and what is not used.
module internal DiffEqLang.Compiler.Checking.DeclarationOrder

open System.Collections.Generic
open DiffEqLang.Contracts
open DiffEqLang.Compiler.Syntax
open DiffEqLang.Compiler.Checking.Errors
open DiffEqLang.Compiler.Checking.Scope

/// What a declaration uses without naming it in an expression: a network's stages, and the declaration that brought
/// the name with it.
let impliedReferences (scope: Scope) (definition: Definition) =
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

let private reportCycle report (scope: Scope) (names: string list) =
    let entities = names |> List.map (fun n -> Map.find n scope.ByName)
    let areFunctions = entities |> List.forall (fun e -> kindOf e = FunctionName)
    let kind = if areFunctions then RecursiveFunction names else Cycle names
    report (error entities.Head.Span (Name kind))

/// Depth-first, in declaration order. `edges` gives what each declaration uses.
let sort report (scope: Scope) (edges: Map<string, string list>) =
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

let reachable (edges: Map<string, string list>) (roots: string seq) =
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
let reportUnused report (scope: Scope) (named: Set<string>) =
    let implied =
        scope.Entities
        |> List.filter (fun e -> kindOf e = NetworkName || named.Contains e.Name)
        |> List.collect (fun e -> impliedReferences scope e.Definition)
        |> Set.ofList

    for e in scope.Entities do
        if warnsWhenUnused e && not (named.Contains e.Name || implied.Contains e.Name) then
            report (error e.Span (Name(Unused(e.Name, kindOf e))))
