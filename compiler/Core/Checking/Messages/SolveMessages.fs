/// The words of errors in the solve block, and of what is not supported yet.
module internal DiffEqLang.Compiler.Checking.Messages.SolveMessages

open DiffEqLang.Compiler.Checking
open DiffEqLang.Compiler.Checking.Errors
open DiffEqLang.Compiler.Checking.Messages.Wording

let ofSolve error =
    match error with
    | UnknownSetting(name, suggestion) ->
        says Catalogue.UnknownSetting (sprintf "the solve block has no setting `%s`" name)
        |> suggesting suggestion
    | RepeatedSetting(name, first) ->
        says Catalogue.RepeatedSetting (sprintf "`%s` is set twice" name)
        |> noting "the first one" first
    | UnknownMethod(name, suggestion) ->
        says Catalogue.UnknownMethod (sprintf "there is no method `%s`" name)
        |> suggesting suggestion
    | UnknownOption(method, option, suggestion, known) ->
        let words = says Catalogue.UnknownOption (sprintf "`%s` has no option `%s`" method option)

        if suggestion.IsSome then
            suggesting suggestion words
        else
            hinting (sprintf "its options: %s" (quoteAll known)) words
    | SettingValue(setting, expected, suggestion) ->
        says Catalogue.SettingValue (sprintf "`%s` takes %s" setting expected)
        |> suggesting suggestion
    | OptionValue(option, expected) ->
        says Catalogue.OptionValue (sprintf "%s takes %s" (lowered option) expected)
    | EmptyTimeSpan at ->
        says Catalogue.EmptyTimeSpan (sprintf "the time span starts and ends at %s" (number at))
    | TargetRefusesModel(target, reason) ->
        says Catalogue.TargetRefusesModel (sprintf "`target = %s` cannot run this model: %s" target reason)
        |> hinting "leave the target to `auto`, or take `torch`"

    | MethodRefusesEquations(method, reason) ->
        says
            Catalogue.MethodRefusesEquations
            (sprintf "`%s` needs positions and momenta, neither of which depends on itself: %s" method reason)
        |> hinting "`implicit_midpoint` and `gauss4` are symplectic for equations of any form"
    | MethodNeedsParts(method, reason) ->
        says
            Catalogue.MethodNeedsParts
            (sprintf
                "`%s` takes a stiff part of the equations implicitly, and there is none: %s"
                method
                reason)
        |> hinting "mark it: `dx/dt = implicit { ... } + ...`"
    | MethodNeedsLinearPart(method, reason) ->
        says
            Catalogue.MethodNeedsParts
            (sprintf
                "`%s` solves a part of the equations exactly that is linear in the states with constant coefficients: %s"
                method
                reason)
        |> hinting "mark that part: `dx/dt = implicit { A @ x } + ...`"
    | GradientRefuses(gradient, what, reason) ->
        says
            Catalogue.GradientRefuses
            (sprintf "`gradient = %s` does not go with %s: %s" gradient what reason)
        |> hinting (
            if gradient = "reversible" then
                sprintf "the methods for it: %s" (quoteAll Methods.reversibleNames)
            else
                "leave it out: the gradient is then exact for the method"
        )
    | MethodRefusesConstraints(method, reason, alternatives) ->
        says
            Catalogue.MethodRefusesConstraints
            (sprintf "`%s` does not solve algebraic constraints: %s" method reason)
        |> hinting (sprintf "take one of %s" (quoteAll alternatives))
    | TableauFile(path, reason) -> says Catalogue.TableauFile (sprintf "`%s` gives no method: %s" path reason)

let private notYet descriptor what = says descriptor (sprintf "%s is not supported yet" what)

let ofUnsupported error =
    match error with
    | Declaration construct -> notYet Catalogue.DeclarationNotSupported construct
    | EquationForm construct -> notYet Catalogue.EquationNotSupported construct
    | NetworkStage name -> notYet Catalogue.StageNotSupported (sprintf "the network stage `%s`" name)
    | FileItem construct -> notYet Catalogue.ItemNotSupported construct
    | SolveFeature(setting, value, now) ->
        notYet Catalogue.SettingNotSupported (sprintf "`%s = %s`" setting value)
        |> hinting (sprintf "now there are %s" (quoteAll now))
    | EventsWithNoise -> notYet Catalogue.EventNotSupported "an event (`when`) in a model with noise"
    | Function name -> notYet Catalogue.FunctionNotSupported (sprintf "the function `%s`" name)
