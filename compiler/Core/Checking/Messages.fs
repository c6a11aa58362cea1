/// The words of every error of Checking: one line that says what is wrong, one that says what to do, and the other
/// places that explain it.
module internal DiffEqLang.Compiler.Checking.Messages

open System
open System.Collections.Immutable
open DiffEqLang.Contracts
open DiffEqLang.Compiler.Ir.Shape
open DiffEqLang.Compiler.Checking.Errors

type private Catalogue = DiagnosticCatalogue

/// What a case is put into.
type private Words =
    { Descriptor: DiagnosticDescriptor
      Message: string
      Hint: string option
      Notes: (string * SourceSpan) list }

let private says descriptor message = { Descriptor = descriptor; Message = message; Hint = None; Notes = [] }

let private hinting hint words = { words with Hint = Some hint }
let private noting message span words = { words with Notes = words.Notes @ [ message, span ] }

let private suggesting suggestion words =
    match suggestion with
    | Some name -> { words with Hint = Some(sprintf "did you mean `%s`?" name) }
    | None -> words

/// Long source text is cut: the span shows the rest.
let private quote (text: string) =
    if text.Length <= 60 then
        sprintf "`%s`" text
    else
        sprintf "`%s...`" (text.Substring(0, 57).TrimEnd())

let private quoteAll names = names |> List.map quote |> String.concat ", "

let private number (x: float) =
    if Double.IsInfinity x then
        (if x > 0.0 then "inf" else "-inf")
    else
        x.ToString("R", Globalization.CultureInfo.InvariantCulture)

/// A sentence's beginning in the middle of another.
let private lowered (text: string) =
    if text = "" then
        text
    else
        string (Char.ToLowerInvariant text[0]) + text.Substring(1).TrimEnd '.'

let private kindWords kind =
    match kind with
    | DimName -> "a dim"
    | StateName -> "a state"
    | ParameterName -> "a parameter"
    | ConstantName -> "a constant"
    | WienerName -> "a Wiener process"
    | IncrementName -> "the increment of a Wiener process"
    | LetName -> "a `let`"
    | OutputName -> "an output"
    | FunctionName -> "a function"
    | NetworkName -> "a network"
    | NetworkParameterName -> "a network's parameter"
    | ArgumentName -> "an argument"
    | BuiltinName -> "a number"
    | UnsupportedName -> "not supported yet"

/// The operand itself with its shape, then the declarations that the shape comes from.
let private showing (operand: Operand) words =
    let declarations =
        operand.Declarations
        |> List.filter (fun d -> not (List.exists (fun (_, span) -> span = d.At) words.Notes))

    declarations
    |> List.fold
        (fun words d -> noting (sprintf "declared here: `%s`" d.Label) d.At words)
        (noting (sprintf "%s is %s" (quote operand.Text) (print operand.Shape)) operand.At words)

let private plural count what = if count = 1 then sprintf "1 %s" what else sprintf "%d %ss" count what

let private argumentCount least most =
    if most = Int32.MaxValue then sprintf "at least %s" (plural least "argument")
    elif least = most then plural least "argument"
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
    | StateName ->
        words
        |> hinting (sprintf "a product is written `%s * (...)`, an element `%s[0]`" name name)
    | WienerName
    | IncrementName
    | FunctionName
    | NetworkName
    | UnsupportedName -> words

let private notAValue name kind =
    match kind with
    | WienerName ->
        says Catalogue.NotAValue (sprintf "the Wiener process `%s` has no value of its own" name)
        |> hinting (sprintf "an equation such as `dX = ... + sigma*d%s` takes its increment `d%s`" name name)
    | FunctionName
    | NetworkName
    | DimName
    | StateName
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

let private ofName error =
    match error with
    | UnknownName(name, suggestion) ->
        says Catalogue.UnknownName (sprintf "`%s` is not declared" name) |> suggesting suggestion
    | UnknownFunction(name, suggestion) ->
        says Catalogue.UnknownFunction (sprintf "there is no function `%s`" name)
        |> suggesting suggestion
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
    | UnknownArgument(callee, name, suggestion) ->
        says Catalogue.UnknownArgument (sprintf "`%s` has no argument named `%s`" callee name)
        |> suggesting suggestion
    | UnknownModel(name, suggestion) ->
        says Catalogue.UnknownModel (sprintf "the file has no model `%s`" name)
        |> suggesting suggestion
    | UnknownDim(name, suggestion) ->
        says Catalogue.UnknownDim (sprintf "no model of the file has a dim `%s`" name)
        |> suggesting suggestion

