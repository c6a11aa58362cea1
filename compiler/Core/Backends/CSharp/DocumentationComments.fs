/// What the documentation comments of generated members say.
module internal DiffEqLang.Compiler.Backends.CSharp.DocumentationComments

open System
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Printing.CSharp

/// Columns for a text eight columns in, between its tags on one line.
let private longestAlone = 89

/// Columns for one of several lines.
let private width = 100

/// As many lines as a text takes.
let private wrapped (text: string) : string list =
    let words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries)

    let add (finished, line: string) (word: string) =
        if line = "" then finished, word
        elif line.Length + 1 + word.Length <= width then finished, line + " " + word
        else line :: finished, word

    if text.Length <= longestAlone then
        [ text.Trim() ]
    else
        let finished, last = Array.fold add ([], "") words
        List.rev (last :: finished)

/// The user's `##` lines.
let lines (doc: string) =
    doc.Split '\n'
    |> Array.toList
    |> List.filter (fun line -> line.Trim() <> "")
    |> List.collect wrapped
    |> List.map (fun line -> [ Plain line ])

/// Of the generator's own words.
let summary (text: string) = { noDocumentation with Summary = lines text }

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
let described (doc: string) (line: string) = { noDocumentation with Summary = lines doc @ lines line }
