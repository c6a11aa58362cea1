/// An explanation for a LaTeX document that loads amsmath.
module internal DiffEqLang.Compiler.Backends.Explain.LatexFragment

open DiffEqLang.Compiler.Backends.Explain.Explanation
open DiffEqLang.Compiler.Backends.Explain.Sections

let private escaped (text: string) =
    text
        .Replace("_", @"\_")
        .Replace("%", @"\%")
        .Replace("&", @"\&")
        .Replace("#", @"\#")
        // Fonts of text have no raised letters.
        .Replace("ⁱ", @"\textsuperscript{i}")
        .Replace("ʲ", @"\textsuperscript{j}")

/// Mathematics between dollar signs stays as it is.
let private escapeText (text: string) =
    text.Split '$'
    |> Array.mapi (fun i part -> if i % 2 = 0 then escaped part else part)
    |> String.concat "$"

let private paragraph (text: string) = if text = "" then [] else [ escapeText text ]

let private equations (formulas: string list) =
    match formulas with
    | [] -> []
    | formulas -> [ @"\begin{align*}" ] @ [ for f in formulas -> f + @" \\" ] @ [ @"\end{align*}" ]

let write (x: Explanation) : string =
    [ yield sprintf @"\section*{%s}" (escapeText x.Model.Typed.Name)
      yield! paragraph x.Model.Typed.Doc

      for s in sections x do
          yield sprintf @"\subsection*{%s}" s.Title
          yield! paragraph s.Introduction
          yield! equations s.Formulas ]
    |> List.map (fun line -> line + "\n")
    |> String.concat ""
