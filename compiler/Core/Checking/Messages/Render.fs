/// From an error of Checking to its diagnostic.
module internal DiffEqLang.Compiler.Checking.Messages.Render

open System.Collections.Immutable
open DiffEqLang.Contracts
open DiffEqLang.Compiler.Checking.Errors
open DiffEqLang.Compiler.Checking.Messages.Wording

/// The diagnostic of an error, with a note for each call of an inlined function that led there.
let diagnostic (error: Error) : Diagnostic =
    let words =
        match error.Kind with
        | Name kind -> NameMessages.ofName kind
        | Shape kind -> ShapeMessages.ofShape kind
        | Structure kind -> StructureMessages.ofStructure kind
        | Noise kind -> NoiseMessages.ofNoise kind
        | Event kind -> EventMessages.ofEvent kind
        | Delay kind -> DelayMessages.ofDelay kind
        | Solve kind -> SolveMessages.ofSolve kind
        | NotSupportedYet kind -> SolveMessages.ofUnsupported kind

    let words =
        error.Calls |> List.fold (fun words call -> noting "in this call" call words) words

    Diagnostic(
        words.Descriptor,
        words.Message,
        error.Span,
        Hint = Option.toObj words.Hint,
        Notes = ImmutableArray.CreateRange(words.Notes |> List.map DiagnosticNote)
    )
