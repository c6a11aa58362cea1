/// Where names are used: the expressions of declarations and statements, each with the names that are bound inside it.
module internal DiffEqLang.Compiler.Checking.Sites

open DiffEqLang.Compiler.Syntax
open DiffEqLang.Compiler.Checking.Scope

/// An expression of the model, the names that are bound inside it, and whether differentials may stand in it.
type Site =
    { Expr: Tree.Expr; Locals: string list; TakesDifferentials: bool; IsSize: bool }

let site e = { Expr = e; Locals = []; TakesDifferentials = false; IsSize = false }
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

let sitesOf (definition: Definition) =
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

let sitesOfStatement (statement: Statement) =
    match statement with
    | InitialStatement(_, value)
    | HistoryStatement(_, value) -> [ site value ]
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
