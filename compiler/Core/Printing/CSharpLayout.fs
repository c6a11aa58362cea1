/// Lays a C# tree out as text: statements, documentation, members.
module internal DiffEqLang.Compiler.Printing.CSharpLayout

open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Printing.CSharpExpressionLayout
open DiffEqLang.Compiler.Printing.Document

/// Columns that code and its comments keep to.
let width = 120

let rec private statementDocument (lineDirectives: bool) (s: Statement) : Document =
    let directive =
        match s.Source with
        | Some source when lineDirectives ->
            Text(sprintf "#line %d \"%s\"" source.Line (source.File.Replace("\"", ""))) ^^ HardLine
        | _ -> Empty

    let finished = Text ";"

    let body =
        match s.Kind with
        | Local(name, value) -> valued (sprintf "var %s =" name) value ^^ finished
        | TypedLocal(typeName, name, value) -> valued (sprintf "%s %s =" typeName name) value ^^ finished
        | Assign(target, value) ->
            Group(expression target ^^ Text " =" ^^ Nest(4, space ^^ expression value)) ^^ finished
        | Update(target, operator, value) ->
            Group(expression target ^^ Text(sprintf " %s=" operator) ^^ Nest(4, space ^^ expression value))
            ^^ finished
        | Do value -> expression value ^^ finished
        | Return value -> Group(Text "return " ^^ expression value) ^^ finished
        | If(condition, [ single ]) ->
            Text "if ("
            ^^ expression condition
            ^^ Text ")"
            ^^ Nest(4, HardLine ^^ statementDocument lineDirectives single)
        | If(condition, statements) ->
            Text "if ("
            ^^ expression condition
            ^^ Text ")"
            ^^ HardLine
            ^^ block lineDirectives statements
        | For(variable, count, statements) ->
            Text(sprintf "for (var %s = 0; %s < " variable variable)
            ^^ expression count
            ^^ Text(sprintf "; %s++)" variable)
            ^^ HardLine
            ^^ block lineDirectives statements

    match s.Source with
    | Some source ->
        let comment = sprintf "// %s:%d  %s" source.File source.Line source.Text
        Commented(comment.TrimEnd(), directive ^^ body)
    | None -> body

/// `head value`, with the value on the next line only where it cannot begin on this one.
and private valued head value =
    match value with
    | Infix _
    | Conditional _ -> Group(Text head ^^ Nest(4, space ^^ expression value))
    | value -> Text(head + " ") ^^ expression value

and private block lineDirectives statements =
    // A loop stands apart from what follows.
    let apart isLast (s: Statement) =
        match s.Kind with
        | For _ when not isLast -> statementDocument lineDirectives s ^^ HardLine
        | _ -> statementDocument lineDirectives s

    let last = List.length statements - 1
    let inner = statements |> List.mapi (fun i s -> apart (i = last) s)

    let closing =
        if lineDirectives && statements |> List.exists (fun s -> s.Source.IsSome) then
            HardLine ^^ Text "#line default"
        else
            Empty

    match inner with
    | [] -> Text "{" ^^ HardLine ^^ Text "}"
    | inner -> Text "{" ^^ Nest(4, HardLine ^^ lines inner ^^ closing) ^^ HardLine ^^ Text "}"

// Documentation

let private escapeXml (text: string) =
    let clean = text |> String.filter (fun c -> c >= ' ' || c = '\t')
    clean.Replace("&", "&amp;").Replace("<", "&lt;").Replace(">", "&gt;")

let private inlineText piece =
    match piece with
    | Plain text -> escapeXml text
    | Code text -> sprintf "<c>%s</c>" (escapeXml text)
    | See target -> sprintf "<see cref=\"%s\"/>" target
    | ParameterRef name -> sprintf "<paramref name=\"%s\"/>" name

let private inlines pieces = pieces |> List.map inlineText |> String.concat ""

let private documentation (d: Documentation) =
    let element opening closing (content: Inline list list) =
        match content with
        | [] -> []
        | [ single ] -> [ sprintf "<%s>%s</%s>" opening (inlines single) closing ]
        | several -> [ sprintf "<%s>" opening ] @ List.map inlines several @ [ sprintf "</%s>" closing ]

    [ if d.IsInherited then
          yield "<inheritdoc/>"
      yield! element "summary" "summary" d.Summary
      for name, text in d.Parameters do
          yield! element (sprintf "param name=\"%s\"" name) "param" [ text ]
      if not d.Returns.IsEmpty then
          yield! element "returns" "returns" [ d.Returns ]
      yield! element "remarks" "remarks" d.Remarks ]
    |> List.map (fun line -> Text(("/// " + line).TrimEnd()) ^^ HardLine)
    |> concat

