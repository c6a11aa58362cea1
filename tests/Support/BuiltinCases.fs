/// A call of every function of the language on its samples, as equations: operands that rest, and a result whose velocity is
/// the call. Every back end is tested on them, so that a new function is, too.
module DiffEqLang.Tests.Support.BuiltinCases

open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Builtins
open DiffEqLang.Compiler.Builtins.Builtin
open DiffEqLang.Tests.Support.RandomExpr

/// A call on samples, and the states that hold its operands and are driven by its result.
type internal Case =
    { Builtin: Builtin
      Samples: Sample list
      Axis: int option
      Operands: string list
      Result: string }

    member c.Attributes = Option.toList c.Axis

    member c.Call(operands: Expr list) = Catalogue.call c.Builtin.Name c.Attributes operands

    member c.Title =
        let axis = c.Axis |> Option.map (sprintf " along axis %d") |> Option.defaultValue ""
        sprintf "%s of %A%s" c.Builtin.Name (c.Samples |> List.map _.Shape) axis

let private axesOf (builtin: Builtin) (samples: Sample list) =
    if builtin.TakesAxis && samples.Length = 1 then
        let rank = samples.Head.Shape.Length
        None :: [ for axis in -rank .. rank - 1 -> Some axis ]
    else
        [ None ]

let internal cases =
    [ for builtin in Catalogue.all do
          for samples in builtin.Samples do
              for axis in axesOf builtin samples do
                  builtin, samples, axis ]
    |> List.mapi (fun k (builtin, samples, axis) ->
        { Builtin = builtin
          Samples = samples
          Axis = axis
          Operands = samples |> List.mapi (fun i _ -> sprintf "x%d_%d" k i)
          Result = sprintf "y%d" k })

let private typeOf (sizes: int list) =
    if sizes.IsEmpty then
        "R"
    else
        sprintf "R[%s]" (sizes |> List.map string |> String.concat ", ")

/// The lines of a model.
let internal lines (c: Case) =
    let shape =
        Arena.Run(fun () ->
            sizesOf
                (c.Call(List.map2 (fun name (s: Sample) -> variable name s.Shape) c.Operands c.Samples))
                    .Shape)

    let axis = c.Axis |> Option.map (sprintf ", axis = %d") |> Option.defaultValue ""

    [ for name, sample in List.zip c.Operands c.Samples do
          sprintf "  state %s : %s" name (typeOf sample.Shape)
          sprintf "  %s' = 0" name
      sprintf "  state %s : %s" c.Result (typeOf (Array.toList shape))
      sprintf "  %s' = %s(%s%s)" c.Result c.Builtin.Name (String.concat ", " c.Operands) axis ]
