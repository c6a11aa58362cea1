/// The body of one method while it is being written: what its names mean, and what it needs beside its terms.
module internal DiffEqLang.Compiler.Backends.Torch.Writer

open System.Collections.Generic
open DiffEqLang.Contracts
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Program
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp
open DiffEqLang.Compiler.Backends.Torch.Context

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

/// The method being written: its names and what it needs beside its terms.
type Writer(surroundings: Surroundings) =
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

    member _.Place: Place =
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

    member this.Lower(e: Expr.Expr) = Lowering.lower this.Place e

    /// The comment that tells what a line is about.
    member _.Provenance(span: SourceSpan) = Provenance.ofSpan surroundings.Source span

/// `var name = value;`
let local name value source = { Kind = Local(name, value); Source = source }

/// Schedules the results and declares what has a name, one term a line. `kept` is the place of a term that the caller
/// may have kept: it is computed only where it has not.
let declareTerms
    (writer: Writer)
    name
    (kept: Expr.Expr -> int option)
    (results: Expr.Expr list)
    : Statement list =
    let statementOf (binding: Binding) =
        let local' = writer.Scope.Fresh binding.Name
        let computed = writer.Lower binding.Value

        let value =
            match kept binding.Value with
            | Some position -> Infix(Literal(sprintf "terms?[%d]" position), "??", computed)
            | None -> computed

        writer.Define(binding.Value, Name local')
        local local' value (Provenance.ofOrigin binding.Origin)

    let program =
        results
        |> List.mapi (fun i e -> string i, e)
        |> Schedule.schedule writer.Scope.Taken name []

    List.map statementOf program.Bindings

/// `var batch = state.shape[..^1];`, where the body uses it.
let declareBatch (writer: Writer) : Statement list =
    match writer.BatchName, writer.FirstPacked with
    | Some name, Some packed -> [ local name (Element(Member(packed, "shape"), [ Literal "..^1" ])) None ]
    | Some _, None
    | None, _ -> []
