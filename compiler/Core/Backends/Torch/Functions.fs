/// The methods of `Equations`: packed tensors are taken apart, the scheduled terms follow one a line, and the results
/// are put together again.
///
///     public override Tensor Drift(Tensor t, Tensor state)
///     {
///         var x = state.select(-1, 0);
///         var y = state.select(-1, 1);
///         var dx = sigma * (y - x);     // lorenz.deq:7  dx/dt = sigma*(y - x)
///         ...
///         return stack([dx, dy, dz], -1);
///     }
module internal DiffEqLang.Compiler.Backends.Torch.Functions

open System.Collections.Generic
open DiffEqLang.Contracts
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Program
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.Torch.Lowering

/// Several values in one packed vector [..., N]: states, their cotangents, increments.
type Packing =
    {
        /// What the packed tensor is called where it is not a single vector's own name.
        Name: string
        /// Each with its place.
        Parts: (Symbol * Dim) list
    }

/// A value to return or to add to a parameter's gradient, and the equation that it is about.
type Result = { Name: string; Value: Expr.Expr; Source: SourceSpan }

/// Terms of the drift that its vector-Jacobian product needs again.
type SharedTerms =
    | Unshared
    /// The method gives them out: `out Tensor[] terms`.
    | Given of Expr.Expr list
    /// The method takes them where its caller has kept them: `Tensor[]? terms`.
    | Taken of Expr.Expr list

/// What a method computes.
type Definition =
    {
        Name: string
        Packings: Packing list
        /// One for each part of the first packing.
        Results: Result list
        /// By position among the parameters.
        Gradients: (int * Expr.Expr) list
        Terms: SharedTerms
    }

/// The class that a method stands in.
type Surroundings =
    {
        /// What a name means there that is no local variable: fields of parameters and constants.
        Fields: IReadOnlyDictionary<Symbol, CSharp.Expr>
        OpenDim: string -> CSharp.Expr
        /// Names that a local variable must not take.
        Taken: string seq
        Source: SourceFile
        /// Where tensors without operands are made.
        Placement: CSharp.Argument list
    }

/// The first names that a method takes: those of its parameters.
let parameterNames =
    [ "t"; "state"; "w"; "dW"; "into"; "terms"; "batch"; "states"; "increments"; "model" ]

/// More scalars than this are taken apart in one call.
let private mostSelects = 4

/// A comment longer than this is cut.
let private longestComment = 64

let private shortened (text: string) =
    let line =
        text.Split([| ' '; '\n'; '\r'; '\t' |], System.StringSplitOptions.RemoveEmptyEntries)
        |> String.concat " "

    if line.Length <= longestComment then
        line
    else
        line.Substring(0, longestComment - 3).TrimEnd() + "..."

let private fileName (path: string) = path.Replace('\\', '/').Split('/') |> Array.last

let private sourceOf (span: SourceSpan) (text: string) : CSharp.Source option =
    if span.IsKnown then
        Some { File = fileName span.File; Line = span.Line; Text = shortened text }
    else
        None

/// The lines of a file, cut once.
let private lineTable =
    System.Runtime.CompilerServices.ConditionalWeakTable<SourceFile, string[]>()

/// The text of a place in one line, as far as its first line goes.
let spanText (source: SourceFile) (span: SourceSpan) =
    let lines = lineTable.GetValue(source, fun s -> s.Text.Split '\n')

    if span.IsKnown && span.File = source.Path && span.Line <= lines.Length then
        let line = lines[span.Line - 1].TrimEnd('\r')
        let start = min (span.Column - 1) line.Length

        let finish =
            if span.EndLine = span.Line then
                min (span.EndColumn - 1) line.Length
            else
                line.Length

        line.Substring(start, max 0 (finish - start))
    else
        ""

let private packedVector (packing: Packing) =
    match packing.Parts with
    | [ symbol, _ ] when symbol.Shape.Length = 1 -> Some symbol
    | _ -> None

/// One part out of a packed tensor.
let private part openDims (packed: CSharp.Expr) isSole (symbol: Symbol, offset: Dim) =
    let size = Lowering.dim openDims
    let last = integer -1

    match symbol.Shape with
    | [] -> invokeMethod packed "select" [ last; size offset ]
    | shape ->
        let flat =
            if isSole then
                packed
            else
                invokeMethod packed "narrow" [ last; size offset; size (Shape.size shape) ]

        match shape with
        | [ _ ] -> flat
        | shape -> invokeMethod flat "reshape" [ Lowering.sizes openDims true shape ]

