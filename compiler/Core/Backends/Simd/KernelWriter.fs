/// How a kernel's methods begin: their names, and writers that know their operands.
module internal DiffEqLang.Compiler.Backends.Simd.KernelWriter

open System.Collections.Generic
open DiffEqLang.Contracts
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Dynamics
open DiffEqLang.Compiler.Builtins
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp
open DiffEqLang.Compiler.Backends.Simd.Registers
open DiffEqLang.Compiler.Backends.Simd.MethodBody
open DiffEqLang.Compiler.Backends.Simd.Elements
open DiffEqLang.Compiler.Backends.Simd.Kernel

/// Names with a meaning inside the methods: their parameters and what their bodies call.
let reserved =
    let parameters =
        [ "t"
          "h"
          "state"
          "parameters"
          "slope"
          "terms"
          "increments"
          "noise"
          "correction"
          "w"
          "stateGradient"
          "parameterGradients"
          "rtol"
          "atol"
          "stages"
          "Dense"
          "tangent"
          "slopeTangent"
          "jacobian"
          "after"
          "steps"
          "times"
          "squaredErrors"
          "lastSteps"
          "active"
          "room"
          "squaredChanges"
          "Partials"
          "Lanes"
          "Lane"
          "Slope"
          "LaneMatrices" ]

    let functions = Catalogue.all |> List.map (fun b -> functionName b.Name)
    parameters @ [ "Fma"; "Fms"; "Fnma" ] @ functions @ Inlining.reserved

let fieldName (s: Symbol) = "_" + (Names.identifier s.Name).TrimStart '@'

/// A writer that knows time, of a method that others may inline.
let newWriter precision copies =
    let sourceOf (e: Expr.Expr) = Provenance.ofOrigin (tryOrigin e)
    let body = MethodBody(Seq.append reserved Names.usedInBodies, copies)
    let writer = Writer(Arithmetic precision, body, sourceOf)
    writer.Define(Build.input { Name = "t"; Role = Time; Shape = [] }, Variables [| Register(Name "t") |])
    writer

let inputsAmong (nodes: Expr.Expr list) =
    nodes
    |> List.choose (fun e ->
        match e.Op with
        | Input s -> Some s
        | _ -> None)
    |> HashSet

/// A writer that knows the inputs among the nodes.
let writer (kernel: Kernel) precision (nodes: Expr.Expr list) =
    let writer = newWriter precision 1
    let used = inputsAmong nodes

    let take array (parts: Part list) =
        for part in parts do
            if used.Contains part.Symbol then
                Storing.take writer array part.Offset part.Symbol.Name (Build.input part.Symbol)

    take "state" kernel.States
    take "parameters" kernel.Small
    take "increments" kernel.Increments

    for s in kernel.Weights do
        if used.Contains s then
            let name = writer.Body.Fresh s.Name
            let span = Member(Name(fieldName s), "Span")
            writer.Body.Field(name, Element(span, [ Literal(sprintf "..%d" (sizeOf s)) ]))
            writer.Define(Build.input s, Weights name)

    writer

let overriding returns name parameters body documentation : CSharp.Member =
    { Documentation = documentation
      Attributes = []
      Modifiers = [ "public"; "override" ]
      Kind = Method(returns, name, parameters, Block body) }

let readOnly = "ReadOnlySpan<Lanes>"
let writable = "Span<Lanes>"

let equationSource (kernel: Kernel) (span: SourceSpan) = Provenance.ofSpan kernel.Model.Typed.Source span
