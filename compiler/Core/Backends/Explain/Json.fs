/// An explanation as JSON, for programs.
module internal DiffEqLang.Compiler.Backends.Explain.Json

open System.IO
open System.Text
open System.Text.Encodings.Web
open System.Text.Json
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dynamics
open DiffEqLang.Compiler.Backends.Explain.Explanation
open DiffEqLang.Compiler.Backends.Explain.FormulaLine
open DiffEqLang.Compiler.Backends.Explain.Notation

let private writeFormulas
    (json: Utf8JsonWriter)
    (x: Explanation)
    (property: string)
    results
    (formulas: Formula list)
    =
    json.WriteStartArray property

    for f in formulas do
        json.WriteStartObject()
        json.WriteString("left", f.Left)
        json.WriteString("text", (if results then plainResult x f else plainRight x f))
        json.WriteString("latex", (if results then latexResult x f else latexRight x f))
        json.WriteEndObject()

    json.WriteEndArray()

let write (x: Explanation) : string =
    use buffer = new MemoryStream()

    let options =
        JsonWriterOptions(Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping)

    (use json = new Utf8JsonWriter(buffer, options)
     json.WriteStartObject()
     json.WriteString("model", x.Model.Typed.Name)
     json.WriteString("doc", x.Model.Typed.Doc)
     json.WriteStartArray "symbols"

     for r in x.Rows do
         json.WriteStartObject()
         json.WriteString("kind", r.Kind)
         json.WriteString("name", r.Name)
         json.WriteString("type", r.Type)
         json.WriteString("value", r.Value)
         json.WriteString("doc", r.Doc)
         json.WriteEndObject()

     json.WriteEndArray()
     writeFormulas json x "equations" true x.Equations
     writeFormulas json x "terms" false x.Terms
     json.WriteStartArray "jacobian"

     for i, j, f in x.Jacobian do
         json.WriteStartObject()
         json.WriteString("row", x.Model.Components[i].Symbol.Name)
         json.WriteString("column", x.Model.Components[j].Symbol.Name)
         json.WriteString("text", plainResult x f)
         json.WriteString("latex", latexResult x f)
         json.WriteEndObject()

     json.WriteEndArray()
     writeFormulas json x "adjoint" true x.Adjoint
     writeFormulas json x "gradients" true x.Gradients

     match x.Model.Noise with
     | Some noise ->
         json.WriteStartObject "noise"
         json.WriteString("calculus", calculusName noise.Calculus)
         json.WriteString("structure", noiseName noise.Structure)
         json.WriteString("reason", noise.Reason)
         json.WriteEndObject()
     | None -> json.WriteNull "noise"

     x.Correction
     |> Option.iter (fun (_, formulas) -> writeFormulas json x "otherCalculus" true formulas)

     json.WriteStartObject "solve"

     for name, value in solveLines x.Model.Typed.Solve do
         json.WriteString(name, value)

     json.WriteEndObject()
     json.WriteEndObject())

    Encoding.UTF8.GetString(buffer.ToArray()).Replace("\r\n", "\n") + "\n"