/// The method being written: its names and what it needs beside its terms.
type private Writer(surroundings: Surroundings) =
    let scope =
        Names.Scope(Seq.append (Seq.except parameterNames surroundings.Taken) Names.usedInBodies)

    let names = Dictionary<Expr.Expr, CSharp.Expr>(HashIdentity.Reference)
    let symbols = Dictionary<Symbol, CSharp.Expr>()
    let mutable batchName: string option = None
    let mutable firstPacked: CSharp.Expr option = None

    member _.Scope = scope
    member _.BatchName = batchName

    member _.FirstPacked
        with get () = firstPacked
        and set value = firstPacked <- value

    member _.Define(symbol: Symbol, value: CSharp.Expr) = symbols[symbol] <- value
    member _.Define(e: Expr.Expr, value: CSharp.Expr) = names[e] <- value

    member _.Context: Lowering.Context =
        { Named =
            fun e ->
                match names.TryGetValue e, e.Op with
                | (true, name), _ -> Some name
                | _, Input s ->
                    match symbols.TryGetValue s, surroundings.Fields.TryGetValue s with
                    | (true, name), _ -> Some name
                    | _, (true, field) -> Some field
                    | _ -> None
                | _ -> None
          OpenDim = surroundings.OpenDim
          Batch =
            fun () ->
                match batchName with
                | Some name -> Name name
                | None ->
                    let name = scope.Fresh "batch"
                    batchName <- Some name
                    Name name
          Filled =
            fun shape value ->
                match firstPacked with
                | Some packed -> invokeMethod packed "new_full" [ shape; value ]
                | None -> Invoke(Name "full", [ argument shape; argument value ] @ surroundings.Placement)
          Placement =
            match firstPacked with
            | Some packed ->
                [ labelled "dtype" (Member(packed, "dtype"))
                  labelled "device" (Member(packed, "device")) ]
            | None -> surroundings.Placement }

    member this.Lower(e: Expr.Expr) = Lowering.lower this.Context e

let private local name value source = { Kind = Local(name, value); Source = source }

/// Declares the parts of a packed tensor that are used.
let private unpack (writer: Writer) (packed: CSharp.Expr) (isUsed: Symbol -> bool) (packing: Packing) =
    let used = packing.Parts |> List.filter (fst >> isUsed)
    let context = writer.Context

    match packedVector packing with
    | Some symbol ->
        writer.Define(symbol, packed)
        []
    | None ->
        let isSole = packing.Parts.Length = 1
        let constantOffset (_, offset) = (Dim.tryConstant offset).IsSome
        let scalars = packing.Parts |> List.forall (fun (s, _) -> s.Shape.IsEmpty)

        if scalars && used.Length > mostSelects && List.forall constantOffset used then
            let all = writer.Scope.Fresh(packing.Name + "s")
            let whole = local all (invokeMethod packed "unbind" [ integer -1 ]) None

            whole
            :: [ for symbol, offset in used do
                     let name = writer.Scope.Fresh symbol.Name
                     writer.Define(symbol, Name name)
                     local name (Element(Name all, [ Lowering.dim context offset ])) None ]
        else
            [ for symbol, offset in used do
                  let name = writer.Scope.Fresh symbol.Name
                  writer.Define(symbol, Name name)
                  local name (part context packed isSole (symbol, offset)) None ]

/// A result with the batch axes even where it depends on nothing that has them.
let private perSample (writer: Writer) (symbol: Symbol) (e: Expr.Expr) =
    let like = lazy (writer.Lower(Build.input symbol))

    match e with
    | Build.Uniform x -> filledLike like.Value x
    | _ when batching e = PerSample -> writer.Lower e
    | _ -> invokeMethod (writer.Lower e) "expand_as" [ like.Value ]

let private needsState (e: Expr.Expr) =
    match e with
    | Build.Uniform _ -> true
    | _ -> batching e <> PerSample

let private scaled (factor: float) value =
    match factor with
    | 1.0 -> value
    | -1.0 -> Prefix("-", value)
    | factor -> Infix(numberLiteral factor, "*", value)