// Members

let private parameters (all: Parameter list) =
    let one (p: Parameter) =
        let start = sprintf "%s %s" p.Type p.Name

        match p.Default with
        | None -> Text start
        | Some value -> Text(start + " = ") ^^ expression value

    enclosed "(" ")" (separated comma (List.map one all))

let private words (modifiers: string list) (rest: string) = Text(String.concat " " (modifiers @ [ rest ]))

/// Fields without documentation stand together; everything else has an empty line around it.
let private isCompact (m: Member) =
    match m.Kind with
    | Field _ -> m.Documentation.Summary.IsEmpty
    | Property _
    | GetOnly _
    | Method _
    | Constructor _
    | Nested _ -> false

let rec private memberDocument lineDirectives (m: Member) : Document =
    let head =
        documentation m.Documentation
        ^^ concat [ for a in m.Attributes -> Text(sprintf "[%s]" a) ^^ HardLine ]

    let declaration =
        match m.Kind with
        | Field(typeName, name, None) -> words m.Modifiers (sprintf "%s %s;" typeName name)
        | Field(typeName, name, Some value) ->
            Group(
                words m.Modifiers (sprintf "%s %s =" typeName name)
                ^^ Text " "
                ^^ expression value
                ^^ Text ";"
            )
        | Property(typeName, name, value) ->
            Group(
                words m.Modifiers (sprintf "%s %s =>" typeName name)
                ^^ Nest(4, space ^^ expression value ^^ Text ";")
            )
        | GetOnly(typeName, name) -> words m.Modifiers (sprintf "%s %s { get; }" typeName name)
        | Method(returns, name, ps, body) ->
            let signature = words m.Modifiers (sprintf "%s %s" returns name) ^^ parameters ps

            match body with
            | Declared -> signature ^^ Text ";"
            | Arrow value -> Group(signature ^^ Text " =>" ^^ Nest(4, space ^^ expression value ^^ Text ";"))
            | Block statements -> signature ^^ HardLine ^^ block lineDirectives statements
        | Constructor(name, ps, baseArguments, statements) ->
            let toBase =
                match baseArguments with
                | None -> Empty
                | Some arguments -> Nest(4, HardLine ^^ Text ": base" ^^ argumentList arguments)

            words m.Modifiers name
            ^^ parameters ps
            ^^ toBase
            ^^ HardLine
            ^^ block lineDirectives statements
        | Nested inner -> classDocument lineDirectives m.Modifiers inner

    head ^^ declaration

and private classDocument lineDirectives modifiers (c: Class) =
    let primary =
        match c.Primary with
        | None -> Empty
        | Some ps -> parameters ps

    let rec body (members: Member list) =
        match members with
        | [] -> Empty
        | [ last ] -> memberDocument lineDirectives last
        | first :: (second :: _ as rest) ->
            let gap = if isCompact first && isCompact second then HardLine else HardLine ^^ HardLine
            memberDocument lineDirectives first ^^ gap ^^ body rest

    words modifiers (sprintf "class %s" c.Name)
    ^^ primary
    ^^ (if c.Base = "" then Empty else Text(" : " + c.Base))
    ^^ HardLine
    ^^ Text "{"
    ^^ Nest(4, HardLine ^^ body c.Members)
    ^^ HardLine
    ^^ Text "}"

/// The text of a file below its header. `lineDirectives` leads a debugger to the model's own lines.
let file (lineDirectives: bool) (f: File) : string =
    lines
        [ Text "#nullable enable"
          Empty
          lines [ for name in f.Usings -> Text(sprintf "using %s;" name) ]
          Empty
          Text(sprintf "namespace %s;" f.Namespace)
          Empty
          paragraphs (List.map (memberDocument lineDirectives) f.Types) ]
    |> layout width

/// One expression on one line or as many as it needs: for messages and tests.
let expressionText (lineWidth: int) (expr: Expr) = (expression expr |> layout lineWidth).TrimEnd('\n')

/// Statements as they stand in a method.
let statementsText (statements: Statement list) =
    statements |> List.map (statementDocument false) |> lines |> layout width
