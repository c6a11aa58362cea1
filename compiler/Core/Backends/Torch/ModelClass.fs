/// The generated file: a class with the model's parameters, its typed `Solve`, and inside it the equations.
module internal DiffEqLang.Compiler.Backends.Torch.ModelClass

open System.Collections.Generic
open DiffEqLang.Contracts
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Typed
open DiffEqLang.Compiler.Ir.Dynamics
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.Torch.Lowering
open DiffEqLang.Compiler.Backends.Torch.Functions

/// The public face of a class: what its members are called.
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

let private member' documentation modifiers kind =
    { Documentation = documentation
      Attributes = []
      Modifiers = modifiers
      Kind = kind }

let private text (value: string) = Literal("\"" + value.Replace("\\", "\\\\").Replace("\"", "\\\"") + "\"")

let private nullLiteral = Literal "null"

/// Chooses all names of the class, in the order of the declarations.
let face (model: Dynamics.Model) : Face =
    let className = Names.escaped (Names.identifier model.Typed.Name)

    let scope =
        Names.Scope(
            Seq.concat
                [ Seq.ofArray Names.inheritedByModels
                  Seq.ofList Names.declaredByModels
                  Seq.singleton (Names.identifier model.Typed.Name) ]
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

    let nested wanted = if model.Typed.Name = wanted then wanted + "_" else wanted

    { Model = model
      ClassName = className
      Properties = properties
      OpenDims = openDims
      TrajectoryName = nested "Trajectory"
      EquationsName = nested "Equations"
      Members = scope }

/// An open dim by its property.
let private openDim (face: Face) name =
    match face.OpenDims |> List.tryFind (fun (d, _) -> d.Name = name) with
    | Some(_, property) -> Name property
    | None -> Build.internalError "The dim %s is not open." name

let private placement = [ labelled "dtype" (Name "Dtype"); labelled "device" (Name "Device") ]

/// What expressions mean inside the class itself: parameters are its properties.
let surroundings (face: Face) : Surroundings =
    let fields = Dictionary<Symbol, Expr>()

    for KeyValue(symbol, property) in face.Properties do
        // A parameter of the method would hide the property.
        let isHidden = List.contains property Functions.parameterNames
        fields[symbol] <- if isHidden then Member(Name "this", property) else Name property

    { Fields = fields
      OpenDim = openDim face
      Taken = Seq.append face.Properties.Values (face.OpenDims |> List.map snd)
      Source = face.Model.Typed.Source
      Placement = placement }

let private sizes face (shape: Shape.Shape) =
    let context: Lowering.Context =
        { Named = fun _ -> None
          OpenDim = openDim face
          Batch = fun () -> Build.internalError "A shape has no batch."
          Filled = fun shape _ -> shape
          Placement = placement }

    Collection(shape |> List.map (Lowering.dim context))

// States and constructor

let private layout face =
    let slot (c: Component) = argument (Tuple [ text c.Symbol.Name; sizes face c.Symbol.Shape ])
    New("StateLayout", face.Model.Components |> List.map slot)

let private hasOpenDims face = not face.OpenDims.IsEmpty

let private statesField face =
    let slots =
        match layout face with
        | New(_, slots) -> slots
        | other -> [ argument other ]

    if hasOpenDims face then
        []
    else
        [ member'
              noDocumentation
              [ "private"; "static"; "readonly" ]
              (Field("StateLayout", "States", Some(New("", slots)))) ]

let private capitalized = DiffEqLang.Compiler.Passes.Naming.capitalized

let private solveBlock face =
    let block = face.Model.Typed.Solve

    let option (name, value) =
        match value with
        | Real x -> capitalized name, numberLiteral x
        | Word w -> capitalized name, text w

    let method' (m: MethodChoice) =
        Initialized(New("Method", [ argument (text m.Name) ]), List.map option m.Options)

    let properties =
        [ yield! block.Start |> Option.map (fun x -> "Start", numberLiteral x) |> Option.toList
          yield! block.End |> Option.map (fun x -> "End", numberLiteral x) |> Option.toList
          yield! block.Method |> Option.map (fun m -> "Method", method' m) |> Option.toList
          yield!
              block.Gradient
              |> Option.map (fun g -> "Gradient", Member(Name "GradientMode", capitalized g))
              |> Option.toList
          yield! block.Device |> Option.map (fun d -> "Device", text d) |> Option.toList
          yield!
              block.Dtype
              |> Option.map (fun d -> "Dtype", Member(Name "ScalarType", capitalized d))
              |> Option.toList ]

    member'
        noDocumentation
        [ "private"; "static"; "readonly" ]
        (Field("SolveDefaults", "SolveBlock", Some(Initialized(New("", []), properties))))

let private shapeText (shape: Shape.Shape) = Shape.print shape

/// What the runtime calls random initial values.
let private initial name = Member(Name "Initial", name)

let private randomName = "random"

/// A value of other constants; a number fills the shape.
let private valueOf face (symbol: Symbol) (value: Expr.Expr) =
    match value with
    | Build.Uniform x ->
        Invoke(initial "Constant", [ argument (numberLiteral x); argument (sizes face symbol.Shape) ])
    | value ->
        let _, values =
            Functions.writeSingle (surroundings face) [ Build.broadcastTo symbol.Shape value ]

        values.Head

let private initialValue face (p: ParameterDecl) =
    let shape = sizes face p.Symbol.Shape

    let drawn name values =
        Invoke(
            initial name,
            List.map (numberLiteral >> argument) values
            @ [ argument shape; argument (Name randomName) ]
        )

    match p.Initializer with
    | Value e -> valueOf face p.Symbol e
    | Normal(mean, deviation) -> drawn "Normal" [ mean; deviation ]
    | Uniform(low, high) -> drawn "Uniform" [ low; high ]
    | XavierUniform -> drawn "XavierUniform" []
    | XavierNormal -> drawn "XavierNormal" []
    | KaimingUniform -> drawn "KaimingUniform" []
    | KaimingNormal -> drawn "KaimingNormal" []
    | Orthogonal -> drawn "Orthogonal" []
    | LinearDefault fanIn ->
        let size =
            match sizes face [ fanIn ] with
            | Collection [ size ] -> size
            | other -> other

        Invoke(initial "Linear", [ argument size; argument shape; argument (Name randomName) ])

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

let private constructor face =
    let typed = face.Model.Typed
    let dims = face.OpenDims |> List.map (fun (_, property) -> parameter "long" property)

    let optional typeName name value = { Type = typeName; Name = name; Default = Some value }

    let options =
        [ optional "Device?" "device" nullLiteral
          optional "ScalarType?" "dtype" nullLiteral
          optional "ulong" "seed" (Literal "0") ]

    let states = if hasOpenDims face then layout face else Name "States"

    let baseArguments =
        [ text typed.Name; states; Name "SolveBlock"; Name "device"; Name "dtype" ]
        |> List.map argument

    let body =
        [ for _, property in face.OpenDims do
              statement (Assign(Member(Name "this", property), Name property))
          if typed.Parameters |> List.exists isRandom then
              statement (Local(randomName, New("ParameterRandom", [ argument (Name "seed") ])))
          for c in typed.Constants do
              statement (Do(invoke "AddConstant" [ text c.Symbol.Name; valueOf face c.Symbol c.Value ]))
          for p in typed.Parameters do
              let bounds =
                  match p.Bounds with
                  | Some b ->
                      [ New("Interval", [ argument (numberLiteral b.Low); argument (numberLiteral b.High) ]) ]
                  | None -> []

              statement (Do(invoke "AddParameter" ([ text p.Symbol.Name; initialValue face p ] @ bounds)))
          statement (Do(invoke "OnCreated" [])) ]

    let documentation =
        { noDocumentation with
            Summary = [ [ Plain "Builds the model with fresh parameters." ] ]
            Parameters =
                [ for d, property in face.OpenDims do
                      let doc = if d.Doc = "" then sprintf "The size %s." d.Name else d.Doc.Replace('\n', ' ')
                      property, [ Plain doc ]
                  "device", [ Plain "Where the parameters live; the solve block's choice where null." ]
                  "dtype", [ Plain "float32 or float64; the solve block's choice where null." ]
                  "seed", [ Plain "Of the random initial values." ] ] }

    [ member'
          documentation
          [ "public" ]
          (Constructor(face.ClassName, dims @ options, Some baseArguments, body))
      member'
          (summary "Runs at the end of the constructor.")
          [ "partial" ]
          (Method("void", "OnCreated", [], Declared)) ]

// Properties

let private docLines (doc: string) =
    doc.Split '\n'
    |> Array.toList
    |> List.map _.Trim()
    |> List.filter ((<>) "")
    |> List.map (fun line -> [ Plain line ])

let private declared (kind: string) (symbol: Symbol) (doc: string) =
    let shape = Code(sprintf "%s %s : %s" kind symbol.Name (shapeText symbol.Shape))

    match docLines doc with
    | [] -> { noDocumentation with Summary = [ [ shape ] ] }
    | lines -> { noDocumentation with Summary = lines @ [ [ shape ] ] }

let private properties face =
    let value (symbol: Symbol) = invoke "Value" [ text symbol.Name ]

    [ for d, property in face.OpenDims do
          let doc = if d.Doc = "" then sprintf "The size %s." d.Name else d.Doc.Replace('\n', ' ')
          member' (summary doc) [ "public" ] (GetOnly("long", property))
      for c in face.Model.Typed.Constants do
          member'
              (declared "const" c.Symbol c.Doc)
              [ "public" ]
              (Property("Tensor", face.Properties[c.Symbol], value c.Symbol))
      for p in face.Model.Typed.Parameters do
          member'
              (declared "param" p.Symbol p.Doc)
              [ "public" ]
              (Property("Tensor", face.Properties[p.Symbol], value p.Symbol)) ]

// Solving

let private batchShape (shape: Shape.Shape) =
    match shape with
    | [] -> "[...]"
    | shape -> sprintf "[..., %s]" (shape |> List.map string |> String.concat ", ")

let private solve face =
    let scope = Names.Scope [ "options" ]
    let states = face.Model.Components |> List.map (fun c -> c, scope.Fresh c.Symbol.Name)

    let optional typeName name = { Type = typeName; Name = name; Default = Some nullLiteral }

    let parameters =
        [ for _, name in states -> optional "Tensor?" name ]
        @ [ optional "SolveOptions?" "options" ]

    let packed =
        Invoke(
            Name "SolvePacked",
            [ argument (Collection [ for _, name in states -> Name name ])
              argument (Name "options") ]
        )

    let documentation =
        { noDocumentation with
            Summary =
                [ [ Plain "Solves the equations; a state left out starts from its "
                    Code "init"
                    Plain "." ] ]
            Parameters =
                [ for c, name in states do
                      name.TrimStart '@',
                      [ Plain(sprintf "%s at the start: %s." c.Symbol.Name (batchShape c.Symbol.Shape)) ]
                  "options", [ Plain "What differs from the solve block." ] ] }

    member'
        documentation
        [ "public" ]
        (Method(face.TrajectoryName, "Solve", parameters, Arrow(New("", [ argument packed ]))))

let private trajectory face =
    let scope = Names.Scope(Seq.append Names.inheritedBySolutions [ face.TrajectoryName ])

    let stateMembers =
        face.Model.Components
        |> List.mapi (fun slot c ->
            let shape = batchShape c.Symbol.Shape |> fun s -> s.Replace("[...", "[times, ...")

            let doc =
                docLines c.Doc @ [ [ Plain(sprintf "%s at the saved times: %s." c.Symbol.Name shape) ] ]

            member'
                { noDocumentation with Summary = doc }
                [ "public" ]
                (Property("Tensor", scope.Fresh c.Symbol.Name, invoke "State" [ integer slot ])))

    let outputMembers =
        [ for o in face.Model.Outputs do
              let shape = batchShape o.Value.Shape |> fun s -> s.Replace("[...", "[times, ...")
              let doc = docLines o.Doc @ [ [ Plain(sprintf "%s at the saved times: %s." o.Name shape) ] ]

              member'
                  { noDocumentation with Summary = doc }
                  [ "public" ]
                  (Property("Tensor", scope.Fresh o.Name, invoke "Output" [ text o.Name ])) ]

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
              Members = constructor :: stateMembers @ outputMembers })

