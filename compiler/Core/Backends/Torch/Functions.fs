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
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.Torch.Batching
open DiffEqLang.Compiler.Backends.Torch.Context
open DiffEqLang.Compiler.Backends.Torch.Packing
open DiffEqLang.Compiler.Backends.Torch.SharedTerms
open DiffEqLang.Compiler.Backends.Torch.Writer

/// What a method computes.
type Definition =
    {
        Name: string
        /// What the method takes.
        Packings: Packing list
        /// What it gives.
        Returned: Packing
        /// One for each part of that.
        Results: Result list
        /// By position among the parameters.
        Gradients: (int * Expr.Expr) list
        Terms: SharedTerms
    }

/// A method's parameters that are packed tensors, by name, and its body.
type Written = { Parameters: string list; Body: Statement list }

/// Names for what a method's parameters stand for.
let private declareParameters (writer: Writer) (packings: Packing list) (others: string list) =
    writer.Define({ Name = "t"; Role = Time; Shape = [] }, Name(writer.Scope.Fresh "t"))

    for name in others do
        writer.Scope.Fresh name |> ignore

    let named =
        [ for packing in packings do
              let wanted =
                  match packedVector packing with
                  | Some symbol -> symbol.Name
                  | None -> packing.Name

              packing, writer.Scope.Fresh wanted ]

    writer.FirstPacked <- named |> List.tryHead |> Option.map (snd >> Name)
    named

let private unpackAll writer named (isUsed: Symbol -> bool) =
    named |> List.collect (fun (packing, name) -> unpack writer (Name name) isUsed packing)

/// Whether the result has the size of the first tensor that the method takes.
let private returnsWhatItTakes (definition: Definition) = definition.Returned = definition.Packings.Head

/// The parts that a method's body mentions: what its values are made of, and the states beside which a result that is
/// the same for every sample is spread over the batch.
let private mentioned (definition: Definition) (values: Expr.Expr list) =
    let reached = HashSet(Expr.inputs values)
    let parts = definition.Returned.Parts |> List.map fst
    let isNothing = definition.Results |> List.forall (fun r -> Build.isZero r.Value)

    if not (isNothing && returnsWhatItTakes definition) then
        for symbol, result in List.zip parts definition.Results do
            if isSpread result.Value then
                reached.Add symbol |> ignore

    reached

/// No term has been kept.
let private computeAll (_: Expr.Expr) : int option = None

/// A method of `Equations`.
let write (surroundings: Surroundings) (definition: Definition) : Written =
    let writer = Writer surroundings

    let given, kept, others =
        match definition.Terms with
        | Unshared -> [], computeAll, []
        | Given terms -> terms, computeAll, [ "terms" ]
        | Taken terms -> [], placesOf terms, [ "terms" ]

    let into = if definition.Gradients.IsEmpty then [] else [ "into" ]
    let parameters = declareParameters writer definition.Packings (into @ others)

    let values =
        (definition.Results |> List.map _.Value) @ (definition.Gradients |> List.map snd) @ given

    let unpacked = unpackAll writer parameters (mentioned definition values).Contains
    let terms = declareTerms writer definition.Name kept values

    let handedOut =
        match definition.Terms with
        | Given terms -> [ statement (Assign(Name "terms", Collection(List.map writer.Lower terms))) ]
        | Unshared
        | Taken _ -> []

    let gradients =
        definition.Gradients
        |> List.collect (fun (position, e) -> GradientStores.store writer position 1.0 e)

    let like = if returnsWhatItTakes definition then writer.FirstPacked else None
    let results = pack writer like definition.Returned definition.Results

    { Parameters = List.map snd parameters
      Body = declareBatch writer @ unpacked @ terms @ handedOut @ gradients @ results }

/// Values without a batch: what is computed once, and initial values.
let writeSingle (surroundings: Surroundings) (values: Expr.Expr list) : Statement list * CSharp.Expr list =
    let writer = Writer surroundings
    let terms = declareTerms writer "" computeAll values
    terms, values |> List.map writer.Lower

/// Values without a batch, each put to use before the next: see `Writer.declareInOrder`.
let writeInOrder (surroundings: Surroundings) use' values : Statement list =
    declareInOrder (Writer surroundings) use' values

/// A value with the batch's axes even where it depends on nothing that has them.
let private spread (writer: Writer) packed (value: Expr.Expr) =
    let sizes () = Context.sizes writer.Place true value.Shape

    match value with
    | _ when batching value = PerSample -> writer.Lower value
    | Build.Uniform x -> invokeMethod packed "new_full" [ sizes (); scalar x ]
    | _ -> invokeMethod (writer.Lower value) "expand" [ sizes () ]

/// A method that returns one value per sample: an output.
let writeValue
    (surroundings: Surroundings)
    (packing: Packing)
    (value: Expr.Expr)
    (source: SourceSpan)
    : Written =
    let writer = Writer surroundings
    let parameters = declareParameters writer [ packing ] []
    let unpacked = unpackAll writer parameters (HashSet(Expr.inputs [ value ])).Contains
    let terms = declareTerms writer "" computeAll [ value ]
    let result = spread writer (Name(snd parameters.Head)) value
    let returned = { Kind = Return result; Source = writer.Provenance source }

    { Parameters = List.map snd parameters
      Body = declareBatch writer @ unpacked @ terms @ [ returned ] }