/// Terms summed into one gradient are stored one by one; an outer product of two vectors goes by without being made.
let rec private storeGradient (writer: Writer) position (factor: float) (e: Expr.Expr) : Statement list =
    let isInlined (e: Expr.Expr) = (writer.Context.Named e).IsNone
    let isVector (v: Expr.Expr) = v.Shape.Length = 1 && batching v = PerSample
    let store name values = [ statement (Do(invokeMethod (Name "into") name (integer position :: values))) ]
    let storeOuter left right = store "AddOuter" [ scaled factor (writer.Lower left); writer.Lower right ]

    match e.Op, e.Args with
    | BatchSum, [ inner ] -> storeGradient writer position factor inner
    | Add, [ a; b ] when isInlined e && a.Shape = b.Shape ->
        storeGradient writer position factor a @ storeGradient writer position factor b
    | Subtract, [ a; b ] when isInlined e && a.Shape = b.Shape ->
        storeGradient writer position factor a @ storeGradient writer position -factor b
    | Negate, [ a ] when isInlined e -> storeGradient writer position -factor a
    | Multiply, [ { Op = Number c }; a ] when isInlined e -> storeGradient writer position (c * factor) a
    | Contract([], []), [ a; b ] when isInlined e && isVector a && isVector b -> storeOuter a b
    | Permute [ 1; 0 ], [ { Op = Contract([], []); Args = [ a; b ] } as product ] when
        isInlined e && isInlined product && isVector a && isVector b
        ->
        storeOuter b a
    | _ -> store "Add" [ scaled factor (writer.Lower e) ]

/// The results of all parts as one packed tensor.
let private pack (writer: Writer) (packing: Packing) (results: Result list) (source: SourceFile) =
    let parts = packing.Parts |> List.map fst
    let isNothing = results |> List.forall (fun r -> Build.isZero r.Value)

    match parts, results, writer.FirstPacked with
    | _, _, Some packed when isNothing -> [ statement (Return(filledLike packed 0.0)) ]
    | [ symbol ], [ result ], _ ->
        let value = perSample writer symbol result.Value
        let where = sourceOf result.Source (spanText source result.Source)

        let packed =
            match symbol.Shape.Length with
            | 0 -> invokeMethod value "unsqueeze" [ integer -1 ]
            | 1 -> value
            | rank -> invokeMethod value "flatten" [ integer -rank ]

        [ { Kind = Return packed; Source = where } ]
    | _ ->
        let declared =
            [ for symbol, result in List.zip parts results do
                  match writer.Context.Named result.Value with
                  | Some name when batching result.Value = PerSample -> name, []
                  | _ ->
                      let value = perSample writer symbol result.Value
                      let name = writer.Scope.Fresh result.Name
                      Name name, [ local name value (sourceOf result.Source (spanText source result.Source)) ] ]

        let values = List.map fst declared

        let packed =
            if parts |> List.forall _.Shape.IsEmpty then
                invoke "stack" [ Collection values; integer -1 ]
            else
                let flat (symbol: Symbol) value =
                    match symbol.Shape.Length with
                    | 0 -> invokeMethod value "unsqueeze" [ integer -1 ]
                    | 1 -> value
                    | rank -> invokeMethod value "flatten" [ integer -rank ]

                invoke "cat" [ Collection(List.map2 flat parts values); integer -1 ]

        List.collect snd declared @ [ statement (Return packed) ]

/// Names of what a method's parameters stand for, and their packings.
let private declareParameters (writer: Writer) (definition: Definition) =
    writer.Define({ Name = "t"; Role = Time; Shape = [] }, Name(writer.Scope.Fresh "t"))

    if not definition.Gradients.IsEmpty then
        writer.Scope.Fresh "into" |> ignore

    match definition.Terms with
    | Unshared -> ()
    | Given _
    | Taken _ -> writer.Scope.Fresh "terms" |> ignore

    [ for packing in definition.Packings do
          let wanted =
              match packedVector packing with
              | Some symbol -> symbol.Name
              | None -> packing.Name

          let name = writer.Scope.Fresh wanted
          packing, name ]

let private nothingTaken = Dictionary<Expr.Expr, int>(HashIdentity.Reference)

/// A term that the caller may have kept is computed only where it has not.
let private bindingStatement
    (writer: Writer)
    (taken: IReadOnlyDictionary<Expr.Expr, int>)
    (binding: Binding)
    =
    let name = writer.Scope.Fresh binding.Name
    let computed = writer.Lower binding.Value

    let value =
        match taken.TryGetValue binding.Value with
        | true, position -> Infix(Literal(sprintf "terms?[%d]" position), "??", computed)
        | _ -> computed

    writer.Define(binding.Value, Name name)

    let source = binding.Origin |> Option.bind (fun origin -> sourceOf origin.Span origin.Text)

    local name value source