let private initialStates face =
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
    member' inherited [ "protected"; "override" ] (Method("IReadOnlyList<Tensor?>", "InitialState", [], body))

let private outputs face =
    let packing: Packing =
        { Name = "state"
          Parts = face.Model.Components |> List.map (fun c -> c.Symbol, c.Offset) }

    let methods =
        [ for o in face.Model.Outputs do
              let name = face.Members.Fresh("Output" + capitalized o.Name)
              let parameters, body = Functions.writeValue (surroundings face) packing o.Value o.Span
              let doc = docLines o.Doc @ [ [ Plain(sprintf "%s: %s" o.Name (batchShape o.Value.Shape)) ] ]

              o,
              name,
              member'
                  { noDocumentation with Summary = doc }
                  [ "private" ]
                  (Method(
                      "Tensor",
                      name,
                      parameter "Tensor" "t" :: List.map (parameter "Tensor") parameters,
                      Block body
                  )) ]

    if methods.IsEmpty then
        []
    else
        let names = Collection [ for o, _, _ in methods -> text o.Name ]
        let arm (o: OutputDecl, name, _) = text o.Name, invoke name [ Name "t"; Name "state" ]

        let unknown =
            Name "_",
            Invoke(
                Member(Name "base", "Output"),
                [ Name "name"; Name "t"; Name "state" ] |> List.map argument
            )

        [ member' inherited [ "public"; "override" ] (Property("IReadOnlyList<string>", "OutputNames", names))
          member'
              inherited
              [ "public"; "override" ]
              (Method(
                  "Tensor",
                  "Output",
                  [ parameter "string" "name"; parameter "Tensor" "t"; parameter "Tensor" "state" ],
                  Arrow(Switch(Name "name", List.map arm methods @ [ unknown ]))
              ))
          for _, _, m in methods do
              m ]

