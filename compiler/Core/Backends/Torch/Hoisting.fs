/// Takes what does not change during a solve out of its equations.
///
///     dx/dt = -exp(k) * x       becomes       rate = exp(k)        once, when the equations are bound
///                                             dx/dt = -rate * x
///
/// The value becomes one of the tensors that gradients flow to: autograd carries them on to the parameters.
module internal DiffEqLang.Compiler.Backends.Torch.Hoisting

open System.Collections.Generic
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Builtins
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Backends.Torch.Batching

/// A value computed once: the input that stands for it, and what it is.
type Hoisted = { Symbol: Symbol; Value: Expr }

/// Written where it is used: a sign or a view costs little, a number nothing.
let private stays (e: Expr) =
    match e, e.Op, e.Args with
    | Build.Uniform _, _, _ -> true
    | _, Input _, _ -> true
    | _ when e.IsBoolean -> true
    | _, (Negate | Permute _), [ { Op = Input _ } ] -> true
    | _, Broadcast _, _ -> true
    | _ -> false

/// The largest terms that only parameters and constants go into.
let private candidates (roots: Expr list) =
    let order = topological roots
    let found = HashSet<Expr>(HashIdentity.Reference)
    let isCandidate e = batching e = Single && not (stays e)

    let consider (e: Expr) =
        if isCandidate e then
            found.Add e |> ignore

    List.iter consider roots

    for e in order do
        if not (isCandidate e) then
            // What stays where it is passes the question on to what it is made of.
            List.iter consider e.Args

    order |> List.filter found.Contains

let role (e: Expr) = if e.DependsOn.HasFlag Dependence.Parameter then Parameter else Constant

/// The roots with inputs in the place of what is computed once, and these values. `taken` names are kept clear of.
let hoist (taken: string seq) (roots: Expr list) : Expr list * Hoisted list =
    let names = Naming.Unique taken

    let nameOf (e: Expr) =
        match e.Op with
        | Input s -> Some s.Name
        | _ -> None

    let hoisted =
        [ for e in candidates roots do
              let name = names.Fresh(Naming.wanted nameOf e)
              { Symbol = { Name = name; Role = role e; Shape = e.Shape }; Value = e } ]

    let replacements = Dictionary<Expr, Expr>(HashIdentity.Reference)

    for h in hoisted do
        let input = Build.input h.Symbol
        replacements[h.Value] <- input

    // A value may use another one: that is computed before it.
    let overEarlier h =
        { h with
            Value = Rebuild.substitute replacements h.Value.Args |> Rebuild.rebuild h.Value }

    Rebuild.substitute replacements roots, List.map overEarlier hoisted
