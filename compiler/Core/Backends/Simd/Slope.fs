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

/// The right-hand side of one lane group, from variables to variables; a step inlines it once a stage.
let slope (kernel: Kernel) precision stages : CSharp.Member =
    let writer = newWriter precision stages
    let symbols = kernel.States @ kernel.Small
    let names = elements writer.Body.Fresh symbols "" ""
    let mutable rest = names

    for part in symbols do
        let own, others = List.splitAt part.Size rest
        rest <- others
        writer.Define(Build.input part.Symbol, Variables [| for name in own -> Register(Name name) |])

    let results = elements writer.Body.Fresh kernel.States "d" ""
    Storing.prepare writer (Dictionary()) [] kernel.Drift
    let mutable outputs = results

    for value, c, part in List.zip3 kernel.Drift kernel.Model.Components kernel.States do
        let own, others = List.splitAt part.Size outputs
        outputs <- others
        Results.assign writer own (equationSource kernel c.Span) value

    { Documentation = summary "The slopes at one state."
      Attributes = [ "MethodImpl(MethodImplOptions.AggressiveInlining)" ]
      Modifiers = [ "private"; "static" ]
      Kind =
        Method(
            "void",
            "Slope",
            [ for name in (if isTimed kernel then "t" :: names else names) -> parameter "Lanes" name ]
            @ [ for name in results -> parameter "out Lanes" name ],
            Block writer.Body.Statements
        ) }

/// `Drift`, by `Slope`.
let drift (kernel: Kernel) : CSharp.Statement list =
    let arguments =
        (if isTimed kernel then [ Name "t" ] else [])
        @ [ for n in 0 .. total kernel.States - 1 -> at "state" n ]
        @ [ for n in 0 .. total kernel.Small - 1 -> at "parameters" n ]
        @ [ for n in 0 .. total kernel.States - 1 -> OutTarget(at "slope" n) ]

    [ statement (Do(invoke "Slope" arguments)) ]
