/// The right side of `dX = mu*dt + sigma*dW`, split exactly: the coefficient of dt, and an expression linear in the
/// increments. Every term carries exactly one differential; sums, products, stacks and subscripts are taken apart
/// by their linearity.
///
///     (a + b*x)*dt + G @ dW       drift a + b*x, diffusion G @ dW
module internal DiffEqLang.Compiler.Checking.Differentials

open System.Collections.Generic
open DiffEqLang.Contracts
open DiffEqLang.Compiler.Syntax
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Shape
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Checking.Errors
open DiffEqLang.Compiler.Checking.Context
open DiffEqLang.Compiler.Checking.Operators

/// An expression taken apart. All parts have the shape, or are scalars that stand for it.
type Split =
    {
        Shape: Shape
        /// The coefficient of dt.
        Drift: Expr option
        /// Linear in the increments.
        Diffusion: Expr option
    }

type private Form =
    /// No differential in it.
    | Plain of Expr
    | Differential of Split

/// The splitting of one right side: which of its parts carry a differential, and which one.
type private Splitter = { Context: Context; Carried: Dictionary<Tree.Expr, string> }

/// Also a differential that Names has refused: the term around it is not blamed a second time.
let private isIncrement context name =
    match Scope.tryFind name context.Scope with
    | Some entity -> List.contains (Scope.kindOf entity) [ IncrementName; UnsupportedName ]
    | None -> name = "dt" || Names.looksLikeDifferential context.Scope name

/// The first differential in each part, by reference. Children come before parents.
let private carried context (tree: Tree.Expr) =
    let found = Dictionary<Tree.Expr, string>(HashIdentity.Reference)

    for e in Traversal.parts tree |> List.rev do
        match e.Kind with
        | Tree.Name name when isIncrement context name -> found[e] <- name
        | _ ->
            Traversal.children e
            |> List.tryPick (fun child ->
                match found.TryGetValue child with
                | true, name -> Some name
                | _ -> None)
            |> Option.iter (fun name -> found[e] <- name)

    found

let private nonlinear s (tree: Tree.Expr) =
    fail s.Context tree.Span (Noise(NonlinearDifferential(s.Carried[tree], textOf s.Context tree.Span)))

let private widest (a: Shape) (b: Shape) = if Shape.isScalar a then b else a

let private map (f: Expr -> Expr option) (split: Split) : Form option =
    let apply part =
        match part with
        | None -> Some None
        | Some e -> f e |> Option.map Some

    match apply split.Drift, apply split.Diffusion with
    | Some drift, Some diffusion ->
        let shape =
            [ drift; diffusion ]
            |> List.choose id
            |> List.map _.Shape
            |> List.fold widest Shape.scalar

        Some(Differential { Shape = shape; Drift = drift; Diffusion = diffusion })
    | _ -> None

/// An increment is an ordinary value here; dt is the number 1, whose products are the coefficient.
let private ofName s (tree: Tree.Expr) name =
    if name = "dt" then
        Some(Differential { Shape = Shape.scalar; Drift = Some(Build.number 1.0); Diffusion = None })
    else
        Expressions.elaborate s.Context tree
        |> Option.map (fun e -> Differential { Shape = e.Shape; Drift = None; Diffusion = Some e })

/// A part for the shape rules of operators, which look at the shape of the whole form.
let private representative (tree: Tree.Expr) form : Part =
    match form with
    | Plain e -> { Tree = tree; Expr = e }
    | Differential split ->
        let placeholder = Build.input { Name = ""; Role = State; Shape = split.Shape }
        { Tree = tree; Expr = placeholder }

let private filled shape (e: Expr option) = e |> Option.map (Build.broadcastTo shape)

/// A part of a form brought to the form's own shape.
let private parts (split: Split) = filled split.Shape split.Drift, filled split.Shape split.Diffusion

let private combine build (a: Expr option) (b: Expr option) zero =
    match a, b with
    | None, None -> None
    | Some a, Some b -> Some(build a b)
    | Some a, None -> Some(build a zero)
    | None, Some b -> Some(build zero b)

