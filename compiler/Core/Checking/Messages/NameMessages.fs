/// The words of errors about names.
module internal DiffEqLang.Compiler.Checking.Messages.NameMessages

open System
open DiffEqLang.Compiler.Checking
open DiffEqLang.Compiler.Checking.Errors
open DiffEqLang.Compiler.Checking.Messages.Wording

let private argumentCount least most =
    if most = Int32.MaxValue then sprintf "at least %s" (plural least "argument")
    elif least = most then plural least "argument"
    elif most = least + 1 then sprintf "%d or %s" least (plural most "argument")
    else sprintf "%d to %d arguments" least most

let private notAFunction name kind =
    let words =
        says Catalogue.NotAFunction (sprintf "`%s` is %s, not a function" name (kindWords kind))

    match kind with
    | ParameterName
    | ConstantName
    | DimName
    | LetName
    | OutputName
    | NetworkParameterName
    | ArgumentName
    | BuiltinName
    | StateName
    | AlgebraicName ->
        words
        |> hinting (sprintf "a product is written `%s * (...)`, an element `%s[0]`" name name)
    | WienerName
    | IncrementName
    | FunctionName
    | NetworkName
    | UnsupportedName -> words

let private notAValue (name: string) kind =
    match kind with
    | WienerName when name.Length > 1 && name[0] = 'd' ->
        says Catalogue.NotAValue (sprintf "the Wiener process `%s` has no value of its own" name)
        |> hinting (sprintf "declare it as `wiener %s`: `%s` is then its increment" (name.Substring 1) name)
    | WienerName ->
        says Catalogue.NotAValue (sprintf "the Wiener process `%s` has no value of its own" name)
        |> hinting (sprintf "an equation such as `dX = ... + sigma*d%s` takes its increment `d%s`" name name)
    | FunctionName
    | NetworkName
    | DimName
    | StateName
    | AlgebraicName
    | ParameterName
    | ConstantName
    | IncrementName
    | LetName
    | OutputName
    | NetworkParameterName
    | ArgumentName
    | BuiltinName
    | UnsupportedName ->
        says Catalogue.NotAValue (sprintf "`%s` is %s, not a value" name (kindWords kind))
        |> hinting (sprintf "call it: `%s(...)`" name)

let ofName error =
    match error with
    | UnknownName("e", None) ->
        says Catalogue.UnknownName "`e` is not declared"
        |> hinting "the exponential function is `exp(x)`"
    | UnknownName("T", Some "t") ->
        says Catalogue.UnknownName "`T` is not declared"
        |> hinting "time is `t`, the transpose of a matrix `A.T`"
    | UnknownName(name, None) ->
        says Catalogue.UnknownName (sprintf "`%s` is not declared" name)
        |> hinting (sprintf "declare it, as in `param %s = 1` or `let %s = ...`" name name)
    | UnknownName(name, suggestion) ->
        says Catalogue.UnknownName (sprintf "`%s` is not declared" name)
        |> suggestingFor name suggestion
    | UnknownSize name ->
        says Catalogue.UnknownName (sprintf "`%s` is not declared" name)
        |> hinting (sprintf "a size is declared by `dim %s = 10`" name)
    | UnknownFunction(name, suggestion) ->
        let words = says Catalogue.UnknownFunction (sprintf "there is no function `%s`" name)

        if List.contains name Distributions.names then
            words |> hinting (sprintf "a distribution stands behind `~`: `param w ~ %s(...)`" name)
        else
            suggestingFor name suggestion words
    | Redeclared(name, first) ->
        says Catalogue.Redeclared (sprintf "`%s` is declared twice" name)
        |> noting "first declared here" first
    | Reserved(name, meaning) ->
        says Catalogue.ReservedName (sprintf "`%s` cannot be declared: it is %s" name meaning)
        |> hinting "choose another name"
    | NotAFunction(name, kind) -> notAFunction name kind
    | NotAValue(name, kind) -> notAValue name kind
    | Unused(name, kind) ->
        says Catalogue.UnusedName (sprintf "`%s` is %s that nothing uses" name (kindWords kind))
    | Cycle names ->
        says
            Catalogue.CyclicDefinition
            (sprintf
                "`%s` is defined by itself: %s"
                names.Head
                (String.concat " -> " (names @ [ names.Head ])))
    | RecursiveFunction names ->
        says
            Catalogue.RecursiveFunction
            (sprintf
                "the function `%s` calls itself: %s"
                names.Head
                (String.concat " -> " (names @ [ names.Head ])))
        |> hinting "functions are inlined, so none can call itself"
    | ArgumentCount(callee, least, most, given) ->
        says Catalogue.ArgumentCount (sprintf "`%s` takes %s, not %d" callee (argumentCount least most) given)
    | NetworkArguments(network, arguments) ->
        let arguments = String.concat ", " arguments

        says Catalogue.ArgumentCount (sprintf "the network `%s` takes one argument" network)
        |> hinting (sprintf "join them: `%s(concat(%s))`" network arguments)
    | QuotientOfDifferentials(above, below) ->
        says Catalogue.UnknownName (sprintf "`d%s/d%s` is no quotient of declared names" above below)
        |> hinting (sprintf "the derivative of `%s` is `grad(%s, %s)`" above above below)
    | UnknownArgument(callee, name, suggestion) ->
        says Catalogue.UnknownArgument (sprintf "`%s` has no argument named `%s`" callee name)
        |> suggesting suggestion
    | UnknownModel(name, suggestion) ->
        says Catalogue.UnknownModel (sprintf "the file has no model `%s`" name)
        |> suggesting suggestion
    | UnknownDim(name, suggestion) ->
        says Catalogue.UnknownDim (sprintf "no model of the file has a dim `%s`" name)
        |> suggesting suggestion
