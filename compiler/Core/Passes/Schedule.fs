/// From the DAG to straight-line code: what is used more than once, what the user named and what would make a line
/// too long gets a name; everything else stays where it is used.
///
///     (x + y) * (x + y)       becomes       let sum = x + y
///                                           sum * sum
///
/// Linear in the size of the DAG.
module internal DiffEqLang.Compiler.Passes.Schedule

open System.Collections.Generic
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Program

/// How long an expression may get, in columns, before parts of it are named.
let private longestExpression = 88

/// A part shorter than this is not worth a name for the sake of a line's length.
let private shortestPart = 18

/// So cheap, or so much shorter than a name, that it is written again at every use.
let rec private isCheap (e: Expr) =
    match e.Op with
    | Number _
    | Input _ -> true
    | Negate -> isCheap e.Args.Head
    | Permute _ ->
        match e.Args.Head.Op with
        | Input _ -> not e.IsBatched
        | _ -> false
    | Broadcast _ ->
        match e.Args.Head.Op with
        | Number _ -> true
        | _ -> false
    | Add
    | Subtract
    | Multiply
    | Divide
    | Power
    | Call _
    | Compare _
    | And
    | Or
    | Not
    | Select
    | Contract _
    | Reduce _
    | Index _
    | Slice _
    | Pad _
    | Stack
    | Concat
    | Reshape _
    | Diagonal
    | DiagonalMatrix
    | Identity _
    | Derivative _
    | BatchSum -> false

/// Columns of an operation without its operands: a guess at how back ends write it.
let private ownWidth (e: Expr) =
    match e.Op with
    | Number n -> if n = floor n then 2 else 6
    | Input s -> s.Name.Length
    | Add
    | Subtract
    | Multiply
    | Divide -> 3 * (e.Args.Length - 1)
    | Power -> 6
    | Negate
    | Not -> 1
    | Call(name, _) -> name.Length + 3
    | Compare _
    | And
    | Or -> 4
    | Contract _
    | Select -> 10
    | Permute _ -> 2
    | Broadcast _
    | Index _ -> 14
    | Reduce _ -> 9
    | Slice _
    | Pad _
    | Reshape _
    | Diagonal
    | DiagonalMatrix -> 20
    | Stack
    | Concat -> 10 + 2 * e.Args.Length
    | Identity _ -> 10
    | Derivative _
    | BatchSum -> 0

let private isList (e: Expr) =
    match e.Op with
    | Stack
    | Concat -> true
    | _ -> false

let private countUses (results: Expr list) (order: Expr list) =
    let uses = Dictionary<Expr, int>(HashIdentity.Reference)

    let add (e: Expr) =
        uses[e] <-
            match uses.TryGetValue e with
            | true, n -> n + 1
            | _ -> 1

    for e in order do
        for a in e.Args do
            add a

    List.iter add results
    uses

/// The sum over the batch is taken by whoever stores a parameter's gradient: it is no value of its own.
let private isMark (e: Expr) =
    match e.Op with
    | BatchSum -> true
    | _ -> false

/// Names bound so far, and the width of what is not.
type private State(taken: string seq) =
    let names = Dictionary<Expr, string>(HashIdentity.Reference)
    let widths = Dictionary<Expr, int>(HashIdentity.Reference)
    let unique = Naming.Unique taken

    let nameOf (e: Expr) =
        match names.TryGetValue e, e.Op with
        | (true, name), _ -> Some name
        | _, Input s -> Some(s.Name.Replace("'", ""))
        | _ -> None

    member _.Names = names
    member _.IsBound e = names.ContainsKey e
    member _.Bind e = names[e] <- unique.Fresh(Naming.wanted nameOf e)

    member _.Width e =
        match names.TryGetValue e with
        | true, name -> name.Length
        | _ -> widths[e]

    member this.Measure(e: Expr) = widths[e] <- ownWidth e + List.sumBy this.Width e.Args

    /// Names the longest operands until the expression fits a line. A list that does not fit takes a line for every
    /// item anyhow.
    member this.Shorten(e: Expr) =
        this.Measure e

        if widths[e] > longestExpression && not (isList e) then
            for a in e.Args |> List.distinct |> List.sortByDescending this.Width do
                let worthNaming = this.Width a > shortestPart && not (isCheap a) && not (this.IsBound a)

                if worthNaming && widths[e] > longestExpression then
                    this.Bind a
                    this.Measure e

/// Schedules one function. `taken` are the names that bindings must keep clear of, those of the inputs among them.
let schedule
    (taken: string seq)
    (name: string)
    (inputs: Symbol list)
    (results: (string * Expr) list)
    : Function =
    let order = results |> List.map snd |> topological
    let uses = countUses (List.map snd results) order
    let state = State taken

    let isResult = HashSet<Expr>(results |> Seq.map snd, HashIdentity.Reference)

    /// The user thought it worth a name. A result has one anyhow.
    let isNamed (e: Expr) =
        not (isResult.Contains e)
        && not (e.DependsOn.HasFlag Dependence.Cotangent)
        && tryOrigin e |> Option.exists _.Name.IsSome

    let deservesName (e: Expr) = not (isCheap e) && not (isMark e) && (uses[e] > 1 || isNamed e)

    for e in order do
        state.Shorten e

        if deservesName e then
            state.Bind e

    { Name = name
      Inputs = inputs
      Bindings =
        order
        |> List.filter state.IsBound
        |> List.map (fun e -> { Name = state.Names[e]; Value = e; Origin = tryOrigin e })
      Results = results }
