/// What was written in the place of a word or of the sign between two sides, which the grammar lets pass so that it can be
/// answered here with words of its own.
module internal DiffEqLang.Compiler.Syntax.Slips

open Antlr4.Runtime.Tree
open DiffEqLang.Contracts
open DiffEqLang.Grammar
open DiffEqLang.Compiler.Syntax.Tree
open DiffEqLang.Compiler.Syntax.ExpressionReader

let reportSpelling (reading: Reading) (word: Ident) message candidates =
    match Spelling.Nearest(word.Name, candidates) with
    | null -> reading.Report(DiagnosticCatalogue.MisspelledKeyword, word.Span, message)
    | near ->
        reading.Report(DiagnosticCatalogue.MisspelledKeyword, word.Span, message, $"did you mean `{near}`?")

// Relations

let private relationToken (context: DeqParser.AssignContext) =
    if isNull context || context.ChildCount = 0 then
        None
    else
        Some((context.GetChild 0 :?> ITerminalNode).Symbol)

/// `=`; reports what was written in its place.
let expectEquals (reading: Reading) context =
    match relationToken context with
    | Some token when token.Type = DeqParser.TILDE ->
        reading.Report(
            DiagnosticCatalogue.TildeForEquals,
            reading.Positions.Of token,
            "`~` gives a parameter or a sample its distribution; it neither defines nor equates",
            "write `=`"
        )
    | Some token when token.Type = DeqParser.COLON_EQUAL ->
        reading.Report(
            DiagnosticCatalogue.MisplacedAssignment,
            reading.Positions.Of token,
            "`:=` changes a state in an event; elsewhere nothing is assigned",
            "write `=`"
        )
    | Some _
    | None -> ()

/// `:=` in an action.
let expectAssignment (reading: Reading) context =
    match relationToken context with
    | Some token when token.Type <> DeqParser.COLON_EQUAL ->
        reading.Report(
            DiagnosticCatalogue.EquationInEvent,
            reading.Positions.Of token,
            $"`{token.Text}` holds always; an event changes a state at one time",
            "write `:=`"
        )
    | Some _
    | None -> ()
