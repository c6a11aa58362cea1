/// What the documentation comments of generated members say.
module internal DiffEqLang.Compiler.Backends.CSharp.DocumentationComments

open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Printing.CSharp

/// The user's `##` lines.
let lines (doc: string) =
    doc.Split '\n'
    |> Array.toList
    |> List.map _.Trim()
    |> List.filter ((<>) "")
    |> List.map (fun line -> [ Plain line ])

/// The user's lines as one; what `otherwise` says where there are none.
let oneLine (otherwise: string) (doc: string) = if doc = "" then otherwise else doc.Replace('\n', ' ')

/// `[..., 2]`: the batch's axes before the value's own.
let batched (shape: Shape.Shape) =
    match shape with
    | [] -> "[...]"
    | shape -> sprintf "[..., %s]" (shape |> List.map string |> String.concat ", ")

/// `[times, ..., 2]`: what a solution has saved.
let saved (shape: Shape.Shape) = (batched shape).Replace("[...", "[times, ...")

/// The user's lines and the declaration: `param W : R[2, 3]`.
let declaration (kind: string) (symbol: Symbol) (doc: string) =
    let declared = Code(sprintf "%s %s : %s" kind symbol.Name (Shape.print symbol.Shape))
    { noDocumentation with Summary = lines doc @ [ [ declared ] ] }

/// The user's lines and one of ours.
let described (doc: string) (line: string) = { noDocumentation with Summary = lines doc @ [ [ Plain line ] ] }
