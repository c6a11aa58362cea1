/// Numbers, texts and sizes as C# writes them.
module internal DiffEqLang.Compiler.Backends.CSharp.Literals

open System
open System.Globalization
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Printing.CSharp

/// Integers without a point, everything else in its shortest form that reads back the same.
let number (x: float) =
    if Double.IsNaN x then
        Member(Name "double", "NaN")
    elif Double.IsPositiveInfinity x then
        Member(Name "double", "PositiveInfinity")
    elif Double.IsNegativeInfinity x then
        Member(Name "double", "NegativeInfinity")
    elif x = Math.Floor x && abs x < 1e9 then
        Literal((int64 x).ToString CultureInfo.InvariantCulture)
    else
        let text = x.ToString("R", CultureInfo.InvariantCulture)

        match text.IndexOf 'E' with
        | -1 -> Literal(if text.Contains '.' then text else text + ".0")
        | at -> Literal(sprintf "%se%d" (text.Substring(0, at)) (int (text.Substring(at + 1))))

let integer (n: int) = Literal(n.ToString CultureInfo.InvariantCulture)

let long (n: int64) = Literal(n.ToString CultureInfo.InvariantCulture)

let text (value: string) = Literal("\"" + value.Replace("\\", "\\\\").Replace("\"", "\\\"") + "\"")

let nullLiteral = Literal "null"

/// A size as C# arithmetic: `50`, `2 * n + 1`.
let dim (openDim: string -> Expr) (d: Dim) =
    let term (coefficient, names) =
        match coefficient, List.map openDim names with
        | c, [] -> long c
        | 1L, first :: rest -> List.fold (fun product f -> Infix(product, "*", f)) first rest
        | c, factors -> List.fold (fun product f -> Infix(product, "*", f)) (long c) factors

    match Dim.terms d |> List.rev with
    | [] -> integer 0
    | first :: rest -> List.fold (fun sum t -> Infix(sum, "+", term t)) (term first) rest

/// `[50, 2 * n]`.
let shape (openDim: string -> Expr) (shape: Shape.Shape) = Collection(shape |> List.map (dim openDim))
