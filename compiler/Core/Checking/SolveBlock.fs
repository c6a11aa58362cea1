/// The solve block: defaults for the solve, checked against what the runtime has.
module internal DiffEqLang.Compiler.Checking.SolveBlock

open System
open DiffEqLang.Contracts
open DiffEqLang.Tableaux
open DiffEqLang.Compiler.Syntax
open DiffEqLang.Compiler.Ir.Typed
open DiffEqLang.Compiler.Checking.Errors
open DiffEqLang.Compiler.Checking.Context

let private settings = [ "t"; "method"; "gradient"; "target"; "device"; "dtype" ]

let private empty: SolveBlock =
    { Start = None
      End = None
      Method = None
      Gradient = None
      Target = None
      Device = None
      Dtype = None }

let private quoted (words: string list) = words |> List.map (sprintf "`%s`") |> String.concat ", "

/// A word, written as a name.
let private word (value: Tree.SettingValue) =
    match value with
    | Tree.Single { Kind = Tree.Name word } -> Some word
    | Tree.Single _
    | Tree.TimeSpan _ -> None

let private spanOf (value: Tree.SettingValue) =
    match value with
    | Tree.Single e -> e.Span
    | Tree.TimeSpan(from, upTo) -> from.Span.To upTo.Span

let private wrong context (setting: Tree.Setting) expected suggestion =
    fail context (spanOf setting.Value) (Solve(SettingValue(setting.Name.Name, expected, suggestion)))

/// One of a few words.
let private choice context (words: Methods.Words) (setting: Tree.Setting) =
    let name = setting.Name.Name

    match word setting.Value with
    | Some word when List.contains word words.Now -> Some word
    | Some word when List.contains word words.Later ->
        fail context (spanOf setting.Value) (NotSupportedYet(SolveFeature(name, word, words.Now)))
    | Some word ->
        wrong context setting ("one of " + quoted words.Now) (Spelling.suggest word (words.Now @ words.Later))
    | None -> wrong context setting ("one of " + quoted words.Now) None

/// `cuda:1` counts as one word.
let private device context (setting: Tree.Setting) =
    match word setting.Value with
    | Some device when device.StartsWith "cuda:" && Seq.forall System.Char.IsAsciiDigit device[5..] ->
        Some device
    | Some _
    | None -> choice context Methods.device setting

let private isCount x = x >= 1.0 && x <= float Int32.MaxValue && x = floor x

/// `discrete(checkpoints = 50)`, `discrete(order = 2)`
let private discrete context (arguments: Tree.Argument list) span : GradientChoice option =
    let known = [ "checkpoints"; "order" ]
    let choice = { Mode = "discrete"; Checkpoints = None; Order = 1; Span = span }

    match arguments with
    | [ { Name = Some { Name = "checkpoints" }; Value = value } ] ->
        match Constants.tryNumber context value with
        | Some n when isCount n -> Some { choice with Checkpoints = Some(int n) }
        | Some _
        | None ->
            fail context value.Span (Solve(OptionValue("`checkpoints`", "a whole number of at least 1")))
    | [ { Name = Some { Name = "order" }; Value = value } ] ->
        match Constants.tryNumber context value with
        | Some(1.0 | 2.0 as order) -> Some { choice with Order = int order }
        | Some _
        | None ->
            fail
                context
                value.Span
                (Solve(OptionValue("`order`", "1, or 2 for gradients that are differentiated again")))
    | [ { Name = Some name } ] ->
        fail
            context
            name.Span
            (Solve(UnknownOption("discrete", name.Name, Spelling.suggest name.Name known, known)))
    | _ ->
        fail context span (Solve(OptionValue("`discrete`", "one option, as in `discrete(checkpoints = 50)`")))

let private gradient context (setting: Tree.Setting) : GradientChoice option =
    match setting.Value with
    | Tree.Single { Kind = Tree.Call({ Name = "discrete" }, arguments); Span = span } ->
        discrete context arguments span
    | Tree.Single _
    | Tree.TimeSpan _ ->
        choice context Methods.gradient setting
        |> Option.map (fun mode ->
            { Mode = mode; Checkpoints = None; Order = 1; Span = spanOf setting.Value })

/// With its place: whether the model fits it is known only later.
let private target context (setting: Tree.Setting) =
    choice context Methods.target setting
    |> Option.map (fun name -> name, spanOf setting.Value)

let private timeSpan context (setting: Tree.Setting) =
    match setting.Value with
    | Tree.TimeSpan(from, upTo) ->
        match
            Constants.number context "The start of the time span" from,
            Constants.number context "The end of the time span" upTo
        with
        | Some from, Some upTo when from = upTo ->
            fail context (spanOf setting.Value) (Solve(EmptyTimeSpan from))
        | Some from, Some upTo -> Some(from, upTo)
        | _ -> None
    | Tree.Single _ -> wrong context setting "a span such as `0 .. 25`" None

let private isPositive x = x > 0.0 && not (System.Double.IsInfinity x)

/// Whether an option may have a value, and what it takes.
let private optionRule (m: Methods.Method) (option: string) : (float -> bool) * string =
    match option, m.MostOrder with
    | "order", Some most ->
        (fun x -> isPositive x && x <= float most && x = floor x), sprintf "a whole number from 1 to %d" most
    | _ -> isPositive, "a positive number"

