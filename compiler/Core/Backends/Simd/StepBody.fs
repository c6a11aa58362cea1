/// What the bodies of fused steps have in common: their names, and their calls of `Slope`.
module internal DiffEqLang.Compiler.Backends.Simd.StepBody

open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp
open DiffEqLang.Compiler.Backends.Simd.Registers
open DiffEqLang.Compiler.Backends.Simd.Elements
open DiffEqLang.Compiler.Backends.Simd.Kernel
open DiffEqLang.Compiler.Backends.Simd.KernelWriter

let at array n = Element(Name array, [ Literals.integer n ])
let local name value = statement (Local(name, value))

/// A method's body, while it is written.
type StepBody(kernel: Kernel, precision: Precision) =
    let arithmetic = Arithmetic precision
    let unique = Naming.Unique(Seq.append reserved Names.usedInBodies)
    let fresh wanted = Names.escaped (unique.Fresh wanted)
    let states = Slope.elements fresh kernel.States "" ""
    let small = Slope.elements fresh kernel.Small "" ""

    let timeAt (c: float) =
        match c with
        | 0.0 -> Name "t"
        | c ->
            arithmetic.Spread(arithmetic.MultiplyAdd(Value.Number c, Register(Name "h"), Register(Name "t")))

    member _.Arithmetic = arithmetic
    member _.Fresh(wanted: string) = fresh wanted
    member _.States = states
    member _.Small = small

    /// A variable for each element of the states, by prefix and suffix.
    member _.OfStates(prefix: string, suffix: string) = Slope.elements fresh kernel.States prefix suffix

    /// `var x = place 0`, and so on.
    member _.Read(names: string list, place: int -> CSharp.Expr) =
        names |> List.mapi (fun i name -> local name (place i))

    /// The slopes at a state, c h after the step's beginning.
    member _.Slopes(c: float, at: CSharp.Expr list, results: CSharp.Expr list) : CSharp.Statement =
        let arguments =
            (if Slope.isTimed kernel then [ timeAt c ] else [])
            @ at
            @ [ for p in small -> Name p ]
            @ results

        statement (Do(invoke "Slope" arguments))

    /// atol + rtol max(|y|, |y₁|), of the variables of a number before and after the step.
    member _.Tolerance(before: string, after: string) : Value =
        let size e = operation "Abs" [ Name e ]
        let largest = operation "MaxNative" [ size before; size after ]
        arithmetic.MultiplyAdd(Register(Name "rtol"), Register largest, Register(Name "atol"))

/// A method that is called often enough to be compiled for good at once.
let optimized (m: CSharp.Member) =
    { m with
        Attributes = [ "MethodImpl(MethodImplOptions.AggressiveOptimization)" ] }
