/// The words of errors about events.
module internal DiffEqLang.Compiler.Checking.Messages.EventMessages

open DiffEqLang.Compiler.Ir.Shape
open DiffEqLang.Compiler.Checking.Errors
open DiffEqLang.Compiler.Checking.Messages.Wording

let ofEvent error =
    match error with
    | TriggerIsCondition(trigger, text) ->
        says
            Catalogue.NumberIsCondition
            (sprintf "`%s` takes a number that passes zero, and %s is a condition" trigger (quote text))
        |> hinting "watch the difference of both sides"
    | TriggerNotScalar(trigger, value) ->
        says
            Catalogue.TriggerNotScalar
            (sprintf "`%s` takes one number, and %s is %s" trigger (quote value.Text) (print value.Shape))
        |> hinting "take one element, `x[0]`, or a number made of all: `sum(x)`, `norm(x)`, `min(x)`"
        |> showing value
    | FixedTrigger text ->
        says
            Catalogue.FixedTrigger
            (sprintf "%s depends on neither a state nor the time: it never passes zero" (quote text))
    | PeriodNotPositive period ->
        says Catalogue.PeriodNotPositive (sprintf "`every` takes a positive period, not %s" (number period))
    | RepeatedJump(state, first) ->
        says Catalogue.RepeatedJump (sprintf "`%s` is assigned twice in one event" state)
        |> hinting "the values are those before the event: one assignment says what it becomes"
        |> noting "the first one" first
    | GradientThroughEvents gradient ->
        says Catalogue.GradientThroughEvents (sprintf "`gradient = %s` does not go through events" gradient)
        |> hinting "take `gradient = discrete`, which is exact there"
    | MethodThroughEvents method ->
        says Catalogue.GradientThroughEvents (sprintf "`%s` does not go through events" method)
        |> hinting "take a Runge-Kutta method, such as `tsit5`"
