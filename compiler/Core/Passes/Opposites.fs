/// Computes a difference and its opposite once, and what depends on it by its size or its sign alone.
///
///     2*(b - a)/dot(b - a, b - a)^1.5        in one equation,
///     3*(a - b)/dot(a - b, a - b)^1.5        in another
///
/// become
///
///     difference = b - a,  pull = difference/dot(difference, difference)^1.5,  2*pull  and  -3*pull
///
/// For back ends only: what is explained keeps the signs that were written. Rounding stays the same: a sum's terms change places, and
/// signs are exact.
module internal DiffEqLang.Compiler.Passes.Opposites

open System.Collections.Generic
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Builtins.Rebuild
open DiffEqLang.Compiler.Passes.Rules.Rule

/// A value, or the opposite of one.
type private Signed = { IsOpposite: bool; Of: Expr }

let private plain e = { IsOpposite = false; Of = e }
let private opposite s = { s with IsOpposite = not s.IsOpposite }

let private written (s: Signed) =
    match s.IsOpposite, s.Of with
    | false, e -> e
    | true, { Op = Subtract; Args = [ a; b ] } -> Build.sub b a
    | true, e -> Build.neg e

/// a + b.
let private sum (a: Signed) (b: Signed) =
    match a.IsOpposite, b.IsOpposite with
    | false, false -> plain (Build.add a.Of b.Of)
    | false, true -> plain (Build.sub a.Of b.Of)
    | true, false -> plain (Build.sub b.Of a.Of)
    | true, true -> opposite (plain (Build.add a.Of b.Of))

/// Where an operand's sign is the result's.
let private isLinear (e: Expr) =
    match e.Op with
    | Permute _
    | Reduce(Sum, _)
    | Broadcast _
    | Index _
    | Slice _
    | Pad _
    | Reshape _
    | Diagonal
    | DiagonalMatrix -> true
    | _ -> false

let private rebuilt (node: Expr) (args: Signed list) =
    let of' () = rebuild node (args |> List.map _.Of)
    let isOpposite = args |> List.filter _.IsOpposite |> List.length |> (fun n -> n % 2 = 1)

    match node.Op, args with
    | _ when args |> List.forall (fun a -> not a.IsOpposite) -> plain (of' ())
    | Add, [ a; b ] -> sum a b
    | Subtract, [ a; b ] -> sum a (opposite b)
    | Negate, [ a ] -> opposite a
    | (Multiply | Divide | Contract _), _ -> { IsOpposite = isOpposite; Of = of' () }
    | Power, [ a; { IsOpposite = false; Of = Whole n } ] ->
        { IsOpposite = a.IsOpposite && n % 2 <> 0; Of = of' () }
    | Op.Call("abs", _), _ -> plain (of' ())
    | _ when isLinear node -> { IsOpposite = isOpposite; Of = of' () }
    | _ -> plain (rebuild node (args |> List.map written))

/// The roots, with opposites shared.
let share (roots: Expr list) : Expr list =
    let results = Dictionary<Expr, Signed>(HashIdentity.Reference)
    let differences = Dictionary<struct (Expr * Expr), Expr>()

    for node in topological roots do
        let result = rebuilt node (node.Args |> List.map (fun a -> results[a]))

        results[node] <-
            match result with
            | { IsOpposite = false; Of = { Op = Subtract; Args = [ a; b ] } as difference } ->
                match differences.TryGetValue(struct (b, a)) with
                | true, known -> opposite (plain known)
                | _ ->
                    differences[struct (a, b)] <- difference
                    result
            | _ -> result
            |> fun signed -> { signed with Of = carryOrigin node signed.Of }

    roots |> List.map (fun root -> written results[root])
