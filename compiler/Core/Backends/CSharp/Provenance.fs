/// The comment behind a line of generated code: the place and text of the equation it came from.
module internal DiffEqLang.Compiler.Backends.CSharp.Provenance

open System
open System.Runtime.CompilerServices
open DiffEqLang.Contracts
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Printing

/// A comment longer than this is cut.
let private longestComment = 64

let private shortened (text: string) =
    let line =
        text.Split([| ' '; '\n'; '\r'; '\t' |], StringSplitOptions.RemoveEmptyEntries)
        |> String.concat " "

    if line.Length <= longestComment then
        line
    else
        line.Substring(0, longestComment - 3).TrimEnd() + "..."

/// A path's last part: generated code names no folders.
let fileName (path: string) = path.Replace('\\', '/').Split('/') |> Array.last

let private comment (span: SourceSpan) (text: string) : CSharp.Source option =
    if span.IsKnown then
        Some { File = fileName span.File; Line = span.Line; Text = shortened text }
    else
        None

/// The lines of a file, cut once.
let private lineTable = ConditionalWeakTable<SourceFile, string[]>()

/// The text of a place in one line, as far as its first line goes.
let private spanText (source: SourceFile) (span: SourceSpan) =
    let lines = lineTable.GetValue(source, fun s -> s.Text.Split '\n')

    if span.IsKnown && span.File = source.Path && span.Line <= lines.Length then
        let line = lines[span.Line - 1].TrimEnd('\r')
        let start = min (span.Column - 1) line.Length

        let finish =
            if span.EndLine = span.Line then
                min (span.EndColumn - 1) line.Length
            else
                line.Length

        line.Substring(start, max 0 (finish - start))
    else
        ""

/// Of a place in the model, with what stands there.
let ofSpan (source: SourceFile) (span: SourceSpan) = comment span (spanText source span)

/// Of a term, where it is known what was written for it.
let ofOrigin (origin: Origin option) = origin |> Option.bind (fun origin -> comment origin.Span origin.Text)
