/// Rewrites a DAG bottom-up by named rules until none applies.
///
///     W @ diag(1 - h^2) * (-(-x))        becomes        W * (1 - h^2) * x
///
/// Values change by rounding at most, wherever they are finite. Domains are kept: x/x is not 1, sqrt(x)^2 not x. Two exceptions
/// are meant: 0 times anything is 0, x - x is 0, also where x is infinite.
module internal DiffEqLang.Compiler.Passes.Simplify

open System.Collections.Generic
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Builtins.Rebuild
open DiffEqLang.Compiler.Passes.Rules
open DiffEqLang.Compiler.Passes.Rules.Rule

/// In the order in which they are tried.
let rules: Rule list =
    Contraction.rules @ Arrangement.rules @ Arithmetic.rules @ Collection.rules

/// What a rule makes of a node, where that is another one. A rule that changes the shape is told by its name here: further up
/// it would end in a message about some other node.
let private tryRule (e: Expr) (rule: Rule) =
    match rule.Apply e with
    | Some result when result <> e ->
        if result.Shape <> e.Shape then
            Build.internalError "the rule '%s' gives a node another shape" rule.Name

        Some result
    | Some _
    | None -> None

/// The first rule that changes the node.
let private tryRules (e: Expr) = List.tryPick (tryRule e) rules

/// A bound on the rules that one node goes through: rules do not undo each other, but a new one might.
let private mostRewrites = 1000

/// Simplifies node after node; `simple` remembers what is done, so that shared parts cost once.
let private simplify (simple: Dictionary<Expr, Expr>) (root: Expr) =
    let rec settle (node: Expr) budget =
        // What a rule built may have new nodes below its top: these come first.
        let ready = topologicalBy (fun e -> if simple.ContainsKey e then [] else e.Args) [ node ]

        for e in ready do
            if not (simple.ContainsKey e) then
                let rebuilt = rebuild e (e.Args |> List.map (fun a -> simple[a]))

                simple[e] <-
                    match simple.TryGetValue rebuilt with
                    | true, done' -> done'
                    | _ ->
                        match (if budget > 0 then tryRules rebuilt else None) with
                        | Some rewritten -> settle rewritten (budget - 1)
                        | None ->
                            simple[rebuilt] <- rebuilt
                            rebuilt
                    |> carryOrigin e

        simple[node]

    settle root mostRewrites

/// The simplified roots, in order. Shared parts stay shared.
let run (roots: Expr list) : Expr list =
    let simple = Dictionary<Expr, Expr>(HashIdentity.Reference)
    roots |> List.map (simplify simple)
