/// Bounds what the just-in-time compiler takes into one method: beyond it, elementary functions become calls, and sums that are fused with a
/// product, each a method to it, products and sums.
///
///     tanhX6 = Tanh(x6)      becomes      tanhX6 = CalledTanh(x6)      where five others are inlined already
///     dx = Fms(x, z, y)      becomes      dx = x * z - y               where there are hundreds
module internal DiffEqLang.Compiler.Backends.Simd.Inlining

open System.Collections.Generic
open DiffEqLang.Compiler.Builtins
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.Simd.Registers
open DiffEqLang.Compiler.Backends.Simd.Statements

/// How many methods the just-in-time compiler inlines for one call, in float64; in float32 it is a fifth less. None for what
/// takes an instruction or two, or is a call in the runtime already.
let weight name =
    match name with
    | "tanh" -> Some 78
    | "exp"
    | "log" -> Some 90
    | "sin"
    | "cos" -> Some 110
    | "expm1"
    | "sigmoid"
    | "elu" -> Some 118
    | "silu" -> Some 135
    | _ -> None

/// What a method takes in at full speed. Measured on straight lines of one to twelve calls: up to 405 a call costs what it does alone,
/// from 420 on two to six times as much, however many follow.
let most = 410

let private called name = "Called" + name

let private weights =
    dict
        [ for builtin in Catalogue.all do
              match weight builtin.Name with
              | Some n -> functionName builtin.Name, n
              | None -> () ]

/// Names that this file gives to methods.
let reserved = weights.Keys |> Seq.map called |> Seq.toList

let private weightOf (e: CSharp.Expr) =
    match e with
    | Invoke(Name name, _) ->
        match weights.TryGetValue name with
        | true, n -> Some(name, n)
        | _ -> None
    | _ -> None

/// Visits the inlined functions of a method in one order, each with the number of loops around it.
let rec private mapFunctions (f: int -> string -> int -> string) depth (statements: Statement list) =
    let rec rewritten (e: CSharp.Expr) =
        e
        |> replaced (fun e ->
            match e, weightOf e with
            | Invoke(_, arguments), Some(name, n) ->
                let own = f depth name n
                Some(Invoke(Name own, [ for a in arguments -> { a with Value = rewritten a.Value } ]))
            | _ -> None)

    [ for s in statements do
          match s with
          | Loop(variable, count, body) -> Loop(variable, count, mapFunctions f (depth + 1) body)
          | other -> mapExpressions rewritten other ]

let rec private countOfVariables (statements: Statement list) =
    statements
    |> List.sumBy (fun s ->
        match s with
        | Declare _ -> 1
        | Loop(_, _, body) -> 1 + countOfVariables body
        | Store _
        | Scratch _
        | Overwrite _ -> 0)

let private isFused (e: CSharp.Expr) =
    match e with
    | Invoke(Name("Fma" | "Fms" | "Fnma"), _) -> true
    | _ -> false

let private countOfFused (statements: Statement list) =
    let found = ResizeArray<CSharp.Expr>()

    let visit e =
        if isFused e then
            found.Add e

        None

    statements |> List.iter (mapExpressions (replaced visit) >> ignore)
    found.Count

let rec private unfused (e: CSharp.Expr) =
    e
    |> replaced (fun e ->
        match e with
        | Invoke(Name name, [ a; b; c ]) when isFused e ->
            let product = Infix(unfused a.Value, "*", unfused b.Value)
            let rest = unfused c.Value

            match name with
            | "Fms" -> Some(Infix(product, "-", rest))
            | "Fnma" -> Some(Infix(rest, "-", product))
            | _ -> Some(Infix(product, "+", rest))
        | _ -> None)

/// The statements with those functions as calls that do not fit, the ones in the innermost loops last. `copies`: how often the
/// method is itself inlined into another.
let bounded copies (statements: Statement list) : Statement list =
    let room = most / copies

    let statements =
        if countOfFused statements <= room then
            statements
        else
            statements |> List.map (mapExpressions unfused)

    let found = ResizeArray<int * int>()

    mapFunctions
        (fun depth name n ->
            found.Add((depth, n))
            name)
        0
        statements
    |> ignore

    let mutable left = room - countOfVariables statements - countOfFused statements
    let inlined = HashSet<int>()

    for place, (_, n) in Seq.indexed found |> Seq.sortBy (fun (_, (depth, _)) -> -depth) do
        if n <= left then
            inlined.Add place |> ignore
            left <- left - n

    let mutable place = -1

    mapFunctions
        (fun _ name _ ->
            place <- place + 1
            if inlined.Contains place then name else called name)
        0
        statements

// The calls

let rec private namesOf (names: HashSet<string>) (statements: CSharp.Statement list) =
    let read = reads names (ResizeArray())

    for s in statements do
        match s.Kind with
        | Local(_, value)
        | TypedLocal(_, _, value)
        | Do value
        | Return value -> read value
        | Assign(target, value)
        | Update(target, _, value) -> List.iter read [ target; value ]
        | If(condition, body) ->
            read condition
            namesOf names body
        | For(_, count, body) ->
            read count
            namesOf names body

/// The methods that the members of a kernel call in the place of functions.
let methods (members: CSharp.Member list) : CSharp.Member list =
    let names = HashSet<string>()

    for m in members do
        match m.Kind with
        | Method(_, _, _, Block body) -> namesOf names body
        | _ -> ()

    [ for function' in weights.Keys do
          if names.Contains(called function') then
              { Documentation =
                  summary (
                      sprintf
                          "%s as a call: the just-in-time compiler inlines a few in a method, not more."
                          function'
                  )
                Attributes =
                  [ "MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)" ]
                Modifiers = [ "private"; "static" ]
                Kind =
                  Method(
                      "Lanes",
                      called function',
                      [ parameter "Lanes" "x" ],
                      Arrow(invoke function' [ Name "x" ])
                  ) } ]
