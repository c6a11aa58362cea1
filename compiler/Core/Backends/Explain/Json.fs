/// An explanation as JSON, for programs.
module internal DiffEqLang.Compiler.Backends.Explain.Json

open System.IO
open System.Text
open System.Text.Encodings.Web
open System.Text.Json
open DiffEqLang.Compiler.Ir.Typed
open DiffEqLang.Compiler.Ir.Dynamics
open DiffEqLang.Compiler.Backends.Explain.Declarations
open DiffEqLang.Compiler.Backends.Explain.Explanation
open DiffEqLang.Compiler.Backends.Explain.FormulaLine
open DiffEqLang.Compiler.Backends.Explain.Notation

let private object (json: Utf8JsonWriter) (properties: (string * string) list) =
    json.WriteStartObject()

    for name, value in properties do
        json.WriteString(name, value)

    json.WriteEndObject()

let private array (json: Utf8JsonWriter) (property: string) (items: (string * string) list list) =
    json.WriteStartArray property
    List.iter (object json) items
    json.WriteEndArray()

let private symbol (r: Row) =
    [ "kind", r.Kind; "name", r.Name; "type", r.Type; "value", r.Value; "doc", r.Doc ]

let private result x (f: Formula) = [ "left", f.Left; "text", plainResult x f; "latex", latexResult x f ]
let private term x (f: Formula) = [ "left", f.Left; "text", plainRight x f; "latex", latexRight x f ]

let private entry (x: Explanation) (row: int, column: int, f: Formula) =
    [ "row", x.Model.Components[row].Symbol.Name
      "column", x.Model.Components[column].Symbol.Name
      "text", plainResult x f
      "latex", latexResult x f ]

let private noise (json: Utf8JsonWriter) (x: Explanation) =
    match x.Model.Noise with
    | None -> json.WriteNull "noise"
    | Some noise ->
        json.WritePropertyName "noise"

        object
            json
            [ "calculus", calculusName noise.Calculus
              "adjointCalculus", calculusName Stratonovich
              "structure", noiseName noise.Structure
              "reason", noise.Reason ]

let private events (json: Utf8JsonWriter) (x: Explanation) =
    json.WriteStartArray "events"

    for event, formulas in x.Events do
        json.WriteStartObject()
        json.WriteString("event", event.Decl.Name)
        json.WriteBoolean("stops", event.Decl.Stops)
        formulas |> List.map (result x) |> array json "formulas"
        json.WriteEndObject()

    json.WriteEndArray()

let private content (json: Utf8JsonWriter) (x: Explanation) =
    json.WriteStartObject()
    json.WriteString("model", x.Model.Typed.Name)
    json.WriteString("doc", x.Model.Typed.Doc)
    x.Rows |> List.map symbol |> array json "symbols"
    x.Equations |> List.map (result x) |> array json "equations"
    x.Stiff |> List.map (result x) |> array json "stiff"
    events json x
    x.Terms |> List.map (term x) |> array json "terms"
    x.Jacobian |> List.map (entry x) |> array json "jacobian"
    x.Adjoint.States |> List.map (result x) |> array json "adjoint"
    x.Adjoint.Gradients |> List.map (result x) |> array json "gradients"
    noise json x

    match x.OtherDrift with
    | Some(_, formulas) -> formulas |> List.map (result x) |> array json "otherCalculus"
    | None -> ()

    json.WritePropertyName "target"
    let name, reason = target x
    object json [ "name", name; "reason", reason ]
    json.WritePropertyName "solve"
    object json (solveLines x.Model.Typed.Solve)
    json.WriteEndObject()

let write (x: Explanation) : string =
    use buffer = new MemoryStream()

    let options =
        JsonWriterOptions(Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping)

    (use json = new Utf8JsonWriter(buffer, options)
     content json x)

    Encoding.UTF8.GetString(buffer.ToArray()).Replace("\r\n", "\n") + "\n"
