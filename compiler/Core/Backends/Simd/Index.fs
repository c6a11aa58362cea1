/// Places in tensors that are known up to the variables of the loops around: sums of loop variables times a stride, and
/// a constant.
module internal DiffEqLang.Compiler.Backends.Simd.Index

open System.Globalization
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp

type Index =
    {
        /// Loop variables and their factors; no variable twice, no factor zero.
        Terms: (string * int) list
        Constant: int
    }

let known n = { Terms = []; Constant = n }
let variable name = { Terms = [ name, 1 ]; Constant = 0 }

let tryKnown index = if index.Terms.IsEmpty then Some index.Constant else None

let add a b =
    let names = a.Terms @ b.Terms |> List.map fst |> List.distinct

    let factor name index =
        index.Terms |> List.tryFind (fst >> (=) name) |> Option.map snd |> Option.defaultValue 0

    { Terms =
        names
        |> List.map (fun name -> name, factor name a + factor name b)
        |> List.filter (fun (_, f) -> f <> 0)
      Constant = a.Constant + b.Constant }

let scale (n: int) index =
    if n = 0 then
        known 0
    else
        { Terms = index.Terms |> List.map (fun (name, f) -> name, n * f)
          Constant = n * index.Constant }

let shift n index = { index with Constant = index.Constant + n }

/// The row-major place of `indices` in a shape.
let flat (shape: int list) (indices: Index list) =
    List.fold2 (fun place size index -> add (scale size place) index) (known 0) shape indices

/// The indices of a known row-major place.
let unflat (shape: int list) (place: int) =
    List.foldBack (fun size (indices, rest) -> known (rest % size) :: indices, rest / size) shape ([], place)
    |> fst

/// All places of a shape, row-major.
let unflatten (shape: int list) = [ for place in 0 .. List.fold (*) 1 shape - 1 -> unflat shape place ]

let private integer (n: int) = Literal(n.ToString CultureInfo.InvariantCulture)

/// As C#: `2 * j + 1`.
let expression index : CSharp.Expr =
    let term (name, factor) = if factor = 1 then Name name else Infix(integer factor, "*", Name name)

    match index.Terms, index.Constant with
    | [], n -> integer n
    | first :: rest, n ->
        let sum = List.fold (fun sum t -> Infix(sum, "+", term t)) (term first) rest

        if n = 0 then sum
        elif n < 0 then Infix(sum, "-", integer -n)
        else Infix(sum, "+", integer n)