/// A method's parameters and its body.
let write (surroundings: Surroundings) (definition: Definition) : string list * Statement list =
    let writer = Writer surroundings
    let parameters = declareParameters writer definition
    writer.FirstPacked <- parameters |> List.tryHead |> Option.map (snd >> Name)

    let given, taken =
        match definition.Terms with
        | Unshared -> [], nothingTaken
        | Given terms -> terms, nothingTaken
        | Taken terms ->
            [], Dictionary(terms |> Seq.mapi (fun i e -> KeyValuePair(e, i)), HashIdentity.Reference)

    let values =
        (definition.Results |> List.map _.Value) @ (definition.Gradients |> List.map snd) @ given

    let roots = values |> List.mapi (fun i e -> string i, e)
    let reached = HashSet(Expr.inputs values)

    // A result that is the same for every sample is spread over the batch like the state that it belongs to.
    let parts = definition.Packings.Head.Parts |> List.map fst

    let isNothing = definition.Results |> List.forall (fun r -> Build.isZero r.Value)

    if definition.Results.Length = parts.Length then
        for symbol, result in List.zip parts definition.Results do
            if needsState result.Value && not isNothing then
                reached.Add symbol |> ignore

    let unpacked =
        [ for packing, name in parameters do
              yield! unpack writer (Name name) reached.Contains packing ]

    let program = Schedule.schedule writer.Scope.Taken definition.Name [] roots
    let terms = program.Bindings |> List.map (bindingStatement writer taken)

    let givenTerms =
        match definition.Terms with
        | Given terms -> [ statement (Assign(Name "terms", Collection(List.map writer.Lower terms))) ]
        | Unshared
        | Taken _ -> []

    let gradients =
        definition.Gradients
        |> List.collect (fun (position, e) -> storeGradient writer position 1.0 e)

    let results = pack writer definition.Packings.Head definition.Results surroundings.Source

    let batch =
        match writer.BatchName, writer.FirstPacked with
        | Some name, Some packed ->
            let all = Member(packed, "shape")
            [ local name (Element(all, [ Literal "..^1" ])) None ]
        | _ -> []

    List.map snd parameters, batch @ unpacked @ terms @ givenTerms @ gradients @ results

/// What the vector-Jacobian product of values computes that the values are made of, where computing it again takes a matrix
/// product or a call: then every term that both need is worth keeping, since it is there.
let sharedTerms (values: Expr.Expr list) (product: Expr.Expr list) : Expr.Expr list =
    let ofValues = HashSet<Expr.Expr>(topological values, HashIdentity.Reference)

    let isView (e: Expr.Expr) =
        match e.Op with
        | Index _
        | Slice _
        | Reshape _
        | Permute _
        | Broadcast _
        | Op.Diagonal -> true
        | _ -> false

    let isCostly (e: Expr.Expr) =
        match e.Op with
        | Contract _
        | Op.Call _ -> true
        | _ -> false

    let shared =
        (Schedule.schedule [] "" [] (product |> List.mapi (fun i e -> string i, e))).Bindings
        |> List.map _.Value
        |> List.filter (fun e ->
            ofValues.Contains e && batching e = PerSample && not (isView e) && not e.IsBoolean)

    if topological shared |> List.exists isCostly then shared else []

/// The body of a method that returns values without a batch: what is computed once, and initial values.
let writeSingle (surroundings: Surroundings) (values: Expr.Expr list) : Statement list * CSharp.Expr list =
    let writer = Writer surroundings

    let program =
        values |> List.mapi (fun i e -> string i, e) |> Schedule.schedule writer.Scope.Taken "" []

    let terms = program.Bindings |> List.map (bindingStatement writer nothingTaken)

    terms, values |> List.map writer.Lower

/// The body of a method that returns one value per sample: an output.
let writeValue (surroundings: Surroundings) (packing: Packing) (value: Expr.Expr) (source: SourceSpan) =
    let writer = Writer surroundings

    let parameters =
        declareParameters
            writer
            { Name = ""
              Packings = [ packing ]
              Results = []
              Gradients = []
              Terms = Unshared }

    let packed = Name(snd parameters.Head)
    writer.FirstPacked <- Some packed
    let reached = HashSet(Expr.inputs [ value ])
    let unpacked = unpack writer packed reached.Contains packing
    let program = Schedule.schedule writer.Scope.Taken "" [] [ "", value ]
    let terms = program.Bindings |> List.map (bindingStatement writer nothingTaken)

    let spread =
        if batching value = PerSample then
            writer.Lower value
        else
            let sizes = Lowering.sizes writer.Context true value.Shape

            match value with
            | Build.Uniform x -> invokeMethod packed "new_full" [ sizes; scalar x ]
            | _ -> invokeMethod (writer.Lower value) "expand" [ sizes ]

    let batch =
        match writer.BatchName with
        | Some name -> [ local name (Element(Member(packed, "shape"), [ Literal "..^1" ])) None ]
        | None -> []

    let result =
        { Kind = Return spread
          Source = sourceOf source (spanText surroundings.Source source) }

    List.map snd parameters, batch @ unpacked @ terms @ [ result ]
