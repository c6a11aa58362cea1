/// The Jacobian of the drift, on the model itself: with its present parameters and under autograd.
module internal DiffEqLang.Compiler.Backends.Torch.Jacobian

open DiffEqLang.Contracts
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp
open DiffEqLang.Compiler.Backends.CSharp.Face
open DiffEqLang.Compiler.Backends.CSharp.Literals
open DiffEqLang.Compiler.Backends.CSharp.Members
open DiffEqLang.Compiler.Backends.Torch.ModelScope

/// More scalar states than this have their Jacobian as its nonzero entries.
let private largestDense = 16

let private jacobianMethod (face: Face) name doc (value: Expr.Expr) =
    let written =
        Functions.writeValue (surroundings face) (stateAndPast face) value SourceSpan.None

    let packed =
        sprintf "Packed: %s." (DocumentationComments.batched [ Dynamics.argumentSize face.Model ])

    let documentation =
        { summary doc with
            Parameters =
                [ "t", [ Plain "Time: [] or [...]." ]
                  for name in written.Parameters do
                      name.TrimStart '@', [ Plain packed ] ] }

    let parameters = "t" :: written.Parameters |> List.map (parameter "Tensor")
    publicMember documentation (Method("Tensor", name, parameters, Block written.Body))

let private positions name doc (values: int list) : CSharp.Member =
    member'
        (summary doc)
        [ "public"; "static"; "readonly" ]
        (Field("IReadOnlyList<int>", name, Some(Collection(values |> List.map integer))))

/// `Jacobian(t, state)`, or for large systems of scalars the nonzero entries alone.
let members (face: Face) : CSharp.Member list =
    let components = face.Model.Components
    let isScalarSystem = components |> List.forall _.Symbol.Shape.IsEmpty

    if isScalarSystem && components.Length > largestDense then
        let entries = Derivatives.sparseJacobian components
        let values = Build.stack (entries |> List.map (fun entry -> entry.Value))
        let count = entries.Length

        [ positions
              "JacobianRows"
              "The equations of the entries of JacobianValues."
              (entries |> List.map _.Row)
          positions
              "JacobianColumns"
              "The states of the entries of JacobianValues."
              (entries |> List.map _.Column)
          jacobianMethod
              face
              "JacobianValues"
              (sprintf "The nonzero entries of the drift's Jacobian: [..., %d]." count)
              values ]
    else
        let size = string face.Model.Size

        [ jacobianMethod
              face
              "Jacobian"
              (sprintf "The Jacobian of the drift: [..., %s, %s]." size size)
              (Derivatives.denseJacobian components) ]
