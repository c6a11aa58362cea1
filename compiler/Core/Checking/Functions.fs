/// Calls of the language's own functions: arity, `axis = k` and the shape rule of each, from its builtin's record.
module internal DiffEqLang.Compiler.Checking.Functions

open DiffEqLang.Compiler.Syntax
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Builtins
open DiffEqLang.Compiler.Builtins.Builtin
open DiffEqLang.Compiler.Checking.Errors
open DiffEqLang.Compiler.Checking.Context
open DiffEqLang.Compiler.Checking.Operators

/// Functions of the language that the compiler does not have yet.
let private later = set [ "conv"; "conv_transpose" ]

/// `concat` takes any number of operands: a constructor of the IR, not a builtin.
let names =
    Set.unionMany [ Catalogue.all |> List.map _.Name |> Set.ofList; later; set [ "concat" ] ]

let private countArguments context (callee: Tree.Ident) (least, most) given =
    if given < least || given > most then
        report context callee.Span (Name(ArgumentCount(callee.Name, least, most, given)))

    given >= least && given <= most

/// The attributes that `axis = k` gives; None where a label is wrong.
let private attributes
    context
    (callee: Tree.Ident)
    takesAxis
    (labelled: Tree.Argument list)
    : int list option =
    let attribute (a: Tree.Argument) =
        match a.Name with
        | Some label when takesAxis && label.Name = "axis" ->
            match Dims.trySize context a.Value |> Option.bind Dim.tryConstant with
            | Some axis when abs axis < 100L -> Some(int axis)
            | _ -> fail context a.Value.Span (Shape(IndexNotConstant(textOf context a.Value.Span)))
        | Some label ->
            let known = if takesAxis then [ "axis" ] else []

            fail
                context
                label.Span
                (Name(UnknownArgument(callee.Name, label.Name, Spelling.suggest label.Name known)))
        | None -> None

    match labelled with
    | []
    | [ _ ] -> labelled |> List.map attribute |> Dims.allOrNone
    | _ :: second :: _ -> fail context second.Value.Span (Name(ArgumentCount(callee.Name, 1, 1, 2)))

let private areNumbers context (callee: Tree.Ident) operands =
    operands |> List.map (isNumber context callee.Name) |> List.forall id

/// `concat(a, b)`: along the first axis, a scalar counting as length one.
let private concat context (callee: Tree.Ident) (operands: Part list) =
    let rest (part: Part) = List.skip (min 1 part.Expr.Shape.Length) part.Expr.Shape

    match operands with
    | [] -> fail context callee.Span (Name(ArgumentCount(callee.Name, 1, System.Int32.MaxValue, 0)))
    | first :: others ->
        match others |> List.tryFind (fun other -> rest other <> rest first) with
        | Some other ->
            fail context other.Tree.Span (Shape(StackShapes(shown context first, shown context other)))
        | None -> Some(Build.concat (operands |> List.map _.Expr))

let private builtin context (callee: Tree.Ident) (b: Builtin) (operands: Part list) labelled =
    match
        countArguments context callee b.Arity operands.Length, attributes context callee b.TakesAxis labelled
    with
    | true, Some attributes ->
        match b.Shape attributes (operands |> List.map _.Expr.Shape) with
        | Ok _ -> Some(Catalogue.call b.Name attributes (operands |> List.map _.Expr))
        | Error reason ->
            let shown = operands |> List.map (shown context)
            fail context callee.Span (Shape(FunctionShapes(callee.Name, reason.TrimEnd '.', shown)))
    | _ -> None

/// The value of a call by the name of a builtin.
let call context (callee: Tree.Ident) (operands: Part list) (labelled: Tree.Argument list) : Expr option =
    match Catalogue.tryFind callee.Name with
    | _ when not (areNumbers context callee operands) -> None
    | Some b -> builtin context callee b operands labelled
    | None when later.Contains callee.Name -> fail context callee.Span (NotSupportedYet(Function callee.Name))
    | None ->
        attributes context callee false labelled
        |> Option.bind (fun _ -> concat context callee operands)
