/// The files `Name.Simd.g.cs` and `Name.Simd512.g.cs`: kernels over the registers that .NET has on any processor, and over
/// those of 512 bits. The two differ in the names of the register types alone.
module internal DiffEqLang.Compiler.Backends.Simd.SimdFile

open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp
open DiffEqLang.Compiler.Backends.CSharp.Face
open DiffEqLang.Compiler.Backends.Simd.Registers
open DiffEqLang.Compiler.Backends.Simd.Kernel
open DiffEqLang.Compiler.Backends.Simd.KernelWriter
open DiffEqLang.Compiler.Backends.Simd.KernelClass

type Width =
    /// `Vector<T>`: whatever the processor has, up to 256 bits.
    | Portable
    | Wide512

let private suffix width =
    match width with
    | Portable -> ""
    | Wide512 -> "512"

let private className width = "Kernel" + suffix width

let private usings (kernel: Kernel) precision width =
    let functions, register =
        match width with
        | Portable -> "System.Numerics.Vector", "System.Numerics.Vector"
        | Wide512 -> "System.Runtime.Intrinsics.Vector512", "System.Runtime.Intrinsics.Vector512"

    [ "System"
      "System.Collections.Generic"
      "System.Runtime.CompilerServices"
      if not kernel.Events.IsEmpty then
          "DiffEqLang.Runtime"
      "DiffEqLang.Runtime.Simd"
      "static DiffEqLang.Runtime.Simd.Arithmetic"
      "static DiffEqLang.Runtime.Simd.Elementary"
      sprintf "Lane = %s" functions
      sprintf "Lanes = %s<%s>" register (elementType precision)
      "Tensor = TorchSharp.torch.Tensor" ]

/// What the model hands to the runtime, once a solve.
let private binding (kernel: Kernel) precision (face: Face) hasJacobian : Member =
    let property (s: Symbol) = Name face.Properties[s]

    let factory width =
        let made =
            New(
                className width,
                [ for i, _ in List.indexed kernel.Weights ->
                      argument (Element(Name "weights", [ Literals.integer i ])) ]
            )

        Lambda((if kernel.Weights.IsEmpty then "_" else "weights"), made)

    let value =
        New(
            sprintf "SimdBinding<%s>" (elementType precision),
            [ labelled "parameters" (Collection [ for part in kernel.Gradients -> property part.Symbol ])
              labelled
                  "registers"
                  (Collection
                      [ for part in kernel.Small ->
                            Tuple [ Literals.text part.Symbol.Name; property part.Symbol ] ])
              labelled "weights" (Collection(List.map property kernel.Weights))
              labelled "kernel" (factory Portable)
              labelled "kernel512" (factory Wide512)
              if hasJacobian then
                  labelled "hasJacobian" (Literal "true")
              if isSecondOrder kernel.Model then
                  labelled "isSecondOrder" (Literal "true")
              if not kernel.Events.IsEmpty then
                  labelled "hasEvents" (Literal "true") ]
        )

    Members.protectedOverriding (Method("SimdBinding?", "BindSimd", [], Arrow value))

/// One of the two files of a model, with its Jacobian where that is wanted.
let file (namespaceName: string) (withJacobian: bool) (face: Face) (kernel: Kernel) precision width : File =
    let fused = kernel.Noise.IsEmpty && Fused.isFused kernel
    let hasJacobian = (withJacobian || Jacobian.isNeeded kernel) && Jacobian.fits kernel

    let more =
        (if hasJacobian then Jacobian.members kernel precision else [])
        @ (if fused then Fused.members kernel precision else [])

    let given = if fused then Some(Slope.drift kernel) else None
    let members = [ classOf kernel precision (className width) given more ]

    let ofModel =
        match width with
        | Portable -> [ binding kernel precision face hasJacobian ]
        | Wide512 -> []

    { Usings = usings kernel precision width
      Namespace = namespaceName
      Types =
        [ Members.member'
              noDocumentation
              [ "public"; "sealed"; "partial" ]
              (Nested
                  { Name = face.ClassName
                    Primary = None
                    Base = ""
                    Members = ofModel @ members }) ] }

/// The name of a file of a model.
let fileName (model: string) width = sprintf "%s.Simd%s.g.cs" model (suffix width)
