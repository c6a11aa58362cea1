/// Shapes of one sample: the batch is implicit and never appears here.
module internal DiffEqLang.Compiler.Ir.Shape

open DiffEqLang.Compiler.Ir.Dim

/// Sizes by axis; the empty list is a scalar.
type Shape = Dim list

let scalar: Shape = []
let isScalar (s: Shape) = List.isEmpty s
let rank (s: Shape) = List.length s

/// The number of elements.
let size (s: Shape) = List.fold Dim.multiply Dim.one s

/// `R`, `R[2]`, `R[n, 3]`, as a user writes it.
let print (s: Shape) =
    match s with
    | [] -> "R"
    | _ -> sprintf "R[%s]" (s |> List.map string |> String.concat ", ")