/// Both operands with where their shapes come from.
let private pair descriptor left right message = says descriptor message |> showing left |> showing right

let private ofOperators operator (left: Operand) (right: Operand) =
    sprintf
        "`%s` takes operands of one shape, or a scalar: left is %s, right is %s"
        operator
        (print left.Shape)
        (print right.Shape)
    |> pair Catalogue.ElementwiseShapes left right

let private contraction (left: Operand) (right: Operand) =
    let inner, outer = List.last left.Shape, List.head right.Shape

    sprintf
        "`@` contracts the last axis of the left with the first of the right: of %s and %s these are %O and %O"
        (print left.Shape)
        (print right.Shape)
        inner
        outer
    |> pair Catalogue.ContractShapes left right

let private between (left: Operand) (right: Operand) =
    sprintf "%s and %s" (print left.Shape) (print right.Shape)

let private ofShape error =
    match error with
    | ElementwiseShapes(operator, left, right) -> ofOperators operator left right
    | ProductMeansContract(left, right) ->
        sprintf "`*` is elementwise and does not contract %s" (between left right)
        |> pair Catalogue.ProductMeansContract left right
        |> hinting (sprintf "write `%s @ %s`" left.Text right.Text)
    | ContractShapes(left, right) -> contraction left right
    | ContractScalar(left, right) ->
        sprintf "`@` contracts axes, and a scalar has none: %s" (between left right)
        |> pair Catalogue.ContractScalar left right
        |> hinting "a product with a scalar is written `*`"
    | BranchShapes(thenBranch, elseBranch) ->
        sprintf "the branches of `if` have the shapes %s" (between thenBranch elseBranch)
        |> pair Catalogue.BranchShapes thenBranch elseBranch
    | StackShapes(first, other) ->
        sprintf "what is joined does not fit: %s" (between first other)
        |> pair Catalogue.StackShapes first other
    | EmptyStack -> says Catalogue.StackShapes "`[]` holds nothing, so it has no shape"
    | EquationShape(left, state, shape, right) ->
        says
            Catalogue.EquationShape
            (sprintf "`%s` is %s, but the right side is %s" left (print shape) (print right.Shape))
        |> noting (sprintf "declared here: `%s`" state.Label) state.At
        |> showing right
    | ValueShape(target, shape, value) ->
        says
            Catalogue.ValueShape
            (sprintf
                "`%s` cannot start as %s, which is %s"
                target.Label
                (quote value.Text)
                (print value.Shape))
        |> hinting (sprintf "a scalar or a value of shape %s fits" (print shape))
        |> noting (sprintf "declared here: `%s`" target.Label) target.At
        |> showing value
    | TooManySubscripts(target, given) ->
        says
            Catalogue.TooManySubscripts
            (sprintf
                "%s is %s: it does not take %s"
                (quote target.Text)
                (print target.Shape)
                (plural given "subscript"))
        |> showing target
    | IndexOutOfBounds(index, length, target) ->
        says
            Catalogue.IndexOutOfBounds
            (sprintf "position %d of an axis of length %s: positions count from 0" index length)
        |> showing target
    | SliceOutOfBounds(from, upTo, length, target) ->
        says
            Catalogue.IndexOutOfBounds
            (sprintf
                "%s .. %s is no range of an axis of length %s: the end is not part of it"
                from
                upTo
                length)
        |> showing target
    | IndexNotConstant text ->
        says
            Catalogue.IndexNotConstant
            (sprintf "a position is a whole number known when the model is compiled, not %s" (quote text))
    | TransposeRank target ->
        says
            Catalogue.TransposeRank
            (sprintf "`.T` exchanges the axes of a matrix, and this is %s" (print target.Shape))
        |> showing target
    | FunctionShapes(name, reason, operands) ->
        let words =
            says
                Catalogue.FunctionShapes
                (if reason.StartsWith name then reason else sprintf "`%s`: %s" name reason)

        operands |> List.fold (fun words operand -> showing operand words) words
    | ConditionIsNumber(construct, text) ->
        says
            Catalogue.ConditionIsNumber
            (sprintf "`%s` takes a condition, and %s is a number" construct (quote text))
        |> hinting "compare it: `... > 0`"
    | NumberIsCondition(construct, text) ->
        says
            Catalogue.NumberIsCondition
            (sprintf "`%s` takes numbers, and %s is a condition" construct (quote text))
        |> hinting "`if ... then 1 else 0` makes it a number"
    | SizeNotInteger text ->
        says
            Catalogue.SizeNotInteger
            (sprintf "a size is made of whole numbers and dims, not %s" (quote text))
    | SizeNotPositive(text, value) ->
        says
            Catalogue.SizeNotPositive
            (if text = value then
                 sprintf "a size is at least 1, not %s" value
             else
                 sprintf "a size is at least 1, and %s is %s" (quote text) value)
    | UnknownType name ->
        says Catalogue.UnknownType (sprintf "there is no type %s" (quote name))
        |> hinting "types are `R` and `R[n, m]`"
    | DerivativeShape(operator, rule, operand) ->
        let hint = if operator = "grad" then hinting "`jac` differentiates tensors" else id

        says Catalogue.DerivativeShape (sprintf "`%s`: %s" operator (lowered rule))
        |> hint
        |> showing operand
    | NetworkResult(network, declared, given) ->
        says
            Catalogue.NetworkShape
            (sprintf
                "the network `%s` ends in %s, but is declared to give %s"
                network
                (print given)
                (print declared))
    | NetworkVectorOnly(what, shape) ->
        says Catalogue.NetworkShape (sprintf "%s takes a vector, and what comes in is %s" what (print shape))
    | CorrelationShape(wiener, expected, given) ->
        says
            Catalogue.CorrelationShape
            (sprintf "the correlation of `%s` is %s, not %s" wiener (print expected) (print given))
    | CorrelationNeedsVector(wiener, shape) ->
        says
            Catalogue.CorrelationShape
            (sprintf "`%s` is %s: only the elements of a vector can be correlated" wiener (print shape))