let private methodOption context (m: Methods.Method) (argument: Tree.Argument) =
    let known = Methods.options m

    match argument.Name with
    | None ->
        fail
            context
            argument.Value.Span
            (Solve(OptionValue("An option", sprintf "a name and a value, such as `%s = 1e-3`" known.Head)))
    | Some name when not (List.contains name.Name known) ->
        fail
            context
            name.Span
            (Solve(UnknownOption(m.Name, name.Name, Spelling.suggest name.Name known, known)))
    | Some name ->
        let fits, expected = optionRule m name.Name

        match Constants.tryNumber context argument.Value with
        | Some x when fits x -> Some(name.Name, Real x)
        | Some _
        | None -> fail context argument.Value.Span (Solve(OptionValue(sprintf "`%s`" name.Name, expected)))

/// The tableau in a file that the caller has read.
let private tableau (context: Context) (path: string) (span: SourceSpan) : RungeKuttaTableau option =
    match context.Source.Files.TryGetValue path with
    | true, text ->
        try
            Some(RungeKuttaTableau.FromJson text)
        with :? FormatException as refused ->
            fail context span (Solve(TableauFile(path, refused.Message)))
    | _ -> fail context span (Solve(TableauFile(path, "there is no such file beside the model's")))

/// `rk("mine.json", rtol = 1e-6)`
let private methodOfFile
    context
    (name: Tree.Ident)
    (arguments: Tree.Argument list)
    span
    : MethodChoice option =
    match arguments with
    | { Name = None; Value = { Kind = Tree.Quoted path; Span = at } } :: options ->
        tableau context path at
        |> Option.bind (fun tableau ->
            let m = Methods.ofFile (not (isNull tableau.Error)) tableau.Name

            options
            |> List.map (methodOption context m)
            |> Dims.allOrNone
            |> Option.map (fun options ->
                { Name = m.Name; Options = options; Tableau = Some tableau; Span = span }))
    | _ ->
        fail
            context
            name.Span
            (Solve(OptionValue("`rk`", "the file of a tableau, as in `rk(\"mine.json\")`")))

let private knownMethod context (name: Tree.Ident) arguments span : MethodChoice option =
    match Methods.tryFind name.Name with
    | Some m ->
        arguments
        |> List.map (methodOption context m)
        |> Dims.allOrNone
        |> Option.map (fun options -> { Name = m.Name; Options = options; Tableau = None; Span = span })
    | None when name.Name = "rk" -> methodOfFile context name arguments span
    | None when Methods.later.Contains name.Name ->
        fail
            context
            name.Span
            (NotSupportedYet(SolveFeature("method", name.Name, Methods.all |> List.map _.Name)))
    | None ->
        let suggestion =
            Spelling.suggest
                name.Name
                (Seq.concat [ Methods.all |> List.map _.Name; [ "rk" ]; List.ofSeq Methods.later ])

        fail context name.Span (Solve(UnknownMethod(name.Name, suggestion)))

let private methodChoice context (setting: Tree.Setting) =
    match setting.Value with
    | Tree.Single { Kind = Tree.Name name; Span = span } ->
        knownMethod context { Name = name; Span = span } [] span
    | Tree.Single { Kind = Tree.Call(name, arguments); Span = span } ->
        knownMethod context name arguments span
    | Tree.Single _
    | Tree.TimeSpan _ -> wrong context setting "a method such as `tsit5(rtol = 1e-6)`" None

/// Where a value is missing, a syntax error is reported.
let private isMissing (value: Tree.SettingValue) =
    match value with
    | Tree.Single e -> e.Kind.IsMissing
    | Tree.TimeSpan(from, upTo) -> from.Kind.IsMissing || upTo.Kind.IsMissing

let private apply context (block: SolveBlock) (setting: Tree.Setting) : SolveBlock =
    match setting.Name.Name with
    | _ when isMissing setting.Value -> block
    | "t" ->
        match timeSpan context setting with
        | Some(from, upTo) -> { block with Start = Some from; End = Some upTo }
        | None -> block
    | "method" -> { block with Method = methodChoice context setting }
    | "gradient" -> { block with Gradient = gradient context setting }
    | "target" -> { block with Target = target context setting }
    | "device" -> { block with Device = device context setting }
    | "dtype" -> { block with Dtype = choice context Methods.dtype setting }
    | name ->
        report context setting.Name.Span (Solve(UnknownSetting(name, Spelling.suggest name settings)))
        block

let private reportRepeated context (all: Tree.Setting list) =
    for name, same in all |> List.groupBy _.Name.Name do
        for repeated in same.Tail do
            report context repeated.Name.Span (Solve(RepeatedSetting(name, same.Head.Name.Span)))

/// The files that solve blocks name, as they write them.
let filesNamed (settings: Tree.Setting list) : string list =
    settings
    |> List.collect (fun setting ->
        match setting.Value with
        | Tree.Single { Kind = Tree.Call({ Name = "rk" }, arguments) } ->
            arguments
            |> List.choose (fun argument ->
                match argument.Value.Kind with
                | Tree.Quoted path -> Some path
                | _ -> None)
        | Tree.Single _
        | Tree.TimeSpan _ -> [])

/// The settings of a model's solve block; nothing where it has none.
let check (context: Context) (settings: Tree.Setting list) : SolveBlock =
    reportRepeated context settings
    List.fold (apply context) empty settings
