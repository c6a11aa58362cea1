/// Network literals. A net becomes parameters named after it and a function of its argument:
///
///     net f : R[2] -> R[2] = dense(50) |> tanh |> dense(2)
///
/// declares f_W1 : R[50, 2], f_b1 : R[50], f_W2 : R[2, 50], f_b2 : R[2], and f(x) is
/// f_W2 @ tanh(f_W1 @ x + f_b1) + f_b2. Weights start as torch.nn.Linear's do.
module internal DiffEqLang.Compiler.Checking.Nets

open DiffEqLang.Contracts
open DiffEqLang.Compiler.Syntax
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Shape
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Typed
open DiffEqLang.Compiler.Checking.Errors
open DiffEqLang.Compiler.Checking.Context

/// Stages that the language has and the compiler does not have yet.
let private later =
    set
        [ "conv"
          "conv_transpose"
          "groupnorm"
          "layernorm"
          "avgpool"
          "maxpool"
          "flatten"
          "residual"
          "concat_time"
          "dropout" ]

/// A stage, ready to be applied; None where it does not take the value.
type private Stage = Expr -> Expr option

/// A scalar goes through a net as a vector of one element.
let private asVector (e: Expr) = if Shape.isScalar e.Shape then Build.stack [ e ] else e

let private matches (declared: Shape) (given: Shape) =
    given = declared || (Shape.isScalar declared && given = [ Dim.one ])

let private asDeclared (declared: Shape) (e: Expr) = if e.Shape = declared then e else Build.index 0 0 e

let private parameter (net: Tree.NetDecl) name shape fanIn : ParameterDecl =
    { Symbol = { Name = name; Role = Parameter; Shape = shape }
      Initializer = LinearDefault fanIn
      Bounds = None
      Net = Some net.Name.Name
      Doc = ""
      Span = net.Name.Span }

let private denseSignature = "dense(size, bias = true)"

/// The size of a dense stage, its labels checked.
let private denseSize context (stage: Tree.Stage) =
    let isBias (a: Tree.Argument) =
        match a.Name, a.Value.Kind with
        | Some label, Tree.Name("true" | "false") -> label.Name = "bias"
        | _ -> false

    match stage.Arguments |> List.filter (isBias >> not) with
    | [ { Name = None; Value = size } ] when stage.Arguments.Length <= 2 -> Dims.size context size
    | _ -> fail context stage.Span (Structure(StageArguments("dense", denseSignature)))

/// Weight, bias and the affine map of a dense stage with `fanIn` inputs.
let private dense net (weightName, biasName) (fanIn: Dim) (size: Dim) : ParameterDecl list * Stage =
    let weight = parameter net weightName [ size; fanIn ] fanIn
    let bias = biasName |> Option.map (fun name -> parameter net name [ size ] fanIn)

    let apply x =
        let product = Build.matmul (Build.input weight.Symbol) x

        match bias with
        | Some bias -> Some(Build.add product (Build.input bias.Symbol))
        | None -> Some product

    weight :: Option.toList bias, apply

/// A builtin as a stage: its first operand is the value, the others stand in the stage: `leaky_relu(0.2)`.
let private builtinStage context (stage: Tree.Stage) : Stage =
    let value: Tree.Expr = { Kind = Tree.Name stage.Name.Name; Span = stage.Span }
    let labelled, operands = stage.Arguments |> List.partition (fun a -> a.Name.IsSome)

    fun x ->
        operands
        |> List.map (fun a -> Expressions.part context a.Value)
        |> Dims.allOrNone
        |> Option.bind (fun others ->
            Functions.call
                context
                stage.Name
                ({ Operators.Tree = value; Operators.Expr = x } :: others)
                labelled)

let private functionStage context (stage: Tree.Stage) (fn: Tree.FnDecl) : Stage option =
    if fn.Parameters.Length = 1 && not stage.HasArguments then
        Some(fun x -> Expressions.inlineFunction context stage.Span fn [ Some x ])
    else
        fail
            context
            stage.Span
            (Structure(StageArguments(fn.Name.Name, "a function of one argument, by its name alone")))

