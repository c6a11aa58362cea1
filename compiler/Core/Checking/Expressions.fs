/// From expressions as written to the IR: every name by its value, every shape checked, functions inlined. An
/// expression with an error gives None, and what uses it keeps silent: one mistake, one message.
module internal DiffEqLang.Compiler.Checking.Expressions

open DiffEqLang.Contracts
open DiffEqLang.Compiler.Syntax
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Shape
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Checking.Errors
open DiffEqLang.Compiler.Checking.Context
open DiffEqLang.Compiler.Checking.Operators

let time = { Name = "t"; Role = Time; Shape = Shape.scalar }

/// `q'`, `q''`: the name of a state's derivative.
let primed name order = name + String.replicate order "'"

let rec withoutParentheses (e: Tree.Expr) =
    match e.Kind with
    | Tree.Parenthesized inner -> withoutParentheses inner
    | Tree.Number _
    | Tree.Name _
    | Tree.Prime _
    | Tree.Unary _
    | Tree.Binary _
    | Tree.Call _
    | Tree.Index _
    | Tree.Transpose _
    | Tree.Stack _
    | Tree.If _
    | Tree.ImplicitPart _
    | Tree.Quoted _
    | Tree.Missing -> e

let private nameValue context name =
    match lookup context name with
    | Some(Known value) -> Some value
    | Some(Size size) -> Some(Build.extent size)
    | None when name = "t" -> Some(Build.input time)
    | None when name = "pi" -> Some(Build.number System.Math.PI)
    | None when name = "inf" -> Some(Build.number infinity)
    // Reported by Names or where it was declared.
    | Some(Inlined _)
    | Some(Network _)
    | Some Poisoned
    | None -> None

let private primeValue context (state: Tree.Ident) order =
    match lookup context (primed state.Name order), Scope.tryFind state.Name context.Scope with
    | Some(Known value), _ -> Some value
    | None, Some entity when Scope.kindOf entity = StateName ->
        fail context state.Span (Structure(PrimeOfFirstOrder state.Name))
    | _ -> None

let private derivativeOperators =
    Map.ofList
        [ "grad", (Gradient, 2)
          "jac", (Jacobian, 2)
          "div", (Divergence, 2)
          "hess", (Hessian, 2)
          "laplacian", (Laplacian, 2)
          "jvp", (Jvp, 3)
          "vjp", (Vjp, 3) ]

/// What a call may name besides the functions and networks of the file.
let functionNames = Functions.names + (derivativeOperators |> Map.keys |> Set.ofSeq)

/// What a derivative is taken by: a name, standing for something that varies.
let private isVariable (variable: Part) =
    match (withoutParentheses variable.Tree).Kind with
    | Tree.Name _
    | Tree.Prime _ ->
        match variable.Expr with
        | Build.Uniform _ -> false
        | _ -> not variable.Expr.IsBoolean
    | Tree.Number _
    | Tree.Unary _
    | Tree.Binary _
    | Tree.Call _
    | Tree.Index _
    | Tree.Transpose _
    | Tree.Stack _
    | Tree.If _
    | Tree.Parenthesized _
    | Tree.ImplicitPart _
    | Tree.Quoted _
    | Tree.Missing -> false

