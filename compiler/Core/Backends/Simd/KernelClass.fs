/// The class of a kernel: its fields, sizes and methods.
module internal DiffEqLang.Compiler.Backends.Simd.KernelClass

open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp
open DiffEqLang.Compiler.Backends.Simd.Registers
open DiffEqLang.Compiler.Backends.Simd.Kernel
open DiffEqLang.Compiler.Backends.Simd.KernelWriter
open DiffEqLang.Compiler.Backends.Simd.KernelMethods

let private size name (n: int) : CSharp.Member =
    { Documentation = inherited
      Attributes = []
      Modifiers = [ "public"; "override" ]
      Kind = Property("int", name, Literal(string n)) }

let private summedOverLanes (kernel: Kernel) : CSharp.Member list =
    let ranges =
        [ for part in kernel.Gradients do
              if isSummedOverLanes kernel part then
                  Literal(sprintf "%d..%d" part.Offset (part.Offset + part.Size)) ]

    if ranges.IsEmpty then
        []
    else
        [ { Documentation = inherited
            Attributes = []
            Modifiers = [ "public"; "override" ]
            Kind = Property("IReadOnlyList<Range>", "SummedOverLanes", Collection ranges) } ]

let private velocities (kernel: Kernel) : CSharp.Member list =
    if isSecondOrder kernel.Model then
        [ { Documentation = inherited
            Attributes = []
            Modifiers = [ "public"; "override" ]
            Kind =
              Property(
                  "ReadOnlySpan<int>",
                  "Velocities",
                  Collection [ for n in velocityOf kernel -> Literals.integer n ]
              ) } ]
    else
        []

let private weightFields (kernel: Kernel) precision : CSharp.Member list =
    [ for s in kernel.Weights ->
          { Documentation = noDocumentation
            Attributes = []
            Modifiers = [ "private"; "readonly" ]
            Kind = Field(sprintf "Weights<%s>" (elementType precision), fieldName s, None) } ]

let private constructor (kernel: Kernel) className : CSharp.Member list =
    if kernel.Weights.IsEmpty then
        []
    else
        let names = kernel.Weights |> List.map (fun s -> Names.escaped ((fieldName s).Substring 1))

        [ { Documentation = noDocumentation
            Attributes = []
            Modifiers = [ "public" ]
            Kind =
              Constructor(
                  className,
                  names |> List.map (parameter "Tensor"),
                  None,
                  [ for s, name in List.zip kernel.Weights names ->
                        statement (Assign(Name(fieldName s), New("", [ argument (Name name) ]))) ]
              ) } ]

/// The methods that every kernel has, with a drift of its own where none is given.
let private methodsOf (kernel: Kernel) precision given =
    [ forward kernel precision given (drift kernel)
      backward kernel precision (drift kernel)
      for quantity, product in kernel.Noise do
          forward kernel precision None (quantity, product, None)
          backward kernel precision (quantity, product, None)
      yield! Events.members kernel precision ]

/// The most registers that a method keeps on the stack.
let mostOnStack (kernel: Kernel) : int =
    let onStack (m: CSharp.Member) =
        match m.Kind with
        | Method(_, _, _, Block body) ->
            body
            |> List.sumBy (fun s ->
                match s.Kind with
                | TypedLocal(_, _, StackAlloc(_, length)) -> length
                | _ -> 0)
        | _ -> 0

    methodsOf kernel Double None |> List.map onStack |> List.max

/// The class `className`, for registers of a precision: with a drift of its own where none is given.
let classOf
    (kernel: Kernel)
    precision
    className
    (given: CSharp.Statement list option)
    (more: CSharp.Member list)
    : CSharp.Member =
    let methods = methodsOf kernel precision given @ more

    { Documentation = summary "The equations over registers: every lane is a sample."
      Attributes = []
      Modifiers = [ "private"; "sealed" ]
      Kind =
        Nested
            { Name = className
              Primary = None
              Base = (if kernel.Noise.IsEmpty then "LaneKernel<Lanes>" else "StochasticKernel<Lanes>")
              Members =
                weightFields kernel precision
                @ constructor kernel className
                @ [ size "StateSize" (total kernel.States)
                    size "ParameterSize" (total kernel.Small)
                    size "GradientSize" (total kernel.Gradients) ]
                @ velocities kernel
                @ summedOverLanes kernel
                @ [ if kernel.TermSize > 0 then
                        size "TermSize" kernel.TermSize
                    if not kernel.Noise.IsEmpty then
                        size "NoiseSize" (total kernel.Increments) ]
                @ methods
                @ Inlining.methods methods } }