// Noise

let private noiseName (structure: Dynamics.NoiseStructure) =
    match structure with
    | Additive -> "Additive"
    | Diagonal -> "Diagonal"
    | Scalar -> "Scalar"
    | Commutative -> "Commutative"
    | General -> "General"

let private correlation face (noise: Noise) =
    if noise.Wiener |> List.forall _.Correlation.IsNone then
        []
    else
        let s = surroundings face

        let block (w: WienerDecl) =
            match w.Correlation with
            | Some c ->
                let _, values = Functions.writeSingle s [ c ]
                Invoke(Member(Name "linalg", "cholesky"), [ argument values.Head ])
            | None ->
                let size =
                    match sizes face [ Shape.size w.Increment.Shape ] with
                    | Collection [ n ] -> n
                    | other -> other

                Invoke(Name "eye", argument size :: placement)

        let factor =
            match List.map block noise.Wiener with
            | [ single ] -> single
            | several -> invoke "block_diag" several

        [ member'
              inherited
              [ "protected"; "override" ]
              (Method("Tensor?", "CorrelationFactor", [], Arrow factor)) ]

let private noiseMembers face =
    match face.Model.Noise with
    | None -> []
    | Some noise ->
        let property typeName name value =
            member' inherited [ "public"; "override" ] (Property(typeName, name, value))

        let size =
            match sizes face [ noise.Size ] with
            | Collection [ n ] -> n
            | other -> other

        let calculus =
            match noise.Calculus with
            | Ito -> "Ito"
            | Stratonovich -> "Stratonovich"

        [ property "NoiseStructure" "Noise" (Member(Name "NoiseStructure", noiseName noise.Structure))
          property "Calculus" "Calculus" (Member(Name "Calculus", calculus))
          property "long" "NoiseSize" size
          yield! correlation face noise ]

