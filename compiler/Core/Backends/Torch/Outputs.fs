/// Initial states and outputs: what a model computes beside its equations.
module internal DiffEqLang.Compiler.Backends.Torch.Outputs

open DiffEqLang.Compiler.Ir.Typed
open DiffEqLang.Compiler.Ir.Dynamics
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp
open DiffEqLang.Compiler.Backends.CSharp.Face
open DiffEqLang.Compiler.Backends.CSharp.Literals
open DiffEqLang.Compiler.Backends.CSharp.Members
open DiffEqLang.Compiler.Backends.Torch.ModelScope

/// `InitialState()`: null for a state without `init`.
let initialStates (face: Face) : Member =
    let components = face.Model.Components
    let given = components |> List.choose _.Initial
    let terms, values = Functions.writeSingle (surroundings face) given

    let rec fill (components: Component list) values =
        match components, values with
        | [], _ -> []
        | c :: rest, value :: others when c.Initial.IsSome -> value :: fill rest others
        | _ :: rest, values -> nullLiteral :: fill rest values

    let all = Collection(fill components values)
    let body = if terms.IsEmpty then Arrow all else Block(terms @ [ statement (Return all) ])
    protectedOverriding (Method("IReadOnlyList<Tensor?>", "InitialState", [], body))

/// The method of one output.
let private computing (face: Face) name (o: OutputDecl) =
    let written = Functions.writeValue (surroundings face) (state face) o.Value o.Span
    let line = sprintf "%s: %s" o.Name (DocumentationComments.batched o.Value.Shape)

    member'
        (DocumentationComments.described o.Doc line)
        [ "private" ]
        (Method("Tensor", name, List.map (parameter "Tensor") ("t" :: written.Parameters), Block written.Body))

/// `Output(name, t, state)` and a method for each output.
let outputs (face: Face) : Member list =
    let named =
        face.Model.Outputs
        |> List.map (fun o -> o, face.Members.Fresh("Output" + Naming.capitalized o.Name))

    let arm (o: OutputDecl, name) = text o.Name, invoke name [ Name "t"; Name "state" ]

    let unknown =
        Name "_", invokeMethod (Name "base") "Output" [ Name "name"; Name "t"; Name "state" ]

    if named.IsEmpty then
        []
    else
        [ overriding (
              Property(
                  "IReadOnlyList<string>",
                  "OutputNames",
                  Collection [ for o, _ in named -> text o.Name ]
              )
          )
          overriding (
              Method(
                  "Tensor",
                  "Output",
                  [ parameter "string" "name"; parameter "Tensor" "t"; parameter "Tensor" "state" ],
                  Arrow(Switch(Name "name", List.map arm named @ [ unknown ]))
              )
          )
          for o, name in named do
              computing face name o ]
