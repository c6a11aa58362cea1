/// A document algebra: text with places where a line may break, laid out to a width.
///
/// Christian Lindig (2000), "Strictly Pretty": a strict, linear-time form of Wadler's "A prettier printer" (2003).
/// A group is laid out flat where it fits the rest of the line; else its own breaks become line ends, while the
/// groups inside it are tried again. Added here: text that waits for the end of its line (trailing comments), which
/// does not count towards the width and is aligned over neighbouring lines; and comments of a statement, which stand
/// above it where there is no room behind it.
module internal DiffEqLang.Compiler.Printing.Document

open System
open System.Collections.Generic
open System.Text

type Document =
    | Empty
    /// Without line ends.
    | Text of string
    /// The given text where its group is flat, else a line end.
    | Break of flat: string
    /// Always a line end: a group with one in it is never flat.
    | HardLine
    /// Put at the end of the line that it comes on.
    | Trailing of string
    /// A statement with its comment.
    | Commented of comment: string * Document
    /// The end of a commented statement: made by layout alone.
    | EndOfCommented of comment: string * firstLine: int
    /// Line ends inside are followed by that many spaces more.
    | Nest of spaces: int * Document
    | Group of Document
    | Append of Document * Document

let (^^) a b =
    match a, b with
    | Empty, other
    | other, Empty -> other
    | a, b -> Append(a, b)

let space = Break " "
let softBreak = Break ""

let concat (documents: Document seq) = Seq.fold (^^) Empty documents

/// `a separator b separator c`
let separated (separator: Document) (documents: Document list) =
    match documents with
    | [] -> Empty
    | first :: rest -> List.fold (fun all d -> all ^^ separator ^^ d) first rest

/// One below the other.
let lines (documents: Document list) = separated HardLine documents

/// One below the other with an empty line between.
let paragraphs (documents: Document list) = separated (HardLine ^^ HardLine) documents

/// `open`, then the content, broken onto lines of its own where it does not fit, then `close`.
let enclosed (opening: string) (closing: string) (content: Document) =
    match content with
    | Empty -> Text(opening + closing)
    | content -> Group(Text opening ^^ Nest(4, softBreak ^^ content) ^^ softBreak ^^ Text closing)

[<Struct>]
type private Mode =
    | Flat
    | Broken

type private Work = (struct (int * Mode * Document)) list

/// Whether what is to come fits into `room` columns up to the first line end.
let rec private fits room (work: Work) =
    if room < 0 then
        false
    else
        match work with
        | [] -> true
        | struct (indent, mode, document) :: rest ->
            match document with
            | Empty
            | Trailing _
            | EndOfCommented _ -> fits room rest
            | Commented(_, inner) -> fits room (struct (indent, mode, inner) :: rest)
            | Text text -> fits (room - text.Length) rest
            | Nest(spaces, inner) -> fits room (struct (indent + spaces, mode, inner) :: rest)
            | Group inner -> fits room (struct (indent, Flat, inner) :: rest)
            | Append(a, b) -> fits room (struct (indent, mode, a) :: struct (indent, mode, b) :: rest)
            | Break flat ->
                match mode with
                | Flat -> fits (room - flat.Length) rest
                | Broken -> true
            | HardLine ->
                match mode with
                | Flat -> false
                | Broken -> true

/// A finished line, the comment behind it, and the furthest column that the comment may start in.
[<Struct>]
type private Line = { Content: string; Comment: string; Furthest: int }

let private indentation (line: string) = line.Length - line.TrimStart(' ').Length

/// Columns between code and its comment.
let private gap = 3

let private layoutLines width document =
    let finished = List<Line>()
    let line = StringBuilder()
    let mutable comment = ""
    let mutable furthest = Int32.MaxValue
    let mutable pendingIndent = 0

    let endLine nextIndent =
        finished.Add { Content = line.ToString().TrimEnd(); Comment = comment; Furthest = furthest }

        line.Clear() |> ignore
        comment <- ""
        furthest <- Int32.MaxValue
        pendingIndent <- nextIndent

    /// Behind the statement where that is one line with room, else above it.
    let place (text: string) firstLine =
        let column = width - text.Length

        if firstLine = finished.Count && line.Length + gap <= column then
            comment <- text
            furthest <- column
        else
            let indent =
                if firstLine = finished.Count then
                    indentation (line.ToString())
                else
                    indentation finished[firstLine].Content

            let above = String(' ', indent) + text
            finished.Insert(firstLine, { Content = above; Comment = ""; Furthest = Int32.MaxValue })

    let write (text: string) =
        if text <> "" then
            if line.Length = 0 then
                line.Append(' ', pendingIndent) |> ignore

            line.Append text |> ignore

    let column () = if line.Length = 0 then pendingIndent else line.Length

    let rec run (work: Work) =
        match work with
        | [] -> ()
        | struct (indent, mode, document) :: rest ->
            match document with
            | Empty -> run rest
            | Text text ->
                write text
                run rest
            | Trailing text ->
                comment <- if comment = "" then text else comment + "; " + text
                run rest
            | Commented(text, inner) ->
                run (
                    struct (indent, mode, inner)
                    :: struct (indent, mode, EndOfCommented(text, finished.Count))
                    :: rest
                )
            | EndOfCommented(text, firstLine) ->
                place text firstLine
                run rest
            | Nest(spaces, inner) -> run (struct (indent + spaces, mode, inner) :: rest)
            | Append(a, b) -> run (struct (indent, mode, a) :: struct (indent, mode, b) :: rest)
            | HardLine ->
                endLine indent
                run rest
            | Break flat ->
                match mode with
                | Flat -> write flat
                | Broken -> endLine indent

                run rest
            | Group inner ->
                let isFlat = fits (width - column ()) (struct (indent, Flat, inner) :: rest)
                run (struct (indent, (if isFlat then Flat else Broken), inner) :: rest)

    run [ struct (0, Broken, document) ]
    endLine 0
    finished

/// A line longer than this keeps its comment to itself instead of pushing those of its neighbours to the right.
let private longestAligned = 84

/// Comments of consecutive lines start in one column, as far as they have room there.
let private withComments (lines: List<Line>) =
    let joins (line: Line) = line.Comment <> "" && line.Content.Length <= longestAligned
    let separator = String(' ', gap)
    let result = StringBuilder()
    let mutable at = 0

    while at < lines.Count do
        let start = at

        while at < lines.Count && joins lines[at] do
            at <- at + 1

        let column =
            Seq.fold (fun widest i -> max widest lines[i].Content.Length) 0 (seq { start .. at - 1 })

        for i in start .. at - 1 do
            result
                .Append(lines[i].Content.PadRight(min column (lines[i].Furthest - gap)))
                .Append(separator)
                .Append(lines[i].Comment)
                .Append('\n')
            |> ignore

        if at = start then
            let line = lines[at]
            result.Append(line.Content) |> ignore

            if line.Comment <> "" then
                result.Append(separator).Append(line.Comment) |> ignore

            result.Append '\n' |> ignore
            at <- at + 1

    result.ToString()

/// The text, every line ended by LF.
let layout (width: int) (document: Document) : string = layoutLines width document |> withComments
