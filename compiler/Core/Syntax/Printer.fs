/// The formatter: one canonical layout, in which neighbouring declarations of a kind are aligned and comments and
/// empty lines stay where they were. Only for files without syntax errors. Printing what was printed changes nothing.
module internal DiffEqLang.Compiler.Syntax.Printer

open System
open DiffEqLang.Contracts
open DiffEqLang.Compiler.Printing.Document
open DiffEqLang.Compiler.Syntax.Tree
open DiffEqLang.Compiler.Syntax.ExpressionPrinter

let private width = 100

/// A column wider than this is not aligned: the lines around it would drift apart.
let private widestColumn = 36

// Parts of declarations

let private typeText (t: TypeExpr) =
    match t.Dims with
    | [] -> Text t.Base.Name
    | dims -> Text t.Base.Name ^^ bracketed "[" "]" (List.map expression dims)

/// Names that one type covers are written before it: they carry the same type from the same place.
let rec private declaratorGroups (declarators: Declarator list) =
    match declarators with
    | [] -> []
    | first :: rest ->
        let sameType (d: Declarator) =
            match d.Type, first.Type with
            | Some a, Some b -> a.Span = b.Span
            | None, None -> true
            | _ -> false

        let together = List.takeWhile sameType rest
        (first :: together) :: declaratorGroups (List.skip together.Length rest)

let private names (declarators: Declarator list) =
    declarators |> List.map (fun d -> d.Name.Name) |> String.concat ", "

let private declaratorList declarators =
    declaratorGroups declarators
    |> List.map (fun group ->
        match group.Head.Type with
        | Some t -> Text(names group + " : ") ^^ typeText t
        | None -> Text(names group))
    |> separated (Text ", ")

let private distribution (d: Distribution) =
    if d.Arguments.IsEmpty then
        Text d.Name.Name
    else
        Text d.Name.Name ^^ arguments d.Arguments

let private interval (i: Interval) =
    let opening, closing = (if i.LowClosed then "[" else "("), (if i.HighClosed then "]" else ")")
    Text opening ^^ expression i.Low ^^ Text ", " ^^ expression i.High ^^ Text closing

let private equals value = Text "= " ^^ Nest(4, expression value)

let private optional (prefix: string) print value =
    match value with
    | Some value -> Text prefix ^^ print value
    | None -> Empty

// Declarations as columns, which neighbours share

/// What a line consists of: the kind of its neighbours to be aligned with, and its columns.
type private Columns = { Kind: string; Parts: Document list }

let private line parts = { Kind = ""; Parts = parts }

let private param (p: ParamDecl) =
    let depth = optional "" (fun (d: Ident) -> Text $"({d.Name})") p.Depth

    // One type for all names stands in a column of its own.
    let head, covering =
        match declaratorGroups p.Names with
        | [ group ] -> Text("param " + names group) ^^ depth, optional ": " typeText group.Head.Type
        | _ -> Text "param " ^^ declaratorList p.Names, Empty

    let origin =
        [ optional "~ " distribution p.Distribution; optional "= " expression p.Value ]
        |> List.filter (fun part -> not part.IsEmpty)
        |> separated (Text " ")

    { Kind = "param"
      Parts = [ head; covering; origin; optional "in " interval p.Interval ] }

let private stage (s: Stage) = Text s.Name.Name ^^ (if s.HasArguments then arguments s.Arguments else Empty)

let private net (n: NetDecl) =
    let stages = n.Stages |> List.map stage |> separated (space ^^ Text "|> ")

    { Kind = "net"
      Parts =
        [ Text $"net {n.Name.Name}"
          Text ": " ^^ typeText n.From ^^ Text " -> " ^^ typeText n.To
          Text "= " ^^ Nest(4, Group stages) ] }

let private fn (f: FnDecl) =
    let parameters = f.Parameters |> List.map _.Name |> String.concat ", "

    { Kind = "fn"
      Parts = [ Text $"fn {f.Name.Name}({parameters})"; equals f.Body ] }

let private targetText target =
    match target with
    | Derivative(state, 1) -> Text $"d{state.Name}/dt"
    | Derivative(state, order) -> Text $"d%d{order}{state.Name}/dt%d{order}"
    | Differential state -> Text $"d{state.Name}"
    | Zero _ -> Text "0"
    | Other expr -> expression expr

let private definition kind name value = { Kind = kind; Parts = [ Text $"{kind} " ^^ name; equals value ] }

let private actionText action =
    match action with
    | Assign(target, value, _) -> expression target ^^ Text " := " ^^ Nest(4, expression value)
    | Stop _ -> Text "stop"

let private setting (s: Setting) =
    let value =
        match s.Value with
        | Single value -> expression value
        | TimeSpan(from, upTo) -> expression from ^^ Text " .. " ^^ expression upTo

    { Kind = "setting"; Parts = [ Text s.Name.Name; Text "= " ^^ Nest(4, value) ] }

let private eventKind kind =
    match kind with
    | Rising -> "rising"
    | Falling -> "falling"
    | Crossing -> "crossing"
    | Every -> "every"
    | Once -> "at"

// Lines with their comments

