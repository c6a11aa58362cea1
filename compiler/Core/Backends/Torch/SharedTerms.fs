/// Terms of the drift that its vector-Jacobian product needs again: the forward pass may keep them.
module internal DiffEqLang.Compiler.Backends.Torch.SharedTerms

open System.Collections.Generic
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Program
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Backends.Torch.Batching

/// What a method does with them.
type SharedTerms =
    | Unshared
    /// The method gives them out: `out Tensor[] terms`.
    | Given of Expr list
    /// The method takes them where its caller has kept them: `Tensor[]? terms`.
    | Taken of Expr list

/// What the vector-Jacobian product of values computes that the values are made of, where computing it again takes a
/// matrix product or a call: then every term that both need is worth keeping, since it is there.
let between (values: Expr list) (product: Expr list) : Expr list =
    let ofValues = HashSet<Expr>(topological values, HashIdentity.Reference)

    let isView (e: Expr) =
        match e.Op with
        | Index _
        | Slice _
        | Reshape _
        | Permute _
        | Broadcast _
        | Op.Diagonal -> true
        | _ -> false

    let isCostly (e: Expr) =
        match e.Op with
        | Contract _
        | Op.Call _ -> true
        | _ -> false

    let shared =
        (Schedule.schedule [] "" [] (product |> List.mapi (fun i e -> string i, e))).Bindings
        |> List.map _.Value
        |> List.filter (fun e ->
            ofValues.Contains e && batching e = PerSample && not (isView e) && not e.IsBoolean)

    if topological shared |> List.exists isCostly then shared else []

/// The place of an expression among terms.
let placesOf (terms: Expr list) : Expr -> int option =
    let places =
        Dictionary(terms |> Seq.mapi (fun i e -> KeyValuePair(e, i)), HashIdentity.Reference)

    fun e ->
        match places.TryGetValue e with
        | true, place -> Some place
        | _ -> None
