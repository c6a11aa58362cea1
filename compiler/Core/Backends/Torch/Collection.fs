/// Tensors made of several: stacks, concatenations, numbers that are written out.
module internal DiffEqLang.Compiler.Backends.Torch.Collection

open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp
open DiffEqLang.Compiler.Backends.CSharp.Literals
open DiffEqLang.Compiler.Backends.Torch.Batching
open DiffEqLang.Compiler.Backends.Torch.Context

/// Numbers stacked into numbers, row-major: a tensor that is written out.
let rec private (|Table|_|) (e: Expr.Expr) =
    match e.Op with
    | Number x -> Some [ x ]
    | Stack
    | Concat ->
        let rows =
            e.Args
            |> List.map (fun a ->
                match a with
                | Table t -> Some t
                | _ -> None)

        if List.forall Option.isSome rows then
            Some(List.collect Option.get rows)
        else
            None
    | _ -> None

/// The operands of a stack or a concatenation, all with the batch axes or all without. Time alone may or may not have
/// them: it gets them.
let private sameBatch (context: Context) (args: Expr.Expr list) =
    let common = mostBatched args

    let sibling =
        args
        |> List.tryFind (fun a ->
            isTensor a && batching a = common && common <> PerTime && (context.Place.Named a).IsSome)

    args
    |> List.map (fun a ->
        match a, sibling with
        | Build.Uniform x, Some s when s.Shape = a.Shape -> filledLike (context.Lower s) x
        | Build.Uniform x, _ ->
            context.Place.Filled (sizes context.Place (common <> Single) a.Shape) (scalar x)
        | _ when common = Single || batching a = PerSample -> context.Lower a
        | _, Some s when s.Shape = a.Shape -> call (context.Lower a) "expand_as" [ context.Lower s ]
        | _ -> call (context.Lower a) "expand" [ sizes context.Place true a.Shape ])

let private table (context: Context) (e: Expr.Expr) values =
    let array = ArrayOf("double", List.map number values)

    let shape =
        if e.Shape.Length = 1 then
            []
        else
            [ argument (Literals.shape context.Place.OpenDim e.Shape) ]

    Invoke(Name "tensor", [ argument array ] @ shape @ context.Place.Placement)

let stack (context: Context) (e: Expr.Expr) (args: Expr.Expr list) =
    match e with
    | Table values -> table context e values
    | _ -> invoke "stack" [ Collection(sameBatch context args); integer -e.Shape.Length ]

let concat (context: Context) (e: Expr.Expr) (args: Expr.Expr list) =
    match e with
    | Table values -> table context e values
    | _ ->
        let parts =
            List.map2
                (fun (a: Expr.Expr) value -> if a.Shape.IsEmpty then unsqueezed 1 value else value)
                args
                (sameBatch context args)

        invoke "cat" [ Collection parts; integer -e.Shape.Length ]
