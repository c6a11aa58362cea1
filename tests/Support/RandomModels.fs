/// Random models: drifts, and in a seventh of them diffusions, drawn for states R, R[3] and R[3, 3] over parameters of the same shapes, and
/// the code that they become, for torch and over SIMD registers. All models are one assembly.
module DiffEqLang.Tests.Support.RandomModels

open System
open Expecto
open DiffEqLang.Contracts
open DiffEqLang.Compiler
open DiffEqLang.Compiler.Backends
open DiffEqLang.Compiler.Backends.Simd
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Printing
open DiffEqLang.Tests.Support.RandomExpr
open DiffEqLang.Tests.Support.GeneratedCode

let count = 300

/// The inputs of `RandomExpr.generate`: `a...` are states, `b...` parameters.
let private sizes = [ []; [ 3 ]; [ 3; 3 ] ]

let private named prefix (size: int list) = prefix + (size |> List.map string |> String.concat "x")

let internal states =
    [ for size in sizes -> { symbol (named "a" size) size with Role = State } ]

let internal parameters =
    [ for size in sizes -> { symbol (named "b" size) size with Role = Parameter } ]

let private withParameters (roots: Expr list) =
    let parameterOf (s: Symbol) = parameters |> List.tryFind (fun p -> p.Name = s.Name)
    roots |> Linearity.substituteInputs (parameterOf >> Option.map Build.input)

/// A random drift for one of the states; the others rest.
let internal drifts (seed: int) =
    let random = Random seed
    let depth = 2 + seed % 4

    sizes
    |> List.mapi (fun i size ->
        if i = seed % sizes.Length then
            generate random depth size
        else
            Build.zeros (shapeOf size))
    |> withParameters
    |> Simplify.run

/// The Wiener process that drives the same state.
let private wiener (seed: int) : Typed.WienerDecl list =
    let size = sizes[seed % sizes.Length]

    if seed % 7 <> 0 then
        []
    else
        [ { Name = "W"
            Increment = { symbol "dW" size with Role = Increment }
            Correlation = None
            Span = SourceSpan.None } ]

/// Its diffusion, as random as the drift: a matrix times the increments of a vector, a factor of the others.
let private diffusions (seed: int) (wiener: Typed.WienerDecl list) =
    let random = Random(-seed)

    sizes
    |> List.mapi (fun i size ->
        match wiener with
        | [ w ] when i = seed % sizes.Length ->
            let dW = Build.input w.Increment

            if size = [ 3 ] then
                Build.matmul (generate random 2 [ 3; 3 ]) dW
            else
                Build.mul (generate random 2 size) dW
        | _ -> Build.zeros (shapeOf size))
    |> withParameters
    |> Simplify.run

let private source = SourceFile("random.deq", "")

let private typed name wiener : Typed.Model =
    { Name = name
      Doc = ""
      Span = SourceSpan.None
      Source = source
      Dims = []
      Constants = []
      States = [ for s in states -> { Symbol = s; Doc = ""; Span = SourceSpan.None } ]
      Algebraic = []
      Parameters =
        [ for p in parameters ->
              { Symbol = p
                Initializer = Typed.Normal(0.0, 0.5)
                Bounds = None
                Net = None
                Doc = ""
                Span = SourceSpan.None } ]
      Wiener = wiener
      Calculus = Typed.Ito
      Equations = []
      Events = []
      Delays = []
      Histories = []
      Outputs = []
      Initials = []
      Solve =
        { Start = None
          End = None
          Method = None
          Gradient = None
          Target = None
          Device = None
          Dtype = None } }

let private noiseOf (wiener: Typed.WienerDecl list) components : Dynamics.Noise option =
    let unknown: Dynamics.Noise =
        { Wiener = wiener
          Size = wiener |> List.map (fun w -> Shape.size w.Increment.Shape) |> List.fold Dim.add Dim.zero
          Calculus = Typed.Ito
          Structure = Dynamics.General
          Reason = "" }

    let structure, reason = NoiseStructure.analyse (Derivatives.diffusionOf unknown components)

    if wiener.IsEmpty then
        None
    else
        Some { unknown with Structure = structure; Reason = reason }

let private modelOf name (drifts: Expr list) wiener (diffusions: Expr list) : Dynamics.Model =
    let offsets = states |> List.map (fun s -> Shape.size s.Shape) |> List.scan Dim.add Dim.zero

    let components: Dynamics.Component list =
        [ for (s, drift), (diffusion, offset) in
              List.zip (List.zip states drifts) (List.zip diffusions (List.take states.Length offsets)) ->
              { Symbol = s
                Offset = offset
                Drift = drift
                IsAlgebraic = false
                Parts = None
                Diffusion = diffusion
                Initial = None
                Doc = ""
                Span = SourceSpan.None } ]

    { Typed = typed name wiener
      Components = components
      Constraints = []
      Size = List.last offsets
      Noise = noiseOf wiener components
      Events = []
      Delays = []
      History = []
      Partition = Dynamics.Inseparable ""
      Splitting = Dynamics.Unsplit ""
      Outputs = [] }

let nameOf seed = sprintf "Random%d" seed

let internal model seed : Dynamics.Model =
    let wiener = wiener seed
    modelOf (nameOf seed) (drifts seed) wiener (diffusions seed wiener)

/// What the kernels of a model compute in: half of them in each precision.
let internal precision seed = if seed % 2 = 0 then Registers.Single else Registers.Double

/// Jacobians are as large as all else of these models together: every fifth has one.
let hasJacobian seed = seed % 5 = 0

let private filesOf seed =
    Arena.Run(fun () ->
        let model = model seed
        let face = CSharp.Face.ofModel model
        let nameSpace = sprintf "DiffEqLang.Random%d" seed
        let text (tree: CSharp.File) = CSharpLayout.file false tree

        [ nameOf seed + ".g.cs", text (Torch.ModelClass.file nameSpace false false face)
          match Kernel.ofModel model with
          | Error reason -> failtestf "%s has no kernel: %s" (nameOf seed) reason
          | Ok kernel ->
              for width in [ SimdFile.Portable; SimdFile.Wide512 ] do
                  SimdFile.fileName (nameOf seed) width,
                  text (SimdFile.file nameSpace (hasJacobian seed) face kernel (precision seed) width) ])

let assembly =
    lazy
        (let compilation, problems = compile (List.collect filesOf [ 1..count ])
         Expect.equal problems [] "no warnings"
         load compilation)
