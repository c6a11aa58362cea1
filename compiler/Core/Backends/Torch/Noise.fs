/// What the class of an SDE tells solvers about its noise.
module internal DiffEqLang.Compiler.Backends.Torch.Noise

open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Typed
open DiffEqLang.Compiler.Ir.Dynamics
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp
open DiffEqLang.Compiler.Backends.CSharp.Face
open DiffEqLang.Compiler.Backends.CSharp.Members
open DiffEqLang.Compiler.Backends.Torch.ModelScope

let private structureName (structure: NoiseStructure) =
    match structure with
    | Additive -> "Additive"
    | Diagonal -> "Diagonal"
    | Scalar -> "Scalar"
    | Commutative -> "Commutative"
    | General -> "General"

let private calculusName calculus =
    match calculus with
    | Ito -> "Ito"
    | Stratonovich -> "Stratonovich"

/// The factor L of the increments' covariance L Lᵀ dt, one block for each Wiener process.
let private correlation face (noise: Noise) =
    let block (w: WienerDecl) =
        match w.Correlation with
        | Some c ->
            let _, values = Functions.writeSingle (surroundings face) [ c ]
            invokeStatic "linalg" "cholesky" values
        | None -> Invoke(Name "eye", argument (Face.size face (Shape.size w.Increment.Shape)) :: placement)

    if noise.Wiener |> List.forall _.Correlation.IsNone then
        []
    else
        let factor =
            match List.map block noise.Wiener with
            | [ single ] -> single
            | several -> invoke "block_diag" several

        [ protectedOverriding (Method("Tensor?", "CorrelationFactor", [], Arrow factor)) ]

let members (face: Face) : Member list =
    match face.Model.Noise with
    | None -> []
    | Some noise ->
        let enumeration typeName name value =
            overriding (Property(typeName, name, Member(Name typeName, value)))

        [ enumeration "NoiseStructure" "Noise" (structureName noise.Structure)
          enumeration "Calculus" "Calculus" (calculusName noise.Calculus)
          overriding (Property("long", "NoiseSize", Face.size face noise.Size))
          yield! correlation face noise ]
