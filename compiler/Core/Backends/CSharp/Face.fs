/// The public face of a generated class: what its members are called.
module internal DiffEqLang.Compiler.Backends.CSharp.Face

open System.Collections.Generic
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Typed
open DiffEqLang.Compiler.Printing

type Face =
    {
        Model: Dynamics.Model
        ClassName: string
        /// Properties of parameters and constants.
        Properties: IReadOnlyDictionary<Symbol, string>
        /// Open dims, in the order of their declarations, with their property.
        OpenDims: (DimDecl * string) list
        TrajectoryName: string
        EquationsName: string
        /// Names that members take, for whatever is added.
        Members: Names.Scope
    }

    member face.IsStochastic = face.Model.Noise.IsSome

/// Chooses all names of the class, in the order of the declarations.
let ofModel (model: Dynamics.Model) : Face =
    let name = model.Typed.Name

    let scope =
        Names.Scope(
            Seq.concat
                [ Seq.ofArray Names.inheritedByModels
                  Seq.ofList Names.declaredByModels
                  Seq.singleton (Names.identifier name) ]
        )

    let openDims =
        [ for d in model.Typed.Dims do
              if d.Value.IsNone then
                  d, scope.Fresh d.Name ]

    let properties = Dictionary<Symbol, string>()

    for c in model.Typed.Constants do
        properties[c.Symbol] <- scope.Fresh c.Symbol.Name

    for p in model.Typed.Parameters do
        properties[p.Symbol] <- scope.Fresh p.Symbol.Name

    // A class may not hold another of its own name.
    let nested wanted = if name = wanted then wanted + "_" else wanted

    { Model = model
      ClassName = Names.escaped (Names.identifier name)
      Properties = properties
      OpenDims = openDims
      TrajectoryName = nested "Trajectory"
      EquationsName = nested "Equations"
      Members = scope }

/// An open dim by its property.
let openDim (face: Face) name =
    match face.OpenDims |> List.tryFind (fun (d, _) -> d.Name = name) with
    | Some(_, property) -> CSharp.Name property
    | None -> Build.internalError "The dim %s is not open." name

/// A size by the properties of open dims.
let size face d = Literals.dim (openDim face) d

/// A shape by the properties of open dims.
let shape face s = Literals.shape (openDim face) s
