module DiffEqLang.Tests.Compiler.ScheduleTests

open System
open System.Collections.Generic
open Expecto
open DiffEqLang.Compiler
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Program
open DiffEqLang.Compiler.Ir.Tensor
open DiffEqLang.Compiler.Passes
open DiffEqLang.Tests.Support.RandomExpr

let private isLeaf (e: Expr) = e.Args.IsEmpty

/// Nodes that stand in `root` when it is written out, with how often: bound nodes end the walk.
let private written (bound: HashSet<Expr>) (root: Expr) =
    let rec walk (e: Expr) =
        seq {
            yield e

            if not (bound.Contains e) then
                yield! Seq.collect walk e.Args
        }

    Seq.append [ root ] (Seq.collect walk root.Args)

/// The value of a program, as whoever prints it understands it: a bound node is a variable that must exist by then.
let private interpret (inputs: Symbol -> Tensor) (program: Program.Function) : Tensor list =
    let variables = Dictionary<Expr, Tensor>(HashIdentity.Reference)
    let all = HashSet<Expr>(program.Bindings |> List.map _.Value, HashIdentity.Reference)

    let standIn (e: Expr) : Symbol = { Name = sprintf "#%d" e.Id; Role = State; Shape = e.Shape }

    /// Written out over variables, which become inputs.
    let rec overVariables isTop (e: Expr) =
        if all.Contains e && not isTop then
            Build.input (standIn e)
        else
            Builtins.Rebuild.rebuild e (e.Args |> List.map (overVariables false))

    let lookUp (s: Symbol) =
        if s.Name.StartsWith '#' then
            variables |> Seq.find (fun entry -> standIn entry.Key = s) |> _.Value
        else
            inputs s

    for binding in program.Bindings do
        variables[binding.Value] <-
            Evaluate.run lookUp Map.empty [ overVariables true binding.Value ] |> List.head

    program.Results
    |> List.map (fun (_, e) -> Evaluate.run lookUp Map.empty [ overVariables false e ] |> List.head)

let private random seed =
    let source = Random seed
    [ "f", generate source 5 [ 3 ]; "g", generate source 4 [] ]

let private property name (check: (string * Expr) list -> Program.Function -> int -> unit) =
    testPropertyWithConfig { widelySeeded with maxTest = 150 } name (fun (seed: int) ->
        Arena.Run(fun () ->
            let roots = random seed
            check roots (Schedule.schedule [ "taken" ] "f" [] roots) seed))

let private symbols =
    [ let x = variable "x" [ 3 ]
      let y = variable "y" [ 3 ]
      x, y ]

let tests =
    testList
        "Schedule"
        [ property "a program's value is the DAG's" (fun roots (program: Program.Function) seed ->
              let inputs = valuesWithin 0.2 1.5 seed
              let expected = Evaluate.run inputs Map.empty (List.map snd roots)

              for e, actual in List.zip expected (interpret inputs program) do
                  Expect.isLessThan (distance e actual) 1e-12 "")

          property
              "a binding uses earlier ones only, and no name twice"
              (fun _ (program: Program.Function) _ ->
                  let bound = HashSet<Expr>(program.Bindings |> List.map _.Value, HashIdentity.Reference)
                  let earlier = HashSet<Expr>(HashIdentity.Reference)

                  for (binding: Binding) in program.Bindings do
                      for e in Seq.tail (written bound binding.Value) do
                          Expect.isTrue
                              (not (bound.Contains e) || earlier.Contains e)
                              "used before it is bound"

                      earlier.Add binding.Value |> ignore

                  let names = "taken" :: (program.Bindings |> List.map (fun b -> b.Name))
                  Expect.equal (List.distinct names) names "names differ")

          property
              "what is used more than once is bound, cheap things aside"
              (fun roots (program: Program.Function) _ ->
                  let bound = HashSet<Expr>(program.Bindings |> List.map _.Value, HashIdentity.Reference)

                  let lines =
                      (program.Bindings |> List.map _.Value)
                      @ (roots |> List.map snd |> List.filter (bound.Contains >> not))

                  let repeated =
                      lines
                      |> Seq.collect (written bound)
                      |> Seq.filter (fun e -> not (bound.Contains e) && not (isLeaf e))
                      |> Seq.countBy id
                      |> Seq.filter (fun (_, count) -> count > 1)
                      |> Seq.map fst

                  for e in repeated do
                      let isSign =
                          match e.Op with
                          | Negate -> true
                          | _ -> false

                      let isUniform =
                          match e with
                          | Build.Uniform _ -> true
                          | _ -> false

                      Expect.isTrue (isSign || isUniform) (sprintf "%s is written twice" (Print.inlined e)))

          test "the user's names come first, then what a term is" {
              Arena.Run(fun () ->
                  let x, y = symbols.Head
                  let sum = Build.add x y
                  let cube = Build.pow x (Build.number 3.0)

                  recordOrigin
                      { Span = DiffEqLang.Contracts.SourceSpan.None
                        Text = "x + y"
                        Name = Some "hidden" }
                      sum

                  let root = Build.mul (Build.mul sum cube) (Build.add cube (Build.square sum))
                  let program = Schedule.schedule [] "f" [] [ "r", root ]

                  Expect.equal
                      (program.Bindings |> List.map (fun (b: Binding) -> b.Name))
                      [ "hidden"; "cubeX" ]
                      "")
          }

          test "a long line is broken into named parts" {
              Arena.Run(fun () ->
                  let x, y = symbols.Head

                  let term k =
                      Builtins.Catalogue.call
                          "tanh"
                          []
                          [ Build.add (Build.scale (float k + 0.5) x) (Build.scale (0.25 - float k) y) ]

                  let root =
                      [ 1..12 ] |> List.map term |> List.reduce (fun a b -> Build.mul (Build.add a b) x)

                  let program = Schedule.schedule [] "f" [] [ "r", root ]
                  let bound = HashSet<Expr>(program.Bindings |> List.map _.Value, HashIdentity.Reference)
                  Expect.isNonEmpty program.Bindings ""

                  for e in root :: List.map _.Value program.Bindings do
                      Expect.isLessThan (Seq.length (written bound e)) 60 "nodes in one expression")
          }

          test "20,000 equations" {
              Arena.Run(fun () ->
                  let n = 20_000
                  let xs = [| for i in 0 .. n - 1 -> variable (sprintf "x%d" i) [] |]

                  let equations =
                      [ for i in 0 .. n - 1 ->
                            sprintf "d%d" i,
                            Builtins.Catalogue.call "sin" [] [ Build.sub xs[(i + 1) % n] xs[i] ] ]

                  let program = Schedule.schedule [] "f" [] equations
                  Expect.hasLength program.Results n "all of them")
          } ]