/// A line or a block, with what stands above it.
type private Entry =
    { Blank: bool; Above: Document list; Columns: Columns; Trailing: string option }

let private entryText entry columns =
    let comment = optional "" Trailing entry.Trailing
    lines (entry.Above @ [ columns ^^ comment ])

/// The columns of neighbours, each padded to its widest. A column that none of them fills takes no room.
let private align (run: Entry list) =
    let cells = run |> List.map (fun e -> e.Columns.Parts |> List.map flatText)
    let widths = cells |> List.transpose |> List.map (List.map String.length >> List.max)
    let last = widths.Length - 1

    let text (cells: string list) =
        List.zip cells widths
        |> List.mapi (fun i (cell, width) ->
            if width = 0 then ""
            elif i = last then cell
            else cell.PadRight width)
        |> List.filter (fun cell -> cell <> "")
        |> String.concat " "
        |> _.TrimEnd()

    let texts = List.map text cells
    let fits = List.forall (fun (t: string) -> t.Length <= width - 2) texts
    let isNarrow = widths |> List.take last |> List.forall (fun w -> w <= widestColumn)
    if fits && isNarrow then Some(List.map Text texts) else None

let private unaligned entry =
    entry.Columns.Parts
    |> List.filter (fun part -> not part.IsEmpty)
    |> separated (Text " ")
    |> Group

/// Entries that stand together: one kind, no empty line, comment or documentation between.
let rec private runs (entries: Entry list) =
    match entries with
    | [] -> []
    | first :: rest ->
        let joins e =
            e.Columns.Kind = first.Columns.Kind
            && e.Columns.Kind <> ""
            && not e.Blank
            && e.Above.IsEmpty

        let together = List.takeWhile joins rest
        (first :: together) :: runs (List.skip together.Length rest)

let private below (entries: Entry list) =
    let texts =
        [ for run in runs entries do
              let columns =
                  match if run.Tail.IsEmpty then None else align run with
                  | Some aligned -> aligned
                  | None -> List.map unaligned run

              yield! List.map2 entryText run columns ]

    List.zip entries texts
    |> List.mapi (fun i (entry, text) -> if entry.Blank && i > 0 then HardLine ^^ text else text)
    |> lines

/// What the tree does not hold but the formatter keeps: comments not yet printed, and the lines of the source.
type private Margin(file: File) =
    let sourceLines = file.Source.Text.Split '\n'
    let mutable pending = file.Comments

    let take condition =
        let taken, rest = List.partition condition pending
        pending <- rest
        taken

    let isBlank line =
        line >= 1 && line <= sourceLines.Length && String.IsNullOrWhiteSpace sourceLines[line - 1]

    let isDocumentation line = line >= 1 && sourceLines[line - 1].TrimStart().StartsWith "##"

    member _.IsEmpty = pending.IsEmpty

    /// Whether an empty line stands above this one and its documentation.
    member _.BlankAbove(line: int) =
        let mutable top = line

        while isDocumentation (top - 1) do
            top <- top - 1

        isBlank (top - 1)

    /// Comments on lines above this one.
    member margin.Before(line: int) : Entry list =
        [ for comment in take (fun c -> c.Span.Line < line) do
              { Blank = isBlank (comment.Span.Line - 1)
                Above = []
                Columns = { Kind = ""; Parts = [ Text comment.Text ] }
                Trailing = None } ]

    /// The comment behind something that ends here.
    member _.Behind(span: SourceSpan) =
        take (fun c -> c.Span.Line = span.EndLine && c.Span.Column >= span.EndColumn)
        |> List.tryHead
        |> Option.map _.Text

    /// The comment behind the `{` of a block: on its line, before anything inside it.
    member _.BehindBrace(line: int) =
        take (fun c -> c.Span.Line = line && not c.OwnLine) |> List.tryHead |> Option.map _.Text

    /// Comments within something that is printed as one: they go above it, and document nothing there.
    member _.Within(span: SourceSpan) : Document list =
        let isWithin (c: Comment) =
            (c.Span.Line, c.Span.Column) > (span.Line, span.Column)
            && (c.Span.EndLine, c.Span.EndColumn) <= (span.EndLine, span.EndColumn)

        [ for comment in take isWithin -> Text("#" + comment.Text.TrimStart '#') ]

    member _.HasWithin(span: SourceSpan) =
        pending
        |> List.exists (fun c ->
            c.Span.Line >= span.Line
            && c.Span.EndLine <= span.EndLine
            && c.Span.EndColumn <= span.EndColumn)

let private documentation (text: Documentation) =
    if text = "" then
        []
    else
        [ for line in text.Split '\n' -> Text((if line = "" then "##" else "## " + line)) ]

/// Something on one line (or broken by the layout), with its comments and documentation.
let private simple (margin: Margin) doc (span: SourceSpan) columns =
    let before = margin.Before span.Line
    let blank = margin.BlankAbove span.Line
    let within = margin.Within span
    let trailing = margin.Behind span

    before
    @ [ { Blank = blank
          Above = within @ documentation doc
          Columns = columns
          Trailing = trailing } ]

