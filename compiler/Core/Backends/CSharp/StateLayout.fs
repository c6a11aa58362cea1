/// Names, order and shapes of the states in the packed vector.
module internal DiffEqLang.Compiler.Backends.CSharp.StateLayout

open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp.Face

let private slots (face: Face) =
    [ for c in face.Model.Components ->
          argument (Tuple [ Literals.text c.Symbol.Name; Face.shape face c.Symbol.Shape ]) ]

/// A static field, where the layout is the same for every object.
let fields (face: Face) : Member list =
    if face.OpenDims.IsEmpty then
        [ Members.privateConstant "StateLayout" "States" (New("", slots face)) ]
    else
        []

/// What the constructor hands to its base.
let value (face: Face) = if face.OpenDims.IsEmpty then Name "States" else New("StateLayout", slots face)
