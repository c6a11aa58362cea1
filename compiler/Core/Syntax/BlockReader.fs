/// Events and the solve block: what stands in braces and is no equation.
module internal DiffEqLang.Compiler.Syntax.BlockReader

open DiffEqLang.Contracts
open DiffEqLang.Grammar
open DiffEqLang.Compiler.Syntax.Tree
open DiffEqLang.Compiler.Syntax.ExpressionReader
open DiffEqLang.Compiler.Syntax.Slips

let private eventKinds =
    dict [ "rising", Rising; "falling", Falling; "crossing", Crossing; "every", Every; "at", Once ]

let private action (reading: Reading) (context: DeqParser.ActionContext) =
    expectAssignment reading (context.assign ())

    match [ for e in context.expression () -> expression reading e ] with
    | [ target; value ] -> Some(Assign(target, value, spanOf reading context))
    | [ { Kind = Name "stop"; Span = span } ] -> Some(Stop span)
    | [ only ] when not (reading.Errors.AnyOn context.Start.Line) && not only.Kind.IsMissing ->
        reading.Report(DiagnosticCatalogue.SyntaxError, only.Span, "an event does `x := ...` or `stop`")
        None
    | _ -> None

let event reading (context: DeqParser.EventContext) =
    let trigger = context.trigger ()

    match if isNull trigger then None else tryIdent reading (trigger.ID()) with
    | None -> None
    | Some word ->
        let kind =
            match eventKinds.TryGetValue word.Name with
            | true, kind -> kind
            | false, _ when reading.Errors.LeftOutOn word.Span.Line -> Crossing
            | false, _ ->
                reportSpelling
                    reading
                    word
                    $"`{word.Name}` is no kind of event; there are `rising`, `falling`, `crossing`, `every` and `at`"
                    eventKinds.Keys

                Crossing

        let actions =
            [ for a in context.action () do
                  yield! Option.toList (action reading a) ]

        Some(Event(kind, expression reading (trigger.expression ()), actions))

/// `cuda:1` is one word here.
let private settingValue (context: DeqParser.SettingContext) (values: Expr list) (span: SourceSpan) =
    match values, context.NUMBER() with
    | [ from; upTo ], _ -> TimeSpan(from, upTo)
    | [ { Kind = Name device } as value ], device' when not (isNull device') ->
        Single
            { value with
                Kind = Name $"{device}:{device'.GetText()}"
                Span = value.Span.To span }
    | value :: _, _ -> Single value
    | [], _ -> Single missing

let setting (reading: Reading) (context: DeqParser.SettingContext) : Setting option =
    expectEquals reading (context.assign ())
    let span = spanOf reading context
    let values = [ for e in context.expression () -> expression reading e ]

    tryIdent reading (context.ID())
    |> Option.map (fun name -> { Name = name; Value = settingValue context values span; Span = span })
