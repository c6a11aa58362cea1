/// The right-hand side of a small system as a method from variables to variables, which the stages of a fused step call:
///
///     private static void Slope(Lanes x, Lanes y, Lanes sigma, out Lanes dx, out Lanes dy)
module internal DiffEqLang.Compiler.Backends.Simd.Slope

open System.Collections.Generic
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp
open DiffEqLang.Compiler.Backends.Simd.Registers
open DiffEqLang.Compiler.Backends.Simd.Elements
open DiffEqLang.Compiler.Backends.Simd.Kernel
open DiffEqLang.Compiler.Backends.Simd.KernelWriter

/// Whether the right-hand side depends on time.
let isTimed (kernel: Kernel) = kernel.Drift |> List.exists _.DependsOn.HasFlag(Dependence.Time)

/// The elements of a packed vector, by name.
let elements (fresh: string -> string) (parts: Part list) prefix suffix =
    [ for part in parts do
          for n in 0 .. part.Size - 1 do
              let identifier = Names.identifier part.Symbol.Name
              // `dx`, but `sumX`.
              let stem = if String.length prefix > 1 then Naming.capitalized identifier else identifier

              let own =
                  if part.Size = 1 && part.Symbol.Shape.IsEmpty then stem
                  elif System.Char.IsDigit stem[stem.Length - 1] then sprintf "%s_%d" stem n
                  else sprintf "%s%d" stem n

              fresh (prefix + own + suffix) ]

let private at array n = Element(Name array, [ Literals.integer n ])

/// A method of one lane group that others inline, from the states and parameters to some values, all in variables.
let fromVariables
    (kernel: Kernel)
    precision
    copies
    (name: string)
    (about: string)
    (results: (string -> string) -> string list list)
    (values: (Expr.Expr * Source option) list)
    : CSharp.Member =
    let writer = newWriter precision copies
    let symbols = kernel.States @ kernel.Small
    let names = elements writer.Body.Fresh symbols "" ""
    let mutable rest = names

    for part in symbols do
        let own, others = List.splitAt part.Size rest
        rest <- others
        writer.Define(Build.input part.Symbol, Variables [| for name in own -> Register(Name name) |])

    let results = results writer.Body.Fresh
    Storing.prepare writer (Dictionary()) [] (List.map fst values)

    for (value, source), own in List.zip values results do
        Results.assign writer own source value

    { Documentation = summary about
      Attributes = [ "MethodImpl(MethodImplOptions.AggressiveInlining)" ]
      Modifiers = [ "private"; "static" ]
      Kind =
        Method(
            "void",
            name,
            [ for name in (if isTimed kernel then "t" :: names else names) -> parameter "Lanes" name ]
            @ [ for name in List.concat results -> parameter "out Lanes" name ],
            Block writer.Body.Statements
        ) }

/// The right-hand side of one lane group, from variables to variables; a step inlines it once a stage.
let slope (kernel: Kernel) precision stages : CSharp.Member =
    let results fresh = kernel.States |> List.map (fun part -> elements fresh [ part ] "d" "")

    fromVariables
        kernel
        precision
        stages
        "Slope"
        "The slopes at one state."
        results
        [ for value, c in List.zip kernel.Drift kernel.Model.Components -> value, equationSource kernel c.Span ]

/// `Drift`, by `Slope`.
let drift (kernel: Kernel) : CSharp.Statement list =
    let arguments =
        (if isTimed kernel then [ Name "t" ] else [])
        @ [ for n in 0 .. total kernel.States - 1 -> at "state" n ]
        @ [ for n in 0 .. total kernel.Small - 1 -> at "parameters" n ]
        @ [ for n in 0 .. total kernel.States - 1 -> OutTarget(at "slope" n) ]

    [ statement (Do(invoke "Slope" arguments)) ]