let private sum build (a: Split) (b: Split) =
    let (drift, diffusion), (drift', diffusion') = parts a, parts b
    let zero = Build.number 0.0

    Differential
        { Shape = widest a.Shape b.Shape
          Drift = combine build drift drift' zero
          Diffusion = combine build diffusion diffusion' zero }

/// A term of a sum without a differential: it would be lost in the splitting. A `let` that holds one is refused already.
let private missing s (tree: Tree.Expr) (value: Expr) =
    if Expr.inputs [ value ] |> List.exists (fun symbol -> symbol.Role = Increment) then
        None
    else
        fail s.Context tree.Span (Noise(TermWithoutDifferential(textOf s.Context tree.Span)))

let rec private split (s: Splitter) (tree: Tree.Expr) : Form option =
    if not (s.Carried.ContainsKey tree) then
        Expressions.part s.Context tree |> Option.map (fun part -> Plain part.Expr)
    else
        match tree.Kind with
        | Tree.Name name -> ofName s tree name
        | Tree.Parenthesized inner -> split s inner
        | Tree.Unary((Tree.Plus | Tree.Minus) as operator, operand) ->
            split s operand |> Option.bind (linear s operand (unary s.Context operator))
        | Tree.Binary((Tree.Add | Tree.Subtract), _, _, _) -> sumChain s tree
        | Tree.Binary((Tree.Multiply | Tree.Contract | Tree.Divide) as operator, left, span, right) ->
            product s tree operator span left right
        | Tree.Index(target, subscripts) ->
            split s target
            |> Option.bind (
                linear s target (fun part -> Subscripts.apply s.Context part subscripts tree.Span)
            )
        | Tree.Transpose operand -> split s operand |> Option.bind (linear s operand (transpose s.Context))
        | Tree.Stack items -> joined s items (stack s.Context tree.Span)
        | Tree.Call(callee, arguments) when
            List.contains callee.Name [ "sum"; "mean"; "transpose"; "concat"; "trace" ]
            ->
            linearCall s tree callee arguments
        | Tree.If(condition, thenBranch, elseBranch) -> conditional s condition thenBranch elseBranch
        | Tree.Unary(Tree.Not, _)
        | Tree.Binary _
        | Tree.Call _ -> nonlinear s tree
        | Tree.ImplicitPart _ -> fail s.Context tree.Span (Structure MisplacedMark)
        | Tree.Number _
        | Tree.Prime _
        | Tree.Quoted _
        | Tree.Missing -> None

/// Applies a linear operation to each part; on the whole form first, so that a wrong shape is reported once.
and private linear s (tree: Tree.Expr) (operation: Part -> Expr option) form : Form option =
    match form, operation (representative tree form) with
    | _, None -> None
    | Plain _, Some e -> Some(Plain e)
    | Differential split, Some _ ->
        let drift, diffusion = parts split
        map (fun e -> operation { Tree = tree; Expr = e }) { split with Drift = drift; Diffusion = diffusion }

/// `a + b - c ...` without nesting calls: a long sum is as deep as it is long.
and private sumChain s tree =
    let rec descend (e: Tree.Expr) above =
        match e.Kind with
        | Tree.Binary((Tree.Add | Tree.Subtract) as operator, left, span, right) when s.Carried.ContainsKey e ->
            descend left ((operator, span, right, e) :: above)
        | _ -> e, above

    let term (e: Tree.Expr) =
        if s.Carried.ContainsKey e then
            split s e
        else
            Expressions.elaborate s.Context e |> Option.bind (missing s e)

    let step left (operator, span, right: Tree.Expr, whole: Tree.Expr) =
        match left, term right with
        | Some(leftTree, Differential a), Some(Differential b) ->
            let build = if operator = Tree.Add then Build.add else Build.sub
            // The operator's own rule says what is wrong with the shapes.
            binary
                s.Context
                operator
                span
                (representative leftTree (Differential a))
                (representative right (Differential b))
            |> Option.map (fun _ -> whole, sum build a b)
        | _ -> None

    let first, operators = descend tree []
    let start = term first |> Option.map (fun form -> first, form)
    operators |> List.fold step start |> Option.map snd

and private product s tree operator span left right =
    match s.Carried.ContainsKey left, s.Carried.ContainsKey right with
    | true, true -> fail s.Context tree.Span (Noise(ProductOfDifferentials(textOf s.Context tree.Span)))
    | _, true when operator = Tree.Divide -> nonlinear s tree
    | leftCarries, _ ->
        match split s left, split s right with
        | Some a, Some b when leftCarries ->
            let factor = representative right b
            linear s left (fun part -> binary s.Context operator span part factor) a
        | Some a, Some b ->
            let factor = representative left a
            linear s right (fun part -> binary s.Context operator span factor part) b
        | _ -> None

/// Items of which some carry a differential, joined by an operation that is linear in all of them.
and private joined s (items: Tree.Expr list) (operation: Part list -> Expr option) : Form option =
    let form item =
        match split s item with
        | Some(Plain(Build.Zero as zero)) ->
            Some(item, { Shape = zero.Shape; Drift = Some zero; Diffusion = None })
        | Some(Plain value) -> missing s item value
        | Some(Differential split) -> Some(item, split)
        | None -> None

    let pick (part: Split -> Expr option) forms =
        if forms |> List.forall (fun (_, split) -> (part split).IsNone) then
            Some None
        else
            forms
            |> List.map (fun (tree, split) ->
                let e = part split |> Option.defaultValue (Build.number 0.0)
                { Tree = tree; Expr = Build.broadcastTo split.Shape e })
            |> operation
            |> Option.map Some

    match items |> List.map form |> Dims.allOrNone with
    | None -> None
    | Some forms ->
        match
            operation (forms |> List.map (fun (tree, split) -> representative tree (Differential split)))
        with
        | None -> None
        | Some whole ->
            match pick _.Drift forms, pick _.Diffusion forms with
            | Some drift, Some diffusion ->
                Some(Differential { Shape = whole.Shape; Drift = drift; Diffusion = diffusion })
            | _ -> None

and private linearCall s tree callee (arguments: Tree.Argument list) =
    let labelled, operands = arguments |> List.partition (fun a -> a.Name.IsSome)
    joined s (operands |> List.map _.Value) (fun parts -> Functions.call s.Context callee parts labelled)

/// `if c then a*dt else b*dt`: each part chooses.
and private conditional s condition thenBranch elseBranch =
    if s.Carried.ContainsKey condition then
        nonlinear s condition
    else
        Expressions.part s.Context condition
        |> Option.bind (fun condition -> joined s [ thenBranch; elseBranch ] (chooseBy s condition))

and private chooseBy s condition parts =
    match parts with
    | [ thenBranch; elseBranch ] -> choose s.Context condition thenBranch elseBranch
    | _ -> None

/// The parts of a stochastic equation's right side; None where an error was reported.
let ofRightSide (context: Context) (tree: Tree.Expr) : Split option =
    let s = { Context = context; Carried = carried context tree }

    if s.Carried.ContainsKey tree then
        match split s tree with
        | Some(Differential split) -> Some split
        | Some(Plain _)
        | None -> None
    else
        Expressions.elaborate context tree |> Option.bind (missing s tree)
