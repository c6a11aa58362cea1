/// Parameters and constants of a model: the constructor that makes them, and a property for each.
module internal DiffEqLang.Compiler.Backends.Torch.Parameters

open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Typed
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp
open DiffEqLang.Compiler.Backends.CSharp.Face
open DiffEqLang.Compiler.Backends.CSharp.Literals
open DiffEqLang.Compiler.Backends.CSharp.Members
open DiffEqLang.Compiler.Backends.Torch.ModelScope

let private randomName = "random"

/// What the runtime calls initial values.
let private initial name arguments = invokeStatic "Initial" name arguments

/// A value of other constants; a number fills the shape.
let private valueOf face (symbol: Symbol) (value: Expr.Expr) =
    match value with
    | Build.Uniform x -> initial "Constant" [ number x; Face.shape face symbol.Shape ]
    | value ->
        let _, values =
            Functions.writeSingle (surroundings face) [ Build.broadcastTo symbol.Shape value ]

        values.Head

let private initialValue face (p: ParameterDecl) =
    let drawn name settings = initial name (settings @ [ Face.shape face p.Symbol.Shape; Name randomName ])

    match p.Initializer with
    | Value e -> valueOf face p.Symbol e
    | Normal(mean, deviation) -> drawn "Normal" [ number mean; number deviation ]
    | Uniform(low, high) -> drawn "Uniform" [ number low; number high ]
    | XavierUniform -> drawn "XavierUniform" []
    | XavierNormal -> drawn "XavierNormal" []
    | KaimingUniform -> drawn "KaimingUniform" []
    | KaimingNormal -> drawn "KaimingNormal" []
    | Orthogonal -> drawn "Orthogonal" []
    | LinearDefault fanIn -> drawn "Linear" [ Face.size face fanIn ]

let private isRandom (p: ParameterDecl) =
    match p.Initializer with
    | Value _ -> false
    | Normal _
    | Uniform _
    | XavierUniform
    | XavierNormal
    | KaimingUniform
    | KaimingNormal
    | Orthogonal
    | LinearDefault _ -> true

let private addParameter face (p: ParameterDecl) =
    let bounds =
        p.Bounds
        |> Option.map (fun b -> New("Interval", [ argument (number b.Low); argument (number b.High) ]))
        |> Option.toList

    invoke "AddParameter" ([ text p.Symbol.Name; initialValue face p ] @ bounds)

let private addConstant face (c: ConstantDecl) =
    invoke "AddConstant" [ text c.Symbol.Name; valueOf face c.Symbol c.Value ]

let private sizeDoc (d: DimDecl) = DocumentationComments.oneLine (sprintf "The size %s." d.Name) d.Doc

let private constructorDocumentation (face: Face) =
    { noDocumentation with
        Summary = [ [ Plain "Builds the model with fresh parameters." ] ]
        Parameters =
            [ for d, property in face.OpenDims do
                  property, [ Plain(sizeDoc d) ]
              "device", [ Plain "Where the parameters live; the solve block's choice where null." ]
              "dtype", [ Plain "float32 or float64; the solve block's choice where null." ]
              "seed", [ Plain "Of the random initial values." ] ] }

/// The constructor and the hook at its end.
let constructor (face: Face) : Member list =
    let typed = face.Model.Typed
    let dims = face.OpenDims |> List.map (fun (_, property) -> parameter "long" property)

    let options =
        [ optional "Device?" "device" nullLiteral
          optional "ScalarType?" "dtype" nullLiteral
          optional "ulong" "seed" (Literal "0") ]

    let baseArguments =
        [ text typed.Name
          StateLayout.value face
          Name "SolveBlock"
          Name "device"
          Name "dtype" ]
        |> List.map argument

    let body =
        [ for _, property in face.OpenDims do
              statement (Assign(Member(Name "this", property), Name property))
          if typed.Parameters |> List.exists isRandom then
              statement (Local(randomName, New("ParameterRandom", [ argument (Name "seed") ])))
          for c in typed.Constants do
              statement (Do(addConstant face c))
          for p in typed.Parameters do
              statement (Do(addParameter face p))
          statement (Do(invoke "OnCreated" [])) ]

    [ publicMember
          (constructorDocumentation face)
          (Constructor(face.ClassName, dims @ options, Some baseArguments, body))
      member'
          (summary "Runs at the end of the constructor.")
          [ "partial" ]
          (Method("void", "OnCreated", [], Declared)) ]

/// Open dims, constants and parameters, in this order.
let properties (face: Face) : Member list =
    let value kind (symbol: Symbol) doc =
        publicMember
            (DocumentationComments.declaration kind symbol doc)
            (Property("Tensor", face.Properties[symbol], invoke "Value" [ text symbol.Name ]))

    [ for d, property in face.OpenDims do
          publicMember (summary (sizeDoc d)) (GetOnly("long", property))
      for c in face.Model.Typed.Constants do
          value "const" c.Symbol c.Doc
      for p in face.Model.Typed.Parameters do
          value "param" p.Symbol p.Doc ]