let private notFixed what allowed (names: (string * NameKind) list) =
    let described (name, kind) =
        if name = "t" then "the time `t`" else sprintf "%s `%s`" (kindWords kind) name

    sprintf
        "%s may depend on %s alone, not on %s"
        what
        allowed
        (names |> List.map described |> String.concat ", ")

let private ofStructure error =
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
        |> suggesting (Some suggestion)
    | EquationForUndeclared(name, None) ->
        says Catalogue.UndeclaredState (sprintf "no state `%s` is declared" name)
        |> hinting (sprintf "declare it: `state %s`" name)
    | EquationForOther(name, kind, declared) ->
        says
            Catalogue.EquationForOther
            (sprintf "`%s` is %s: only states have equations" name (kindWords kind))
        |> hinting (sprintf "what changes in time is declared as `state %s`" name)
        |> noting "declared here" declared
    | NotAnEquation(text, hint) ->
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
    | UnknownDistribution(name, suggestion) ->
        says Catalogue.UnknownDistribution (sprintf "there is no distribution `%s`" name)
        |> suggesting suggestion
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
    | StageChangesShape(stage, reason) ->
        says Catalogue.NetworkShape (sprintf "the stage `%s`: %s" stage reason)

let private ofNoise error =
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

let private ofSolve error =
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

let private notYet descriptor what = says descriptor (sprintf "%s is not supported yet" what)

let private ofUnsupported error =
    match error with
    | Declaration construct -> notYet Catalogue.DeclarationNotSupported construct
    | EquationForm construct -> notYet Catalogue.EquationNotSupported construct
    | NetworkStage name -> notYet Catalogue.StageNotSupported (sprintf "the network stage `%s`" name)
    | FileItem construct -> notYet Catalogue.ItemNotSupported construct
    | SolveFeature(setting, value, now) ->
        notYet Catalogue.SettingNotSupported (sprintf "`%s = %s`" setting value)
        |> hinting (sprintf "now there are %s" (quoteAll now))
    | Events -> notYet Catalogue.EventNotSupported "an event (`when`)"
    | Function name -> notYet Catalogue.FunctionNotSupported (sprintf "the function `%s`" name)

/// The diagnostic of an error, with a note for each call of an inlined function that led there.
let render (error: Error) : Diagnostic =
    let words =
        match error.Kind with
        | Name kind -> ofName kind
        | Shape kind -> ofShape kind
        | Structure kind -> ofStructure kind
        | Noise kind -> ofNoise kind
        | Solve kind -> ofSolve kind
        | NotSupportedYet kind -> ofUnsupported kind

    let words =
        error.Calls |> List.fold (fun words call -> noting "in this call" call words) words

    Diagnostic(
        words.Descriptor,
        words.Message,
        error.Span,
        Hint = Option.toObj words.Hint,
        Notes = ImmutableArray.CreateRange(words.Notes |> List.map DiagnosticNote)
    )
