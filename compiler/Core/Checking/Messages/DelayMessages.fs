/// The words of errors about delays and histories.
module internal DiffEqLang.Compiler.Checking.Messages.DelayMessages

open DiffEqLang.Compiler.Ir.Shape
open DiffEqLang.Compiler.Checking.Errors
open DiffEqLang.Compiler.Checking.Messages.Wording

let ofDelay error =
    match error with
    | DelayArgument(state, text) ->
        says
            Catalogue.DelayArgument
            (sprintf "a state is called at `t` less a delay, `%s(t - tau)`, not at %s" state (quote text))
    | DelayNotScalar delay ->
        says
            Catalogue.DelayArgument
            (sprintf "a delay is one number, and %s is %s" (quote delay.Text) (print delay.Shape))
        |> hinting "give every element that has a delay of its own a state of its own"
        |> showing delay
    | DelayVaries(text, names) ->
        says
            Catalogue.DelayVaries
            (sprintf
                "a delay may depend on parameters, constants and dims alone, and %s depends on %s"
                (quote text)
                (names |> List.map named |> String.concat ", "))
        |> hinting "delays that vary with the time or the state are not part of the language"
    | NegativeDelay delay ->
        says Catalogue.NegativeDelay (sprintf "a delay of %s would ask for the future" (number delay))
        |> hinting "write `x(t - tau)` with a positive `tau`"
    | DelayTurnsNegative delay ->
        says
            Catalogue.NegativeDelay
            (sprintf "a delay of %s, by the values that are declared, would ask for the future" (number delay))
        |> hinting "write `x(t - tau)` with a positive `tau`"
    | DelayOutside(delayed, where) ->
        says
            Catalogue.DelayOutside
            (sprintf "%s is known in equations alone, not in %s" (quote delayed) where)
        |> hinting "what is asked for elsewhere can be a state of its own, which the equations follow"
    | HistoryOfOther(name, kind) ->
        says Catalogue.HistoryOfOther (sprintf "`%s` is %s: only states have histories" name (kindWords kind))
    | DuplicateHistory(state, first) ->
        says Catalogue.DuplicateHistory (sprintf "`%s` has two histories" state)
        |> noting "the first one" first
    | GradientThroughDelays gradient ->
        says Catalogue.GradientThroughDelays (sprintf "`gradient = %s` does not go through delays" gradient)
        |> hinting "take `gradient = discrete`, which is exact there"
    | MethodRefusesDelays(method, what, alternatives) ->
        says
            Catalogue.MethodRefusesDelays
            (sprintf
                "`%s` %s, and equations with delays are solved by explicit Runge-Kutta methods"
                method
                what)
        |> hinting (sprintf "take one of %s" (quoteAll alternatives))
