/// `Solve`, by the names of the states, and the solution that it returns.
module internal DiffEqLang.Compiler.Backends.CSharp.Solving

open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp.Face
open DiffEqLang.Compiler.Backends.CSharp.Members

let solve (face: Face) : Member =
    let scope = Names.Scope [ "options" ]
    let states = face.Model.Components |> List.map (fun c -> c, scope.Fresh c.Symbol.Name)

    let parameters =
        [ for _, name in states -> optional "Tensor?" name Literals.nullLiteral ]
        @ [ optional "SolveOptions?" "options" Literals.nullLiteral ]

    let packed =
        invoke "SolvePacked" [ Collection [ for _, name in states -> Name name ]; Name "options" ]

    let documentation =
        { noDocumentation with
            Summary =
                [ [ Plain "Solves the equations; a state left out starts from its "
                    Code "init"
                    Plain "." ] ]
            Parameters =
                [ for c, name in states do
                      let shape = DocumentationComments.batched c.Symbol.Shape
                      name.TrimStart '@', [ Plain(sprintf "%s at the start: %s." c.Symbol.Name shape) ]
                  "options", [ Plain "What differs from the solve block." ] ] }

    publicMember
        documentation
        (Method(face.TrajectoryName, "Solve", parameters, Arrow(New("", [ argument packed ]))))

let private saved (scope: Names.Scope) name doc shape value =
    let line = sprintf "%s at the saved times: %s." name (DocumentationComments.saved shape)
    publicMember (DocumentationComments.described doc line) (Property("Tensor", scope.Fresh name, value))

/// The class `Trajectory`.
let trajectory (face: Face) : Member =
    let scope = Names.Scope(Seq.append Names.inheritedBySolutions [ face.TrajectoryName ])

    let states =
        face.Model.Components
        |> List.mapi (fun slot c ->
            saved scope c.Symbol.Name c.Doc c.Symbol.Shape (invoke "State" [ Literals.integer slot ]))

    let outputs =
        face.Model.Outputs
        |> List.map (fun o ->
            saved scope o.Name o.Doc o.Value.Shape (invoke "Output" [ Literals.text o.Name ]))

    let constructor =
        member'
            noDocumentation
            [ "internal" ]
            (Constructor(
                face.TrajectoryName,
                [ parameter "Solution" "solution" ],
                Some [ argument (Name "solution") ],
                []
            ))

    member'
        { noDocumentation with
            Summary =
                [ [ Plain "A solution of "; See face.ClassName; Plain ", by the names of its states." ] ] }
        [ "public"; "sealed" ]
        (Nested
            { Name = face.TrajectoryName
              Primary = None
              Base = "Solution"
              Members = constructor :: states @ outputs })
