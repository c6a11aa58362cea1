/// An explanation in Markdown, its mathematics in LaTeX.
module internal DiffEqLang.Compiler.Backends.Explain.Markdown

open DiffEqLang.Compiler.Backends.Latex
open DiffEqLang.Compiler.Backends.Explain.Declarations
open DiffEqLang.Compiler.Backends.Explain.Explanation
open DiffEqLang.Compiler.Backends.Explain.Notation
open DiffEqLang.Compiler.Backends.Explain.Sections

let private cell (text: string) = text.Replace("|", "\\|")

let private declaration (r: Row) =
    let value = if r.Value = "" then "" else sprintf "`%s`" r.Value
    sprintf "| %s | $%s$ | `%s` | %s | %s |" r.Kind (Formula.name r.Name) r.Type (cell value) (cell r.Doc)

let private paragraph (text: string) = if text = "" then [] else [ ""; text ]

let private equations (formulas: string list) =
    match formulas with
    | [] -> []
    | formulas ->
        [ ""; "$$"; @"\begin{aligned}" ]
        @ [ for f in formulas -> f + @" \\" ]
        @ [ @"\end{aligned}"; "$$" ]

let private section (x: Explanation) (s: Section) =
    let picture =
        match pattern x with
        | _ :: _ as rows when s.HasPattern -> [ ""; "```text" ] @ rows @ [ "```" ]
        | _ -> []

    [ ""; sprintf "## %s" s.Title ]
    @ paragraph s.Introduction
    @ picture
    @ equations s.Formulas

let private solve (x: Explanation) =
    match solveLines x.Model.Typed.Solve with
    | [] -> []
    | settings ->
        [ ""; "## Solve"; ""; "| setting | value |"; "| --- | --- |" ]
        @ [ for name, value in settings -> sprintf "| %s | `%s` |" name value ]

let write (x: Explanation) : string =
    [ [ sprintf "# %s" x.Model.Typed.Name ]
      paragraph x.Model.Typed.Doc
      [ ""; "| | name | type | value | |"; "| --- | --- | --- | --- | --- |" ]
      x.Rows |> List.map declaration
      sections x |> List.collect (section x)
      solve x ]
    |> List.concat
    |> List.map (fun line -> line + "\n")
    |> String.concat ""
