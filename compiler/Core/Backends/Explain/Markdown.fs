/// An explanation in Markdown, its mathematics in LaTeX.
module internal DiffEqLang.Compiler.Backends.Explain.Markdown

open System.Text
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Backends.Latex
open DiffEqLang.Compiler.Backends.Explain.Explanation
open DiffEqLang.Compiler.Backends.Explain.Notation
open DiffEqLang.Compiler.Backends.Explain.Sections

/// Lines of an `aligned` block.
let private alignedLines (lines: string list) =
    [ @"\begin{aligned}" ] @ (lines |> List.map (fun l -> l + @" \\")) @ [ @"\end{aligned}" ]

let private cell (text: string) = text.Replace("|", "\\|")

let write (x: Explanation) : string =
    let out = StringBuilder()
    let line (s: string) = out.Append(s).Append('\n') |> ignore

    line (sprintf "# %s" x.Model.Typed.Name)

    if x.Model.Typed.Doc <> "" then
        line ""
        line x.Model.Typed.Doc

    line ""
    line "| | name | type | value | |"
    line "| --- | --- | --- | --- | --- |"

    for r in x.Rows do
        let value = if r.Value = "" then "" else sprintf "`%s`" r.Value

        line (
            sprintf
                "| %s | $%s$ | `%s` | %s | %s |"
                r.Kind
                (Formula.name r.Name)
                r.Type
                (cell value)
                (cell r.Doc)
        )

    for title, introduction, formulas in sections x do
        line ""
        line (sprintf "## %s" title)

        if introduction <> "" then
            line ""
            line introduction

        if title = "Jacobian" && not (pattern x).IsEmpty then
            line ""
            line "```text"
            List.iter line (pattern x)
            line "```"

        if not formulas.IsEmpty then
            line ""
            line "$$"
            List.iter line (alignedLines formulas)
            line "$$"

    match solveLines x.Model.Typed.Solve with
    | [] -> ()
    | settings ->
        line ""
        line "## Solve"
        line ""
        line "| setting | value |"
        line "| --- | --- |"

        for name, value in settings do
            line (sprintf "| %s | `%s` |" name value)

    out.ToString()
