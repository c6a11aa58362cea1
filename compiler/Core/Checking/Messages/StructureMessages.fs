/// The words of errors about a model's structure: its equations, parameters, initial values and networks.
module internal DiffEqLang.Compiler.Checking.Messages.StructureMessages

open DiffEqLang.Compiler.Ir.Shape
open DiffEqLang.Compiler.Checking.Errors
open DiffEqLang.Compiler.Checking.Messages.Wording

let private notFixed what allowed (names: (string * NameKind) list) =
    sprintf
        "%s may depend on %s alone, not on %s"
        what
        allowed
        (names |> List.map named |> String.concat ", ")

let private singularConstraint text isFree unknowns =
    sprintf
        "the constraint %s determines %s, and nothing determines %s (the index is above 1)"
        (quote text)
        (if isFree then
             "no algebraic unknown"
         else
             "only algebraic unknowns that others determine")
        (quoteAll unknowns)

let private instead replacement =
    match replacement with
    | Some(times, text) ->
        sprintf
            "differentiated %s along the equations it does: write %s in its place, and let the initial values fulfil it as it stands"
            (match times with
             | 1 -> "once"
             | 2 -> "twice"
             | n -> sprintf "%d times" n)
            (quote text)
    | None -> "every algebraic unknown takes a constraint of its own that depends on it"

