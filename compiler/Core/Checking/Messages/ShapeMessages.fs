/// The words of errors about shapes.
module internal DiffEqLang.Compiler.Checking.Messages.ShapeMessages

open DiffEqLang.Compiler.Ir.Shape
open DiffEqLang.Compiler.Checking.Errors
open DiffEqLang.Compiler.Checking.Messages.Wording

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

/// `+`, `if` as they are written; `an equation`, `a branch` are words.
let private quoteConstruct (construct: string) =
    if construct.StartsWith "a " || construct.StartsWith "an " then
        construct
    else
        sprintf "`%s`" construct

let ofShape error =
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
                (if reason.StartsWith(name + " ") then
                     sprintf "`%s`%s" name (reason.Substring name.Length)
                 else
                     sprintf "`%s`: %s" name reason)

        operands |> List.fold (fun words operand -> showing operand words) words
    | ConditionIsNumber(construct, text) ->
        says
            Catalogue.ConditionIsNumber
            (sprintf "%s takes a condition, and %s is a number" (quoteConstruct construct) (quote text))
        |> hinting "compare it: `... > 0`"
    | NumberIsCondition(construct, text) ->
        says
            Catalogue.NumberIsCondition
            (sprintf "%s takes numbers, and %s is a condition" (quoteConstruct construct) (quote text))
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