/// The whole file, given the members that hold the equations.
let file
    (namespaceName: string)
    (face: Face)
    (equations: CSharp.Member)
    (extra: CSharp.Member list)
    : CSharp.File =
    let typed = face.Model.Typed
    let bind = Arrow(New(face.EquationsName, [ argument (Name "this") ]))
    let bound = if face.Model.Noise.IsSome then "SdeEquations" else "OdeEquations"

    let initializer =
        { Documentation = summary "Runs before the first torch call of a program: finds libtorch."
          Attributes = [ "ModuleInitializer" ]
          Modifiers = [ "internal"; "static" ]
          Kind =
            Method(
                "void",
                "LoadNativeLibraries",
                [],
                Arrow(Invoke(Member(Name "NativeLibraries", "Load"), []))
            ) }

    let members =
        [ yield! statesField face
          yield solveBlock face
          yield! constructor face
          yield! properties face
          yield! noiseMembers face
          yield solve face
          yield member' inherited [ "protected"; "override" ] (Method(bound, "Bind", [], bind))
          yield initialStates face
          yield! outputs face
          yield! extra
          yield initializer
          yield trajectory face
          yield equations ]

    let doc =
        match docLines typed.Doc with
        | [] -> [ [ Plain(sprintf "The model %s." typed.Name) ] ]
        | lines -> lines

    { Usings =
        [ "System.Collections.Generic"
          "System.Runtime.CompilerServices"
          "DiffEqLang.Runtime"
          "TorchSharp"
          "static TorchSharp.torch"
          "static TorchSharp.torch.nn.functional" ]
      Namespace = namespaceName
      Types =
        [ member'
              { noDocumentation with Summary = doc }
              [ "public"; "sealed"; "partial" ]
              (Nested
                  { Name = face.ClassName
                    Primary = None
                    Base = (if face.Model.Noise.IsSome then "SdeModel" else "OdeModel")
                    Members = members }) ] }
