/// What every message is made of: one line that says what is wrong, one that says what to do, and the other places
/// that explain it.
module internal DiffEqLang.Compiler.Checking.Messages.Wording

open System
open DiffEqLang.Contracts
open DiffEqLang.Grammar
open DiffEqLang.Compiler.Ir.Shape
open DiffEqLang.Compiler.Checking.Errors

type Catalogue = DiagnosticCatalogue

/// What a case is put into.
type Words =
    { Descriptor: DiagnosticDescriptor
      Message: string
      Hint: string option
      Notes: (string * SourceSpan) list }

let says descriptor message = { Descriptor = descriptor; Message = message; Hint = None; Notes = [] }

let hinting hint words = { words with Hint = Some hint }
let noting message span words = { words with Notes = words.Notes @ [ message, span ] }

let suggesting suggestion words =
    match suggestion with
    | Some name -> { words with Hint = Some(sprintf "did you mean `%s`?" name) }
    | None -> words

let private codePoints (name: string) =
    name.EnumerateRunes()
    |> Seq.map (fun rune -> sprintf "U+%04X" rune.Value)
    |> String.concat " "

/// A name in place of another; where nobody can see the difference, by their code points.
let suggestingFor (name: string) suggestion words =
    match suggestion with
    | Some near when Scripts.LookAlike(name, near) ->
        words
        |> hinting (
            sprintf "`%s` is declared, of %s; this one is %s" near (codePoints near) (codePoints name)
        )
    | Some _
    | None -> suggesting suggestion words

/// Long source text is cut: the span shows the rest.
let quote (text: string) =
    if text.Length <= 60 then
        sprintf "`%s`" text
    else
        sprintf "`%s...`" (text.Substring(0, 57).TrimEnd())

let quoteAll names = names |> List.map quote |> String.concat ", "

let number (x: float) =
    if Double.IsInfinity x then
        (if x > 0.0 then "inf" else "-inf")
    else
        x.ToString("R", Globalization.CultureInfo.InvariantCulture)

/// A sentence's beginning in the middle of another.
let lowered (text: string) =
    if text = "" then
        text
    else
        string (Char.ToLowerInvariant text[0]) + text.Substring(1).TrimEnd '.'

let kindWords kind =
    match kind with
    | DimName -> "a dim"
    | StateName -> "a state"
    | AlgebraicName -> "an algebraic unknown"
    | ParameterName -> "a parameter"
    | ConstantName -> "a constant"
    | WienerName -> "a Wiener process"
    | IncrementName -> "the increment of a Wiener process"
    | LetName -> "a `let`"
    | OutputName -> "an output"
    | FunctionName -> "a function"
    | NetworkName -> "a network"
    | NetworkParameterName -> "a network's parameter"
    | ArgumentName -> "an argument"
    | BuiltinName -> "a number"
    | UnsupportedName -> "not supported yet"

/// The operand itself with its shape, then the declarations that the shape comes from.
let showing (operand: Operand) words =
    let declarations =
        operand.Declarations
        |> List.filter (fun d -> not (List.exists (fun (_, span) -> span = d.At) words.Notes))

    declarations
    |> List.fold
        (fun words d -> noting (sprintf "declared here: `%s`" d.Label) d.At words)
        (noting (sprintf "%s is %s" (quote operand.Text) (print operand.Shape)) operand.At words)

let plural count what = if count = 1 then sprintf "1 %s" what else sprintf "%d %ss" count what
