/// An explanation for a LaTeX document that loads amsmath.
module internal DiffEqLang.Compiler.Backends.Explain.LatexFragment

open System.Text
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Backends.Explain.Explanation
open DiffEqLang.Compiler.Backends.Explain.Sections

let private escapeText (text: string) =
    text.Replace("_", @"\_").Replace("%", @"\%").Replace("&", @"\&").Replace("#", @"\#")

let write (x: Explanation) : string =
    let out = StringBuilder()
    let line (s: string) = out.Append(s).Append('\n') |> ignore
    line (sprintf @"\section*{%s}" (escapeText x.Model.Typed.Name))

    if x.Model.Typed.Doc <> "" then
        line (escapeText x.Model.Typed.Doc)

    for title, introduction, formulas in sections x do
        line (sprintf @"\subsection*{%s}" title)

        if introduction <> "" then
            line (escapeText introduction)

        if not formulas.IsEmpty then
            line @"\begin{align*}"
            formulas |> List.map (fun f -> f + @" \\") |> List.iter line
            line @"\end{align*}"

    out.ToString()