let private derivative context (callee: Tree.Ident) operator (f: Part) (x: Part) (v: Part option) =
    let v' = v |> Option.map _.Expr

    if not (isVariable x) then
        let text = textOf context x.Tree.Span
        fail context x.Tree.Span (Structure(DerivativeVariable(callee.Name, text)))
    else
        match
            DerivativeOperators.check operator f.Expr.Shape x.Expr.Shape (v' |> Option.map (fun e -> e.Shape))
        with
        | Ok() -> Some(DerivativeOperators.apply operator f.Expr x.Expr v')
        | Error rule ->
            let culprit = v |> Option.defaultValue f
            fail context culprit.Tree.Span (Shape(DerivativeShape(callee.Name, rule, shown context culprit)))

/// The operators on the way down the left side of `a + b - c ...`, so that a long sum does not nest calls.
let private leftSpine (e: Tree.Expr) =
    let rec descend (e: Tree.Expr) above =
        match e.Kind with
        | Tree.Binary(operator, left, span, right) -> descend left ((e, operator, span, right) :: above)
        | Tree.Number _
        | Tree.Name _
        | Tree.Prime _
        | Tree.Unary _
        | Tree.Call _
        | Tree.Index _
        | Tree.Transpose _
        | Tree.Stack _
        | Tree.If _
        | Tree.Parenthesized _
        | Tree.ImplicitPart _
        | Tree.Quoted _
        | Tree.Missing -> e, above

    descend e []

let private isLeaf (e: Expr) =
    match e.Op with
    | Input _
    | Number _ -> true
    | _ -> false

/// Notes where a value was written, unless it is only a name or a number.
let private located context (tree: Tree.Expr) name (value: Expr) =
    if isLeaf value then value else recordOrigin context tree.Span name value

/// The value of an expression. Parts inside it note their origin; the whole does not, as its user may know a name.
let rec private value (context: Context) (tree: Tree.Expr) : Expr option =
    match tree.Kind with
    | Tree.Number(x, _) -> Some(Build.number x)
    | Tree.Name name -> nameValue context name
    | Tree.Prime(state, order) -> primeValue context state order
    | Tree.Unary(operator, operand) -> part context operand |> Option.bind (unary context operator)
    | Tree.Binary _ -> binaryChain context tree
    | Tree.Call(callee, arguments) -> call context tree callee arguments
    | Tree.Index(target, subscripts) ->
        part context target
        |> Option.bind (fun target -> Subscripts.apply context target subscripts tree.Span)
    | Tree.Transpose operand -> part context operand |> Option.bind (transpose context)
    | Tree.Stack items -> parts context items |> Option.bind (stack context tree.Span)
    | Tree.If(condition, thenBranch, elseBranch) ->
        match parts context [ condition; thenBranch; elseBranch ] with
        | Some [ condition; thenBranch; elseBranch ] -> choose context condition thenBranch elseBranch
        | _ -> None
    | Tree.Parenthesized inner -> value context inner
    | Tree.ImplicitPart _ -> fail context tree.Span (Structure MisplacedMark)
    | Tree.Quoted text -> fail context tree.Span (Structure(TextAsValue text))
    | Tree.Missing -> None

/// An operand, its origin noted.
and part context tree : Part option =
    value context tree
    |> Option.map (fun e -> { Tree = tree; Expr = located context tree None e })

and private parts context trees = trees |> List.map (part context) |> Dims.allOrNone

and private binaryChain context tree =
    let first, operators = leftSpine tree

    let step (left: Part option) (whole: Tree.Expr, operator, span, right) =
        // The right side is checked even where the left side failed.
        match left, part context right with
        | Some left, Some right ->
            binary context operator span left right
            |> Option.map (fun e ->
                { Tree = whole
                  Expr = if obj.ReferenceEquals(whole, tree) then e else located context whole None e })
        | _ -> None

    operators |> List.fold step (part context first) |> Option.map _.Expr

and private call context tree callee arguments =
    match lookup { context with Locals = Map.empty } callee.Name with
    | Some(Known { Op = Input({ Role = State } as state) }) when
        List.length arguments = 1 && not (functionNames.Contains callee.Name)
        ->
        refuseLabels context callee arguments
        delayed context state tree.Span arguments.Head.Value
    | Some(Inlined fn) when List.length fn.Parameters = List.length arguments ->
        refuseLabels context callee arguments
        let values = arguments |> List.map (fun a -> part context a.Value |> Option.map _.Expr)
        inlineFunction context tree.Span fn values
    | Some(Network network) when List.length arguments = 1 ->
        refuseLabels context callee arguments
        part context arguments.Head.Value |> Option.bind (applyNetwork context callee network)
    | Some(Inlined _)
    | Some(Network _) -> None // Names has reported the wrong number of arguments
    | Some Poisoned when not (Functions.names.Contains callee.Name) -> None
    | Some(Known _)
    | Some(Size _)
    | Some Poisoned
    | None ->
        match Map.tryFind callee.Name derivativeOperators with
        | Some(operator, arity) -> derivativeCall context callee operator arity arguments
        | None -> builtinCall context callee arguments

/// `x(t - tau)`: what stands behind `t` is summed up as the delay.
and private delayed context (state: Symbol) (span: SourceSpan) (argument: Tree.Expr) =
    let first, operators = leftSpine (withoutParentheses argument)

    let signs =
        operators
        |> List.map (fun (_, operator, _, right) ->
            match operator with
            | Tree.Subtract -> Some(right, id)
            | Tree.Add -> Some(right, Build.neg)
            | _ -> None)

    match part context first, Dims.allOrNone signs with
    | Some { Expr = { Op = Input { Role = Time } } }, Some terms ->
        parts context (List.map fst terms)
        |> Option.filter (List.forall (isDelay context))
        |> Option.bind (fun delays ->
            List.map2 (fun (_, sign) (delay: Part) -> sign delay.Expr) terms delays
            |> Build.addAll Shape.scalar
            |> delayedBy context state span argument)
    | None, _ -> None
    | Some _, _ -> fail context argument.Span (Delay(DelayArgument(state.Name, textOf context argument.Span)))

/// A number that is fixed before the solve.
and private isDelay context (delay: Part) =
    let varying =
        Expr.inputs [ delay.Expr ]
        |> List.filter (fun s -> s.Role <> Parameter && s.Role <> Constant)

    if not (isNumber context "a delay" delay) then
        false
    elif not (Shape.isScalar delay.Expr.Shape) then
        report context delay.Tree.Span (Delay(DelayNotScalar(shown context delay)))
        false
    elif not varying.IsEmpty then
        let names = varying |> List.map (fun s -> s.Name, kindOfRole s.Role)
        report context delay.Tree.Span (Delay(DelayVaries(textOf context delay.Tree.Span, names)))
        false
    else
        true

/// A delay of zero is none.
and private delayedBy context state span (argument: Tree.Expr) (delay: Expr) =
    match delay with
    | Build.Uniform x when x < 0.0 -> fail context argument.Span (Delay(NegativeDelay x))
    | Build.Uniform 0.0 -> Some(Build.input state)
    | _ ->
        let asked = context.Delayed.Of(state, delay, span)
        let value = Build.input asked.Symbol
        Expr.recordOrigin { Span = asked.Span; Text = asked.Symbol.Name; Name = None } value
        Some value

and private refuseLabels context callee arguments =
    for a in arguments do
        a.Name
        |> Option.iter (fun label ->
            report context label.Span (Name(UnknownArgument(callee.Name, label.Name, None))))

/// The body with the arguments in the place of the parameters; shapes are those of this call.
and inlineFunction context (span: SourceSpan) (fn: Tree.FnDecl) (arguments: Expr option list) =
    let bind (parameter: Tree.Ident) argument =
        parameter.Name, argument |> Option.map Known |> Option.defaultValue Poisoned

    value
        { context with
            Locals = List.map2 bind fn.Parameters arguments |> Map.ofList
            Calls = span :: context.Calls }
        fn.Body

and private applyNetwork context callee network (argument: Part) =
    if argument.Expr.Shape = network.Argument then
        network.Apply argument.Expr
    else
        let given = Shape.print argument.Expr.Shape
        let reason = sprintf "%s takes %s, not %s" callee.Name (Shape.print network.Argument) given

        fail
            context
            argument.Tree.Span
            (Shape(FunctionShapes(callee.Name, reason, [ shown context argument ])))

and private derivativeCall context callee operator arity arguments =
    refuseLabels context callee arguments

    if List.length arguments <> arity then
        let given = List.length arguments
        fail context callee.Span (Name(ArgumentCount(callee.Name, arity, arity, given)))
    else
        match arguments |> List.map _.Value |> parts context with
        | Some(f :: x :: rest) -> derivative context callee operator f x (List.tryHead rest)
        | _ -> None

and private builtinCall context callee arguments =
    let labelled, operands = arguments |> List.partition (fun a -> a.Name.IsSome)

    match operands |> List.map _.Value |> parts context with
    | Some operands when Functions.names.Contains callee.Name ->
        Functions.call context callee operands labelled
    | _ -> None

/// The value of an expression, under a name where it has one.
let elaborateAs context (name: string option) tree : Expr option =
    value context tree |> Option.map (located context tree name)

let elaborate context tree = elaborateAs context None tree