let ofStructure error =
    match error with
    | NoStates model ->
        says Catalogue.NoStates (sprintf "the model `%s` has no state" model)
        |> hinting "declare one: `state x`"
    | MissingEquation state ->
        says Catalogue.MissingEquation (sprintf "the state `%s` has no equation" state)
        |> hinting (sprintf "write `d%s/dt = ...`" state)
    | DuplicateEquation(state, first) ->
        says Catalogue.DuplicateEquation (sprintf "`%s` has two equations" state)
        |> noting "the first one" first
    | EquationForUndeclared(name, Some suggestion) ->
        says Catalogue.UndeclaredState (sprintf "no state `%s` is declared" name)
        |> suggestingFor name (Some suggestion)
    | EquationForUndeclared(name, None) ->
        says Catalogue.UndeclaredState (sprintf "no state `%s` is declared" name)
        |> hinting (sprintf "declare it: `state %s`" name)
    | EquationForOther(name, kind, declared) ->
        says
            Catalogue.EquationForOther
            (sprintf "`%s` is %s: only states have equations" name (kindWords kind))
        |> hinting (sprintf "what changes in time is declared as `state %s`" name)
        |> noting "declared here" declared
    | NotAnEquation(text, hint, _) ->
        says Catalogue.NotAnEquation (sprintf "`%s = ...` is no equation" text) |> hinting hint
    | PrimeOfFirstOrder state ->
        says
            Catalogue.UnavailableDerivative
            (sprintf "`%s'` is a value only where the equation of `%s` is of second order" state state)
        |> hinting "name the right side with `let` and use that name"
    | PrimeOfOther(name, kind) ->
        says
            Catalogue.UnavailableDerivative
            (sprintf "`%s` is %s: only states have derivatives" name (kindWords kind))
    | DuplicateInitial(state, first) ->
        says Catalogue.DuplicateInitial (sprintf "`%s` has two initial values" state)
        |> noting "the first one" first
    | InitialOfOther(name, kind) ->
        says
            Catalogue.InitialOfOther
            (sprintf "`%s` is %s: only states have initial values" name (kindWords kind))
    | InitialTarget text ->
        says Catalogue.InitialOfOther (sprintf "`init` takes a state, not %s" (quote text))
    | JumpOfOther(name, AlgebraicName) ->
        says
            Catalogue.JumpOfOther
            (sprintf "`%s` is an algebraic unknown: an event changes states alone" name)
        |> hinting "what the constraints determine is found anew after every event"
    | JumpOfOther(name, kind) ->
        says Catalogue.JumpOfOther (sprintf "`%s` is %s: an event changes states alone" name (kindWords kind))
        |> hinting (sprintf "what changes at an event is declared as `state %s`, with `d%s/dt = 0`" name name)
    | JumpTarget text ->
        says Catalogue.JumpOfOther (sprintf "an event changes a whole state, not %s" (quote text))
        |> hinting "give all of its elements at once: `x := [...]`"
    | DependsOn(what, allowed, names) -> says Catalogue.NotFixed (notFixed what allowed names)
    | RepeatedSection(section, first) ->
        says Catalogue.RepeatedSection (sprintf "a model has one `%s`" section)
        |> noting "the first one" first
    | ParameterWithoutValue name ->
        says Catalogue.ParameterWithoutValue (sprintf "the parameter `%s` does not say how it starts" name)
        |> hinting "give a value, `= 0`, or a distribution, `~ normal(0, 0.1)`"
    | ParameterWithTwoValues name ->
        says
            Catalogue.ParameterWithTwoValues
            (sprintf "the parameter `%s` has a value and a distribution" name)
        |> hinting "keep one of them"
    | UnknownDistribution(name, suggestion, known) ->
        let words = says Catalogue.UnknownDistribution (sprintf "there is no distribution `%s`" name)

        if suggestion.IsSome then
            suggesting suggestion words
        else
            hinting (sprintf "there are %s" (quoteAll known)) words
    | DistributionArguments(name, signature) ->
        says Catalogue.DistributionArguments (sprintf "`%s` is written %s" name signature)
    | DistributionNeedsMatrix(name, shape) ->
        says
            Catalogue.DistributionArguments
            (sprintf "`%s` is for matrices, and this is %s" name (print shape))
        |> hinting "vectors take `normal(0, 0.1)` or `uniform(-1, 1)`"
    | EmptyInterval(low, high) ->
        says
            Catalogue.EmptyInterval
            (sprintf "there is no number between %s and %s" (number low) (number high))
    | ClosedInterval text ->
        says Catalogue.ClosedInterval (sprintf "the ends of %s cannot be part of it" (quote text))
        |> hinting "write round brackets: `(low, high)`"
    | OutsideInterval(name, value, interval) ->
        says
            Catalogue.OutsideInterval
            (sprintf "`%s` starts at %s, which is not inside %s" name (number value) (quote interval))
    | NotANumber(what, text) ->
        says
            Catalogue.NotANumber
            (sprintf "%s is a number known when the model is compiled, not %s" (lowered what) (quote text))
    | DerivativeVariable(operator, text) ->
        says
            Catalogue.DerivativeVariable
            (sprintf "`%s` differentiates by a name, not by %s" operator (quote text))
        |> hinting "name it: `let u = ...`, and use `u` in the expression too"
    | UnknownStage(name, suggestion) ->
        says Catalogue.UnknownStage (sprintf "there is no network stage `%s`" name)
        |> suggesting suggestion
    | StageArguments(stage, signature) ->
        says Catalogue.StageArguments (sprintf "the stage `%s` is written %s" stage signature)
    | TextAsValue text ->
        says Catalogue.TextAsValue (sprintf "%s is a text, and no value" (quote text))
        |> hinting "a text names a file: `import \"layers.deq\"`, `method = rk(\"mine.json\")`"
    | MisplacedMark ->
        says
            Catalogue.MisplacedMark
            "`implicit { ... }` is a term of the right side of an ordinary equation, and this is part of something else"
        |> hinting "write it around whole terms, factors inside: `dx/dt = implicit { -k*x } + f(x)`"
    | ConstraintCount(constraints, unknowns, undetermined) ->
        says
            Catalogue.ConstraintCount
            (sprintf "constraints and algebraic unknowns differ in number: %s and %s" constraints unknowns)
        |> hinting (
            match undetermined with
            | [] -> "each element of an `algebraic` takes one element of a constraint `0 = ...`"
            | names ->
                sprintf
                    "what a constraint determines is declared as `algebraic %s`"
                    (String.concat ", " names)
        )
    | SingularConstraint(text, isFree, unknowns, replacement) ->
        says Catalogue.SingularConstraint (singularConstraint text isFree unknowns)
        |> hinting (instead replacement)
    | StageChangesShape(stage, reason) ->
        says Catalogue.NetworkShape (sprintf "the stage `%s`: %s" stage reason)