let private networkStage context (stage: Tree.Stage) (network: Network) : Stage option =
    let apply (x: Expr) =
        if matches network.Argument x.Shape then
            network.Apply(asDeclared network.Argument x) |> Option.map asVector
        else
            let reason =
                sprintf
                    "it takes %s, and what comes in is %s"
                    (Shape.print network.Argument)
                    (Shape.print x.Shape)

            fail context stage.Span (Structure(StageChangesShape(stage.Name.Name, reason)))

    if stage.HasArguments then
        fail context stage.Span (Structure(StageArguments(stage.Name.Name, "a network, by its name alone")))
    else
        Some apply

let private unknownStage context (stage: Tree.Stage) =
    let declared =
        context.Scope.Entities
        |> List.filter (Scope.kindOf >> Scope.isFunction)
        |> List.map _.Name

    let suggestion =
        Spelling.suggestStage
            stage.Name.Name
            (Seq.concat [ [ "dense" ]; declared; List.ofSeq Functions.names ])

    fail context stage.Name.Span (Structure(UnknownStage(stage.Name.Name, suggestion)))

/// Any stage but a dense one.
let private plainStage context (stage: Tree.Stage) : Stage option =
    match Map.tryFind stage.Name.Name context.Globals with
    | Some(Inlined fn) -> functionStage context stage fn
    | Some(Network network) -> networkStage context stage network
    | Some Poisoned when not (Functions.names.Contains stage.Name.Name) -> None
    | Some(Known _)
    | Some(Size _)
    | Some Poisoned
    | None ->
        if later.Contains stage.Name.Name then
            fail context stage.Span (NotSupportedYet(NetworkStage stage.Name.Name))
        elif Functions.names.Contains stage.Name.Name then
            Some(builtinStage context stage)
        else
            unknownStage context stage

/// What has been built of a net: where the value stands, and how it got there.
type private Progress =
    {
        Value: Expr
        Stages: Stage list
        Parameters: ParameterDecl list
        /// The names for the dense stages that follow.
        Names: (string * string option) list
    }

let private noted context (tree: Tree.Stage) (stage: Stage) : Stage =
    stage >> Option.map (recordOrigin context tree.Span None)

let private denseStep context net (stage: Tree.Stage) progress =
    match progress.Value.Shape, progress.Names, denseSize context stage with
    | [ fanIn ], names :: rest, Some size ->
        let parameters, apply = dense net names fanIn size

        let apply = noted context stage apply

        apply progress.Value
        |> Option.map (fun value ->
            { Value = value
              Stages = apply :: progress.Stages
              Parameters = List.rev parameters @ progress.Parameters
              Names = rest })
    | _, _, None -> None
    | shape, _, Some _ -> fail context stage.Span (Shape(NetworkVectorOnly("`dense`", shape)))

let private step context net progress (stage: Tree.Stage) =
    match progress with
    | Some progress when stage.Name.Name = "dense" -> denseStep context net stage progress
    | None when stage.Name.Name = "dense" -> None
    | Some progress ->
        plainStage context stage
        |> Option.map (noted context stage)
        |> Option.bind (fun apply ->
            apply progress.Value
            |> Option.map (fun value -> { progress with Value = value; Stages = apply :: progress.Stages }))
    | None ->
        // The value is lost, but whether there is such a stage can be told.
        plainStage context stage |> ignore
        None

/// The network and its parameters; None where an error was reported.
let declare (context: Context) (net: Tree.NetDecl) : (Network * ParameterDecl list) option =
    match Dims.shape context net.From, Dims.shape context net.To with
    | Some argument, Some result ->
        let placeholder = Build.input { Name = net.Name.Name; Role = State; Shape = argument }

        let start =
            { Value = asVector placeholder
              Stages = []
              Parameters = []
              Names = Scope.networkParameterNames net }

        match net.Stages |> List.fold (step context net) (Some start), List.tryLast net.Stages with
        | Some final, Some _ when matches result final.Value.Shape ->
            let stages = List.rev final.Stages

            let apply x =
                stages
                |> List.fold (fun value stage -> Option.bind stage value) (Some(asVector x))
                |> Option.map (asDeclared result)

            Some({ Argument = argument; Result = result; Apply = apply }, List.rev final.Parameters)
        | Some final, Some last ->
            fail context last.Span (Shape(NetworkResult(net.Name.Name, result, final.Value.Shape)))
        // Without a stage there was a syntax error.
        | Some _, None
        | None, _ -> None
    | _ -> None
