/// All functions of the language, by name.
module internal DiffEqLang.Compiler.Builtins.Catalogue

open System.Collections.Generic
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Build
open DiffEqLang.Compiler.Builtins.Builtin

let all: Builtin list = Elementary.all @ Activations.all @ LinearAlgebra.all @ Reductions.all

let private byName = Dictionary(all |> Seq.map (fun b -> KeyValuePair(b.Name, b)))

let tryFind (name: string) : Builtin option =
    match byName.TryGetValue name with
    | true, builtin -> Some builtin
    | _ -> None

/// The function of a call node; one that is not there is an internal error.
let find name =
    match tryFind name with
    | Some builtin -> builtin
    | None -> internalError "There is no function %s." name

/// What stands behind a call node.
let findPrimitive name =
    match (find name).Definition with
    | Primitive primitive -> primitive
    | Expansion _ -> internalError "%s is written out, never called." name

/// A negative axis counts from the end: afterwards equal calls are one node.
let private normalAxes (attributes: int list) (args: Expr list) =
    attributes
    |> List.map (fun axis -> if axis < 0 then axis + args.Head.Shape.Length else axis)

let private numberOf (e: Expr) =
    match e with
    | Uniform x -> Some x
    | _ -> None

/// A call by name with attributes ([] or [axis]): a node, or what the function is written out as.
/// An elementwise call of numbers is folded. Wrong shapes are internal errors: ask `Shape` first.
let call name (attributes: int list) (args: Expr list) : Expr =
    let builtin = find name

    match builtin.Shape attributes (args |> List.map _.Shape) with
    | Error message -> internalError "%s" message
    | Ok shape ->
        let attributes = normalAxes attributes args

        match builtin.Definition, args |> List.map numberOf with
        | Expansion expand, _ -> expand attributes args
        | Primitive primitive, numbers when isElementwise builtin && List.forall Option.isSome numbers ->
            let value = primitive.Value attributes (numbers |> List.map (Option.get >> Tensor.scalar))
            filled shape value.Data[0]
        | Primitive _, _ -> make (Call(name, attributes)) args shape false
