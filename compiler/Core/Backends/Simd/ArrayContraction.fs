/// Takes scratch arrays away where variables do.
///
///     for i                                         for i
///     {                                             {
///         hidden[i] = tanh(...)           becomes       var hidden = tanh(...)
///         sum = W[i] * hidden[i] + sum                  sum = W[i] * hidden + sum
///     }                                             }
module internal DiffEqLang.Compiler.Backends.Simd.ArrayContraction

open System
open System.Collections.Generic
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Backends.Simd.Statements

/// How often an array is touched.
let private countOf array (statements: Statement list) =
    let t = touched statements

    Seq.append t.ReadPlaces t.WrittenPlaces |> Seq.filter (fst >> (=) array) |> Seq.length

/// An array whose every element is written and then read in one block becomes variables of that block.
let private withoutArray (array: string) (statements: Statement list) : Statement list option =
    let places =
        let t = touched statements

        Seq.append t.ReadPlaces t.WrittenPlaces
        |> Seq.filter (fst >> (=) array)
        |> Seq.map snd
        |> Seq.distinct
        |> Seq.toList

    let nameOf place =
        match places with
        | [ _ ] -> array
        | several ->
            let separator = if Char.IsDigit array[array.Length - 1] then "_" else ""
            sprintf "%s%s%d" array separator (List.findIndex ((=) place) several)

    let replacement e =
        match e with
        | Element(Name a, [ place ]) when a = array -> Some(Name(nameOf place))
        | _ -> None

    /// The block that holds every touch, with the array's elements as its variables.
    let rec inBlock (block: Statement list) : Statement list option =
        let isWrite s =
            match s with
            | Store(Element(Name a, [ _ ]), _, _) -> a = array
            | _ -> false

        if List.exists isWrite block then
            // Written once each, and before it is read.
            let known = HashSet<CSharp.Expr>()
            let mutable isSound = true

            let rewritten =
                [ for s in block do
                      match s with
                      | Store(Element(Name a, [ place ]), value, source) when a = array ->
                          isSound <-
                              isSound && known.Add place && countOf array [ Declare("", value, None) ] = 0

                          Declare(nameOf place, value, source)
                      | other ->
                          let t = touched [ other ]
                          let own = Seq.append t.ReadPlaces t.WrittenPlaces |> Seq.filter (fst >> (=) array)
                          isSound <- isSound && own |> Seq.forall (fun (_, place) -> known.Contains place)
                          isSound <- isSound && not (t.WrittenPlaces |> Seq.exists (fst >> (=) array))
                          mapExpressions (replaced replacement) other ]

            if isSound then Some rewritten else None
        else
            let touching = block |> List.filter (fun s -> countOf array [ s ] > 0)

            match touching with
            | [ Loop(variable, count, body) as loop ] ->
                inBlock body
                |> Option.map (fun inner ->
                    block |> List.map (fun s -> if s = loop then Loop(variable, count, inner) else s))
            | _ -> None

    inBlock statements

/// In all of a method. What a call takes whole stays in memory.
let contractArrays (statements: Statement list) : Statement list =
    let whole =
        statements
        |> List.collect (fun s ->
            match s with
            | Overwrite(Invoke(_, arguments), _, _)
            | Declare(_, Invoke(_, arguments), _) ->
                [ for a in arguments do
                      match a.Value with
                      | Name n -> n
                      | _ -> () ]
            | _ -> [])

    let arrays =
        statements
        |> List.choose (fun s ->
            match s with
            | Scratch(name, _) when not (List.contains name whole) -> Some name
            | _ -> None)

    arrays
    |> List.fold
        (fun statements array ->
            let others =
                statements
                |> List.filter (fun s ->
                    match s with
                    | Scratch(a, _) -> a <> array
                    | _ -> true)

            match withoutArray array others with
            | Some contracted -> contracted
            | None -> statements)
        statements

/// In a loop, what is stored and read again goes through a variable: the processor need not wait for memory.
///
///     tanh[i] = Tanh(...)                        var tanhI = Tanh(...)
///     sum = W[i] * tanh[i] + sum    becomes      tanh[i] = tanhI
///                                                sum = W[i] * tanhI + sum
let nameStored (fresh: string -> string) (statements: Statement list) : Statement list =
    let rec inBody variable (body: Statement list) =
        match body with
        | Store(Element(Name array, [ place ]) as target, value, source) :: rest when
            isReadUnchanged array place rest
            ->
            let name = fresh (array + Naming.capitalized variable)

            let rest =
                rest
                |> List.map (
                    mapExpressions (replaced (fun e -> if e = target then Some(Name name) else None))
                )

            Declare(name, value, source) :: Store(target, Name name, None) :: inBody variable rest
        | Loop(inner, count, nested) :: rest ->
            Loop(inner, count, inBody inner nested) :: inBody variable rest
        | s :: rest -> s :: inBody variable rest
        | [] -> []

    /// Whether it is read by these statements, and nothing in its array written.
    and isReadUnchanged array place rest =
        let t = touched rest
        t.ReadPlaces.Contains((array, place)) && not (t.Writes.Contains array)

    [ for s in statements do
          match s with
          | Loop(variable, count, body) -> Loop(variable, count, inBody variable body)
          | other -> other ]