/// `head {`, the entries on lines of their own, `}`.
let private block (margin: Margin) doc (span: SourceSpan) (head: string) (content: unit -> Entry list) =
    let before = margin.Before span.Line
    let blank = margin.BlankAbove span.Line
    let behindBrace = if span.Line < span.EndLine then margin.BehindBrace span.Line else None
    let inside = content ()
    let atEnd = margin.Before span.EndLine
    let trailing = margin.Behind span

    let body =
        match inside @ atEnd with
        | [] -> Empty
        | entries -> Nest(2, HardLine ^^ below entries)

    let text =
        Text(head + " {") ^^ optional "" Trailing behindBrace ^^ body ^^ HardLine ^^ Text "}"

    before
    @ [ { Blank = blank
          Above = documentation doc
          Columns = line [ text ]
          Trailing = trailing } ]

/// `head { a, b }` where it was written on one line and fits.
let private oneLine (margin: Margin) (span: SourceSpan) (head: string) (parts: Document list) =
    let text = flatText (Text head ^^ Text " { " ^^ separated (Text ", ") parts ^^ Text " }")

    if
        span.Line = span.EndLine
        && not parts.IsEmpty
        && text.Length <= width - 2
        && not (margin.HasWithin span)
    then
        Some(line [ Text text ])
    else
        None

let private actionSpan action =
    match action with
    | Assign(_, _, span) -> span
    | Stop span -> span

let rec private declaration (margin: Margin) (d: Declaration) : Entry list =
    let onOneLine = simple margin d.Doc d.Span

    match d.Kind with
    | Dim(name, None) -> onOneLine { Kind = "dim"; Parts = [ Text $"dim {name.Name}"; Empty ] }
    | Dim(name, Some value) -> onOneLine (definition "dim" (Text name.Name) value)
    | State names -> onOneLine (line [ Text "state " ^^ declaratorList names ])
    | Algebraic names -> onOneLine (line [ Text "algebraic " ^^ declaratorList names ])
    | Param p -> onOneLine (param p)
    | Const(name, value) ->
        let covering = optional ": " typeText name.Type

        onOneLine
            { Kind = "const"
              Parts = [ Text $"const {name.Name.Name}"; covering; equals value ] }
    | Control names -> onOneLine (line [ Text "control " ^^ declaratorList names ])
    | Wiener(names, correlation) ->
        onOneLine (
            line
                [ Text "wiener "
                  ^^ declaratorList names
                  ^^ optional ", correlation = " expression correlation ]
        )
    | Jumps(name, rate) ->
        onOneLine (line [ Text $"jumps {name.Name} : rate(" ^^ expression rate ^^ Text ")" ])
    | Sample(names, d) ->
        onOneLine (line [ Text "sample " ^^ declaratorList names; Text "~ " ^^ distribution d ])
    | Let(name, value) -> onOneLine (definition "let" (Text name.Name) value)
    | Fn f -> onOneLine (fn f)
    | Net n -> onOneLine (net n)
    | Output(name, value) -> onOneLine (definition "output" (Text name.Name) value)
    | Init(target, value) -> onOneLine (definition "init" (expression target) value)
    | History(name, value) -> onOneLine (definition "history" (Text name.Name) value)
    | Calculus name -> onOneLine (line [ Text $"calculus {name.Name}" ])
    | Equation(target, value) -> onOneLine { Kind = "equation"; Parts = [ targetText target; equals value ] }
    | Implicit equations ->
        block margin d.Doc d.Span "implicit" (fun () -> List.collect (declaration margin) equations)
    | Event(kind, condition, actions) ->
        let head = flatText (Text $"when {eventKind kind}(" ^^ expression condition ^^ Text ")")

        match oneLine margin d.Span head (List.map actionText actions) with
        | Some columns -> onOneLine columns
        | None -> block margin d.Doc d.Span head (fun () -> List.collect (action margin) actions)
    | Solve settings ->
        let parts = settings |> List.map (fun s -> separated (Text " ") (setting s).Parts)

        match oneLine margin d.Span "solve" parts with
        | Some columns -> onOneLine columns
        | None ->
            block margin d.Doc d.Span "solve" (fun () ->
                settings |> List.collect (fun s -> simple margin "" s.Span (setting s)))

and private action margin (a: EventAction) = simple margin "" (actionSpan a) (line [ actionText a ])

let private topLevel (margin: Margin) (item: TopLevel) : Entry list =
    match item with
    | Model m ->
        block margin m.Doc m.Span $"model {m.Name.Name}" (fun () ->
            List.collect (declaration margin) m.Declarations)
    | Derived(doc, name, operation, given, span) ->
        simple
            margin
            doc
            span
            { Kind = "derived"
              Parts = [ Text $"model {name.Name}"; Text $"= {operation.Name}" ^^ arguments given ] }
    | Import(path, span) -> simple margin "" span (line [ Text $"import \"{path}\"" ])
    | Shared d -> declaration margin d

/// The canonical text of a file, ended by a line end.
let print (file: File) : string =
    let margin = Margin file
    let entries = file.Items |> List.collect (topLevel margin)
    let rest = margin.Before Int32.MaxValue
    layout width (below (entries @ rest))
