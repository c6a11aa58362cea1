/// The class of a model over torch tensors: parameters, typed `Solve`, and inside it the equations.
module internal DiffEqLang.Compiler.Backends.Torch.ModelClass

open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp
open DiffEqLang.Compiler.Backends.CSharp.Face
open DiffEqLang.Compiler.Backends.CSharp.Members

let private bind (face: Face) =
    let returns = if face.IsStochastic then "SdeEquations" else "OdeEquations"

    protectedOverriding (
        Method(returns, "Bind", [], Arrow(New(face.EquationsName, [ argument (Name "this") ])))
    )

/// The generated file of a model, with its Jacobian and its variational equations where those are wanted.
let file (namespaceName: string) (withJacobian: bool) (withVariational: bool) (face: Face) : File =
    let members =
        [ yield! StateLayout.fields face
          yield! SolveBlock.fields face.Model.Typed.Solve
          yield! Parameters.constructor face
          yield! Parameters.properties face
          yield! Noise.members face
          yield Solving.solve face
          yield bind face
          yield Outputs.initialStates face
          yield! Outputs.outputs face
          if withJacobian then
              yield! Jacobian.members face ]

    ModelFile.file namespaceName face members (Equations.nested withVariational face)
