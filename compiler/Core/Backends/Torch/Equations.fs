/// The nested class `Equations`: drift, diffusion and their vector-Jacobian products over packed states, with the
/// parameter values of one solve bound to its fields.
module internal DiffEqLang.Compiler.Backends.Torch.Equations

open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Typed
open DiffEqLang.Compiler.Ir.Dynamics
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp
open DiffEqLang.Compiler.Backends.CSharp.Face
open DiffEqLang.Compiler.Backends.CSharp.Members
open DiffEqLang.Compiler.Backends.Torch.Binding
open DiffEqLang.Compiler.Backends.Torch.Packing
open DiffEqLang.Compiler.Backends.Torch.Quantities
open DiffEqLang.Compiler.Backends.Torch.SharedTerms

let private incrementPacking (noise: Noise) : Packing =
    let sizes = noise.Wiener |> List.map (fun w -> Shape.size w.Increment.Shape)
    let offsets = sizes |> List.scan Dim.add Dim.zero |> List.take sizes.Length

    { Name = "increments"
      Parts = List.map2 (fun (w: WienerDecl) offset -> w.Increment, offset) noise.Wiener offsets }

// Drift and noise

let private batched size = DocumentationComments.batched [ size ]

let private diffusion (bound: Bound) (noise: Noise) : Member list =
    let state, increments = statePacking bound, incrementPacking noise
    let size = batched bound.Face.Model.Size

    let ofDiffusion =
        sprintf
            "The noise over a step: diffusion times increments.\n%s, increments %s -> %s"
            size
            (batched noise.Size)
            size

    let quantity = ofBase bound

    [ yield!
          quantity "Diffusion" [ state; increments ] (bound.Components |> List.map _.Diffusion)
          |> both bound ofDiffusion "The vector-Jacobian product of the noise."
      match bound.Milstein with
      | Some values ->
          yield!
              quantity "Milstein" [ state; increments ] values
              |> both
                  bound
                  "The double stochastic integrals of Milstein's scheme: half the derivative of the noise along the noise."
                  "The vector-Jacobian product of Milstein's term."
      | None -> ()
      match bound.ItoCorrection with
      | Some values ->
          yield!
              quantity "ItoCorrection" [ state ] values
              |> both
                  bound
                  "What the Itô drift has over the Stratonovich drift."
                  "The vector-Jacobian product of the correction."
      | None -> () ]

let private wholePattern = "SparsityOfJacobian"

/// A constant that says which entries of a Jacobian can be other than zero.
let private patternConstant name (pattern: Sparsity.Pattern) : Member =
    let run (run: Sparsity.Run) =
        Tuple
            [ Literals.integer run.Count
              Collection [ for offset in run.Offsets -> Literals.integer offset ] ]

    let runs = [ for r in pattern.Runs -> argument (run r) ]
    privateConstant "SparsityPattern" name (New("", argument (Literals.integer pattern.Size) :: runs))

let private patternProperty name constant : Member =
    overriding (Property("SparsityPattern", name, Name constant))

/// That of the drift, where solvers gain by knowing.
let private wholeSparsity (bound: Bound) =
    if bound.Face.IsStochastic then
        None
    else
        Sparsity.analyse bound.Face.Model |> Option.filter Sparsity.isWorthwhile

let private sparsity (bound: Bound) : Member list =
    match wholeSparsity bound with
    | Some pattern -> [ patternConstant wholePattern pattern; patternProperty "JacobianPattern" wholePattern ]
    | None -> []

/// That of the implicit part, often the same.
let private implicitSparsity (bound: Bound) : Member list =
    let components = bound.Face.Model.Components
    let property = patternProperty "ImplicitJacobianPattern"

    components
    |> List.map (fun c -> (Dynamics.partsOf c).Implicit)
    |> Sparsity.ofValues components
    |> Option.filter Sparsity.isWorthwhile
    |> Option.map (fun pattern ->
        if wholeSparsity bound = Some pattern then
            [ property wholePattern ]
        else
            [ patternConstant "SparsityOfImplicitJacobian" pattern
              property "SparsityOfImplicitJacobian" ])
    |> Option.defaultValue []

/// The two parts of the drift, where the system is split.
let private parts (bound: Bound) : Member list =
    let size = batched bound.Face.Model.Size

    let ofPart kind values =
        ofBase bound (Naming.capitalized kind + "Drift") [ statePacking bound ] values
        |> both
            bound
            (sprintf "The part of the drift that methods which split take %sly.  %s -> %s" kind size size)
            "Its vector-Jacobian product."

    if bound.Parts.IsEmpty then
        []
    else
        [ overriding (Property("bool", "IsSplit", Literal "true"))
          match Splitting.linearForm bound.Face.Model with
          | Some form ->
              overriding (
                  Property(
                      "LinearStructure?",
                      "ImplicitStructure",
                      Member(Name "LinearStructure", string form)
                  )
              )
          | None -> ()
          yield! implicitSparsity bound
          yield! bound.Parts |> List.map _.Explicit |> ofPart "explicit"
          yield! bound.Parts |> List.map _.Implicit |> ofPart "implicit" ]

/// The entries of algebraic unknowns, which lie behind the states; in their places the drift has the residuals.
let private algebraic (bound: Bound) : Member list =
    let size = Literals.dim bound.Surroundings.OpenDim

    match bound.Components |> List.filter _.IsAlgebraic with
    | [] -> []
    | first :: _ ->
        let length = Dim.subtract bound.Face.Model.Size first.Offset

        [ overriding (
              Property(
                  "IReadOnlyList<(long Offset, long Length)>",
                  "Algebraic",
                  Collection [ Tuple [ size first.Offset; size length ] ]
              )
          ) ]

/// The class, with its variational equations where those are wanted.
let nested (withVariational: bool) (face: Face) : Member =
    let bound = Binding.bind face
    let ofNoise = face.Model.Noise |> Option.map (diffusion bound) |> Option.defaultValue []

    member'
        (DocumentationComments.summary
            "The equations with one solve's parameter values; states are packed along the last axis.")
        [ "private"; "sealed" ]
        (Nested
            { Name = face.EquationsName
              Primary = None
              Base = (if face.IsStochastic then "SdeEquations" else "OdeEquations")
              Members =
                Binding.members bound
                @ Drift.positions bound
                @ sparsity bound
                @ algebraic bound
                @ Delays.members bound
                @ Drift.members bound
                @ parts bound
                @ ofNoise
                @ Events.members bound
                @ (if withVariational && Variational.suits face.Model then
                       Variational.members bound
                   else
                       []) })
