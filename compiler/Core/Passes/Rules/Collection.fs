/// Like terms of sums, equal factors of products: 2*x + 3*x is 5*x, a*b - b*a is 0, x*x is x^2.
module internal DiffEqLang.Compiler.Passes.Rules.Collection

open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Build
open DiffEqLang.Compiler.Passes.Rules.Rule

/// Longer sums and products are left as they are, so that a long chain costs no more than its length.
let private longest = 24

/// Splits until nothing splits; None where there are more parts than `longest`.
let private flatten (split: 'T -> 'T list option) (whole: 'T) : 'T list option =
    let rec go pending (parts: 'T list) count =
        match pending with
        | [] -> Some(List.rev parts)
        | _ when count > longest -> None
        | part :: rest ->
            match split part with
            | Some pieces -> go (pieces @ rest) parts (count + 1)
            | None -> go rest (part :: parts) count

    go [ whole ] [] 0

/// A term is a number times something.
let private splitTerm (c: float, e: Expr) =
    match e.Op, e.Args with
    | Add, [ a; b ] -> Some [ c, a; c, b ]
    | Subtract, [ a; b ] -> Some [ c, a; -c, b ]
    | Negate, [ a ] -> Some [ -c, a ]
    | Multiply, [ { Op = Number d }; a ] -> Some [ c * d, a ]
    | Divide, [ a; { Op = Number d } ] when d <> 0.0 -> Some [ c / d, a ]
    | _ -> None

/// A factor is a base to a whole power.
let private splitFactor (e: Expr, n: int) =
    match e.Op, e.Args with
    | Multiply, [ a; b ] when n = 1 -> Some [ a, 1; b, 1 ]
    | Power, [ a; Whole m ] when n = 1 && m <> 1 && m <> 0 -> Some [ a, m ]
    | _ -> None

/// Equal for products of the same factors in any order.
let private productKey (e: Expr) =
    match flatten splitFactor (e, 1) with
    | Some factors -> factors |> List.map (fun (b, n) -> b.Id, n) |> List.sort
    | None -> [ e.Id, 1 ]

/// Uniform terms are numbers, and like terms of each other.
let private termKey (c: float, e: Expr) =
    match e with
    | Uniform u -> [], (c * u, number 1.0)
    | _ -> productKey e, (c, e)

let private addTerm (total: Expr option) (c: float, term: Expr) =
    match total with
    | None -> Some(scale c term)
    | Some total when c < 0.0 -> Some(sub total (scale -c term))
    | Some total -> Some(add total (scale c term))

/// The sum written out again, a positive term first where there is one.
let private sumOf (node: Expr) (terms: (float * Expr) list) =
    let leading, rest =
        match terms |> List.tryFindIndex (fun (c, _) -> c > 0.0) with
        | Some i -> [ terms[i] ], List.removeAt i terms
        | None -> [], terms

    match List.fold addTerm None (leading @ rest) with
    | None -> zeros node.Shape
    | Some total -> broadcastTo node.Shape total

let private collectTerms (node: Expr) =
    let collected terms =
        let groups = terms |> List.map termKey |> List.groupBy fst

        if groups.Length = List.length terms then
            None
        else
            groups
            |> List.map (fun (_, members) ->
                members |> List.sumBy (snd >> fst), members |> List.head |> snd |> snd)
            |> List.filter (fun (c, _) -> c <> 0.0)
            |> sumOf node
            |> Some

    match node.Op with
    | Add
    | Subtract -> flatten splitTerm (1.0, node) |> Option.bind collected
    | Number _
    | Input _
    | Multiply
    | Divide
    | Power
    | Negate
    | Call _
    | Compare _
    | And
    | Or
    | Not
    | Select
    | Contract _
    | Permute _
    | Reduce _
    | Broadcast _
    | Index _
    | Slice _
    | Pad _
    | Stack
    | Concat
    | Reshape _
    | Diagonal
    | DiagonalMatrix
    | Identity _
    | Derivative _
    | BatchSum -> None

/// Exponents of one sign add; x * x^-1 stays, for it is not 1 at 0.
let private collectFactors (node: Expr) =
    let collected factors =
        let groups = factors |> List.groupBy (fun (b: Expr, n) -> b, sign n)

        if groups |> List.forall (fun (_, members) -> members.Length = 1) then
            None
        else
            groups
            |> List.map (fun ((b, _), members) -> pow b (number (float (members |> List.sumBy snd))))
            |> List.reduce mul
            |> broadcastTo node.Shape
            |> Some

    match node.Op, node.Args with
    | Multiply, [ a; _ ] when
        (match a with
         | Uniform _ -> false
         | _ -> true)
        ->
        flatten splitFactor (node, 1) |> Option.bind collected
    | _ -> None

let rules =
    [ { Name = "like terms"
        Example =
          fun () ->
              let x, y = operand "x" [ 3 ], operand "y" [ 3 ]
              sub (add (scale 2.0 (mul x y)) (scale 3.0 x)) (mul y x)
        Apply = collectTerms }
      { Name = "equal factors"
        Example =
          fun () ->
              let x, y = operand "x" [ 3 ], operand "y" [ 3 ]
              mul (mul x y) (square x)
        Apply = collectFactors } ]
