/// The words of errors about noise: differentials, calculus, and the methods that noise allows.
module internal DiffEqLang.Compiler.Checking.Messages.NoiseMessages

open DiffEqLang.Compiler.Checking.Errors
open DiffEqLang.Compiler.Checking.Messages.Wording

let ofNoise error =
    match error with
    | TermWithoutDifferential text ->
        says Catalogue.TermWithoutDifferential (sprintf "the term %s carries no differential" (quote text))
        |> hinting "multiply it by `dt` or by an increment such as `dW`"
    | ProductOfDifferentials text ->
        says Catalogue.ProductOfDifferentials (sprintf "%s is a product of two differentials" (quote text))
        |> hinting "every term carries exactly one"
    | NonlinearDifferential(differential, within) ->
        says
            Catalogue.NonlinearDifferential
            (sprintf "`%s` stands inside %s, which is not linear in it" differential (quote within))
    | DifferentialOutside differential ->
        says
            Catalogue.DifferentialOutside
            (sprintf "`%s` stands only in an equation such as `dX = mu*dt + sigma*dW`" differential)
        |> hinting "leave it out, or write the equation in differentials"
    | UnknownDifferential(differential, suggestion) ->
        let words =
            says Catalogue.UnknownDifferential (sprintf "there is no Wiener process for `%s`" differential)

        if suggestion.IsSome then
            suggesting suggestion words
        else
            hinting (sprintf "declare it: `wiener %s`" (differential.Substring 1)) words
    | UnknownCalculus(name, suggestion) ->
        let words = says Catalogue.UnknownCalculus (sprintf "there is no calculus `%s`" name)

        if suggestion.IsSome then
            suggesting suggestion words
        else
            hinting "it is `ito` or `stratonovich`" words
    | MethodIgnoresNoise(method, wiener, stochastic) ->
        says
            Catalogue.MethodIgnoresNoise
            (sprintf "`%s` solves ordinary equations, and the model has the noise `%s`" method wiener)
        |> hinting (sprintf "methods for noise: %s" (quoteAll stochastic))
    | MethodNeedsNoise(method, deterministic) ->
        says
            Catalogue.MethodNeedsNoise
            (sprintf "`%s` is for stochastic equations, and the model has no noise" method)
        |> hinting (sprintf "methods for ordinary equations: %s" (quoteAll deterministic))
    | MethodRefusesStructure(method, structure, reason, alternatives) ->
        says
            Catalogue.MethodRefusesStructure
            (sprintf "`%s` does not take %s noise: %s" method structure (lowered reason))
        |> hinting (sprintf "methods that do: %s" (quoteAll alternatives))
