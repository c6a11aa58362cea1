/// Several steps of one size as one piece of straight-line code: `Advance` of a method without an error estimate.
module internal DiffEqLang.Compiler.Backends.Simd.Advance

open System.Collections.Generic
open DiffEqLang.Tableaux
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp
open DiffEqLang.Compiler.Backends.Simd.Registers
open DiffEqLang.Compiler.Backends.Simd.Elements
open DiffEqLang.Compiler.Backends.Simd.Kernel
open DiffEqLang.Compiler.Backends.Simd.KernelWriter
open DiffEqLang.Compiler.Backends.Simd.StepBody

/// Steps of one size: `Advance`. States are the inner loop, so that the processor works on several at once.
let advance (kernel: Kernel) precision (tableau: RungeKuttaTableau) : CSharp.Member =
    let body = StepBody(kernel, precision)
    let arithmetic = body.Arithmetic
    let n, p = total kernel.States, total kernel.Small
    let group = body.Fresh "i"

    let place size c =
        let start = if size = 1 then Name group else Infix(Literals.integer size, "*", Name group)
        if c = 0 then start else Infix(start, "+", Literals.integer c)

    let outer = ResizeArray<CSharp.Statement>()
    let inner = ResizeArray<CSharp.Statement>()
    inner.AddRange(body.Read(body.States, fun c -> Element(Name "state", [ place n c ])))
    inner.AddRange(body.Read(body.Small, fun c -> Element(Name "parameters", [ place p c ])))
    let scaledSteps = Dictionary<float, CSharp.Expr>()

    /// weight · h, computed once for all steps.
    let scaledStep weight =
        match scaledSteps.TryGetValue weight with
        | true, known -> known
        | _ ->
            let value = arithmetic.Spread(arithmetic.Multiply(Value.Number weight, Register(Name "h")))

            let name =
                match value with
                | Name _ -> value
                | _ ->
                    let name = body.Fresh(sprintf "h%d" (scaledSteps.Count + 1))
                    outer.Add(local name value)
                    Name name

            scaledSteps[weight] <- name
            name

    let slopes = ResizeArray<string list>()

    /// A component of the state moved along its slopes.
    let moved row c : CSharp.Expr =
        List.zip row [ for stage in slopes -> List.item c stage ]
        |> List.fold
            (fun sum (weight, slope) ->
                if weight = 0.0 then
                    sum
                else
                    arithmetic.MultiplyAdd(Register(scaledStep weight), Register(Name slope), sum))
            (Register(Name body.States[c]))
        |> arithmetic.Spread

    for stage in 0 .. tableau.EndStage - 1 do
        let row = List.ofArray tableau.A[stage]

        let at =
            if stage = 0 then
                List.map Name body.States
            else
                let names = body.OfStates("", sprintf "_%d" stage)
                names |> List.iteri (fun c name -> inner.Add(local name (moved row c)))
                List.map Name names

        let names = body.OfStates("k", sprintf "_%d" stage)
        inner.Add(body.Slopes(tableau.C[stage], at, List.map OutVar names))
        slopes.Add names

    for c in 0 .. n - 1 do
        let after = moved (List.ofArray tableau.A[tableau.EndStage]) c
        inner.Add(statement (Assign(Element(Name "state", [ place n c ]), after)))

    let count = Infix(Member(Name "state", "Length"), "/", Literals.integer n)
    let each = statement (For(group, count, List.ofSeq inner))
    let onward = statement (Assign(Name "t", Infix(Name "t", "+", Name "h")))
    let stepVariable = body.Fresh "step"

    let parameters =
        [ parameter "int" "steps"
          parameter "Lanes" "t"
          parameter "Lanes" "h"
          parameter writable "state"
          parameter readOnly "parameters" ]

    overriding
        "void"
        "Advance"
        parameters
        (List.ofSeq outer
         @ [ statement (
                 For(
                     stepVariable,
                     Name "steps",
                     (if Slope.isTimed kernel then [ each; onward ] else [ each ])
                 )
             ) ])
        (summary (sprintf "Steps of %s." tableau.Name))
    |> optimized
