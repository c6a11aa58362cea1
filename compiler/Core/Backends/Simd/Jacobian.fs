/// The Jacobian of a kernel's drift, its product with a tangent and the drift's time derivative, where they are wanted.
module internal DiffEqLang.Compiler.Backends.Simd.Jacobian

open System.Collections.Generic
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Dynamics
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp
open DiffEqLang.Compiler.Backends.Simd.Elements
open DiffEqLang.Compiler.Backends.Simd.Kernel
open DiffEqLang.Compiler.Backends.Simd.KernelWriter
open DiffEqLang.Tableaux
open DiffEqLang.Compiler.Backends.Simd.Statements

let private inputs =
    [ parameter "Lanes" "t"; parameter readOnly "state"; parameter readOnly "parameters" ]

let private jvp (kernel: Kernel) precision : CSharp.Member =
    let tangents, products = Derivatives.jvp kernel.Model.Components
    let products = Written.expand products
    let nodes = topological products
    let writer = writer kernel precision nodes
    let used = inputsAmong nodes

    for part, tangent in List.zip kernel.States tangents do
        if used.Contains tangent then
            Storing.take writer "tangent" part.Offset tangent.Name (Build.input tangent)

    Storing.prepare writer (Dictionary()) [] products

    for value, part in List.zip products kernel.States do
        Results.give
            writer
            "slopeTangent"
            part.Offset
            ("tangent" + Naming.capitalized part.Symbol.Name)
            None
            value

    overriding
        "void"
        "DriftJvp"
        (inputs @ [ parameter readOnly "tangent"; parameter writable "slopeTangent" ])
        writer.Body.Statements
        (summary "The Jacobian-vector product of the drift.")

/// What is written one after another, and where in the row-major matrix that is; nowhere where it is all of it.
let private entries (kernel: Kernel) : Expr.Expr list * int list option =
    let size = total kernel.States

    match Derivatives.tryEntries kernel.Model.Components with
    | Some entries ->
        let places = [ for e in entries -> e.Row * size + e.Column ]
        [ for e in entries -> e.Value ], (if places.Length < size * size then Some places else None)
    | None -> [ Derivatives.denseJacobian kernel.Model.Components ], None

let private jacobian (kernel: Kernel) precision (values: Expr.Expr list) : CSharp.Member =
    let values = Written.expand values
    let writer = writer kernel precision (topological values)
    Storing.prepare writer (Dictionary()) [] values

    for place, value in List.indexed values do
        Results.give writer "jacobian" place "matrix" None value

    overriding
        "void"
        "DriftJacobian"
        (inputs @ [ parameter writable "jacobian" ])
        writer.Body.Statements
        (summary "The Jacobian of the drift, row by row.")

let private timeDerivative (kernel: Kernel) precision : CSharp.Member =
    let values =
        Derivatives.byTime (kernel.Model.Components |> List.map _.Drift) |> Written.expand

    let writer = writer kernel precision (topological values)
    Storing.prepare writer (Dictionary()) [] values

    for value, part in List.zip values kernel.States do
        Results.give writer "slope" part.Offset ("d" + part.Symbol.Name) None value

    overriding
        "void"
        "DriftTimeDerivative"
        (inputs @ [ parameter writable "slope" ])
        writer.Body.Statements
        (summary "The drift's derivative by time, at a state that rests.")

/// Whether the method of the solve block asks for them: implicit stages are solved with the Jacobian.
let isNeeded (kernel: Kernel) : bool =
    kernel.Model.Typed.Solve.Method
    |> Option.bind (fun choice -> Option.ofObj (Catalogue.Find choice.Name))
    |> Option.exists _.IsImplicit

/// Entries of a matrix of registers that a stack holds beside what they are made of: a lane's system of 64 states.
let private mostEntries = 4096

/// Whether the matrix is small enough for registers; that of a longer state is torch's.
let fits (kernel: Kernel) : bool = total kernel.States * total kernel.States <= mostEntries

/// Where the matrix of a system that is not given number by number can be other than zero, row by row; none where every entry can.
let private knownPlaces (kernel: Kernel) : int list option =
    let places (pattern: Sparsity.Pattern) =
        pattern.Runs
        |> List.collect (fun run -> List.replicate run.Count run.Offsets)
        |> List.mapi (fun row offsets -> [ for offset in offsets -> row * pattern.Size + row + offset ])
        |> List.concat

    Sparsity.analyse kernel.Model
    |> Option.filter (fun pattern -> pattern.Entries < pattern.Size * pattern.Size)
    |> Option.map places

let private property typeName name value : CSharp.Member =
    { Documentation = inherited
      Attributes = []
      Modifiers = [ "public"; "override" ]
      Kind = Property(typeName, name, value) }

/// The members.
let members (kernel: Kernel) precision : CSharp.Member list =
    let values, places = entries kernel

    [ property "bool" "HasJacobian" (Literal "true")
      match Option.orElse (knownPlaces kernel) places with
      | Some known ->
          property "ReadOnlySpan<int>" "JacobianPattern" (Collection(List.map Literals.integer known))
      | None -> ()
      if places.IsSome then
          property "bool" "IsJacobianSparse" (Literal "true")
      jvp kernel precision
      jacobian kernel precision values
      if Slope.isTimed kernel then
          timeDerivative kernel precision ]
