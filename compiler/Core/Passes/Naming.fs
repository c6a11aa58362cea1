/// Names for shared terms, from what they are: `let hidden = ...` is `hidden`, the cube of y is `cubeY`, the
/// cotangent of `hidden` is `dHidden`. Never a number alone.
module internal DiffEqLang.Compiler.Passes.Naming

open System
open System.Collections.Generic
open DiffEqLang.Compiler.Ir.Expr

/// Hands out names that differ from each other and from those already taken: `sum`, `sum2`, `sum3`.
type Unique(taken: string seq) =
    let used = HashSet<string>(taken, StringComparer.Ordinal)
    let counts = Dictionary<string, int>(StringComparer.Ordinal)

    member _.Fresh(wanted: string) =
        if used.Add wanted then
            wanted
        else
            let mutable n =
                match counts.TryGetValue wanted with
                | true, last -> last + 1
                | _ -> 2

            while not (used.Add(sprintf "%s%d" wanted n)) do
                n <- n + 1

            counts[wanted] <- n
            sprintf "%s%d" wanted n

/// `hidden` to `Hidden`, for the second word of a name.
let capitalized (name: string) =
    if name = "" then
        name
    else
        string (Char.ToUpperInvariant name[0]) + name.Substring 1

/// `Hidden` to `hidden`, for the first word; `W1` stays.
let private decapitalized (name: string) =
    if name.Length > 1 && Char.IsUpper name[0] && Char.IsLower name[1] then
        string (Char.ToLowerInvariant name[0]) + name.Substring 1
    else
        name

/// What an input is called in names: a state at an earlier time, `x(t - tau)`, is `xDelayed`.
let ofInput (s: Symbol) =
    match s.Role with
    | Delayed -> s.Name.Substring(0, s.Name.IndexOf '(') + "Delayed"
    | Time
    | State
    | Parameter
    | Constant
    | Control
    | Increment
    | Sample
    | Step
    | Cotangent
    | Tangent -> s.Name

/// Longer names than this stop growing with their operands.
let private longest = 18

/// `tanh` and `x` give `tanhX`.
let private joined (verb: string) (operand: string option) =
    match operand with
    | Some name when verb.Length + name.Length <= longest -> verb + capitalized name
    | Some _
    | None -> verb

let private power (exponent: Expr) =
    match exponent.Op with
    | Number 2.0 -> "square"
    | Number 3.0 -> "cube"
    | Number 0.5 -> "root"
    | Number -1.0 -> "inverse"
    | Number n when n = Math.Floor n && n > 0.0 && n < 100.0 -> sprintf "power%d" (int n)
    | Number n when n < 0.0 -> "inversePower"
    | _ -> "power"

let private reduction kind =
    match kind with
    | Reduction.Sum -> "total"
    | Product -> "productOf"
    | Maximum -> "largest"
    | Minimum -> "smallest"

/// What a node is called by its own operation. `nameOf` knows inputs and what is bound already.
let private describe (nameOf: Expr -> string option) (e: Expr) =
    let operand () = e.Args |> List.tryPick nameOf

    match e.Op with
    | Number _ -> "number"
    | Input s -> ofInput s
    | Add -> "sum"
    | Subtract -> "difference"
    | Multiply ->
        match e.Args with
        | { Op = Number _ } :: rest -> joined "scaled" (List.tryPick nameOf rest)
        | _ -> "product"
    | Divide -> "ratio"
    | Power -> joined (power e.Args[1]) (nameOf e.Args[0])
    | Negate -> joined "minus" (operand ())
    | Call(name, _) -> joined (decapitalized name) (operand ())
    | Compare _
    | And
    | Or
    | Not -> "holds"
    | Select -> "selected"
    | Contract _ ->
        match List.map nameOf e.Args with
        | [ Some left; Some right ] when left.Length + right.Length <= longest -> left + capitalized right
        | _ -> "contraction"
    | Permute _ -> joined "transposed" (operand ())
    | Reduce(kind, _) -> joined (reduction kind) (operand ())
    | Broadcast _ -> joined "spread" (operand ())
    | Index(_, position) ->
        match operand () with
        | Some name -> sprintf "%sAt%d" name position
        | None -> "element"
    | Slice _ -> joined "partOf" (operand ())
    | Pad _ -> joined "padded" (operand ())
    | Stack -> "stacked"
    | Concat -> "joined"
    | Reshape _ -> joined "reshaped" (operand ())
    | Diagonal -> joined "diagonalOf" (operand ())
    | DiagonalMatrix -> joined "diagonal" (operand ())
    | Identity _ -> "identity"
    | Derivative _ -> "derivative"
    | BatchSum -> "batchSum"

/// The name that a node asks for: the user's, else one from its operation. A term of a vector-Jacobian product is a
/// cotangent, named `d` and what it is the cotangent of, where that has a name.
let wanted (nameOf: Expr -> string option) (e: Expr) =
    let given = tryOrigin e |> Option.bind _.Name
    let isCotangent = e.DependsOn.HasFlag Dependence.Cotangent

    match given, isCotangent with
    | Some name, true -> "d" + capitalized name
    | Some name, false -> name
    | None, true -> if e.DependsOn.HasFlag Dependence.Tangent then "tangent" else "cotangent"
    | None, false -> describe nameOf e
