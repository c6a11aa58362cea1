/// What expressions mean inside the model's class itself: parameters are its properties.
module internal DiffEqLang.Compiler.Backends.Torch.ModelScope

open System.Collections.Generic
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp
open DiffEqLang.Compiler.Backends.CSharp.Face
open DiffEqLang.Compiler.Backends.Torch.Packing
open DiffEqLang.Compiler.Backends.Torch.Writer

let placement = [ labelled "dtype" (Name "Dtype"); labelled "device" (Name "Device") ]

let surroundings (face: Face) : Surroundings =
    let fields = Dictionary<Symbol, CSharp.Expr>()

    for KeyValue(symbol, property) in face.Properties do
        // A parameter of the method would hide the property.
        let isHidden = List.contains property parameterNames
        fields[symbol] <- if isHidden then Member(Name "this", property) else Name property

    { Fields = fields
      OpenDim = Face.openDim face
      Taken = Seq.append face.Properties.Values (face.OpenDims |> List.map snd)
      Source = face.Model.Typed.Source
      Placement = placement }

/// The packed state.
let state (face: Face) : Packing =
    { Name = "state"
      Parts = face.Model.Components |> List.map (fun c -> c.Symbol, c.Offset) }

/// What the equations take: the packed state, followed by the delayed states.
let stateAndPast (face: Face) : Packing =
    state face |> followedBy (Dynamics.delayed face.Model) face.Model.Size
