/// What `deqc explain` says about a model: the system that is solved, its Jacobian and adjoint, what kind of noise it
/// has and why, and the other calculus' drift.
module internal DiffEqLang.Compiler.Backends.Latex.Explain

open System.Collections.Generic
open System.IO
open System.Text
open System.Text.Encodings.Web
open System.Text.Json
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Typed
open DiffEqLang.Compiler.Ir.Dynamics
open DiffEqLang.Compiler.Passes

/// A left side and what it equals; both as the notations write them.
type Formula = { Left: string; LeftLatex: string; Right: Expr }

type Row = { Kind: string; Name: string; Type: string; Value: string; Doc: string }

/// The content, before any notation.
type Explanation =
    {
        Model: Dynamics.Model
        Rows: Row list
        /// Shared terms, by node.
        Names: IReadOnlyDictionary<Expr, string>
        Terms: Formula list
        Equations: Formula list
        /// Blocks of the Jacobian that are not zero, by row and column.
        Jacobian: (int * int * Formula) list
        Adjoint: Formula list
        Gradients: Formula list
        Correction: (string * Formula list) option
    }

/// A system of more scalars than this has its Jacobian's pattern counted, not shown.
let private mostShown = 32

/// A shared term longer than this is given a name instead of being written again.
let private longestRepeated = 24

let private initializerText (i: Initializer) =
    match i with
    | Value e -> Plain.plainWith (fun _ -> None) e
    | Normal(mean, deviation) -> sprintf "~ normal(%s, %s)" (Plain.number mean) (Plain.number deviation)
    | Uniform(low, high) -> sprintf "~ uniform(%s, %s)" (Plain.number low) (Plain.number high)
    | XavierUniform -> "~ xavier_uniform"
    | XavierNormal -> "~ xavier_normal"
    | KaimingUniform -> "~ kaiming_uniform"
    | KaimingNormal -> "~ kaiming_normal"
    | Orthogonal -> "~ orthogonal"
    | LinearDefault fanIn -> sprintf "~ uniform(-1/sqrt(%O), 1/sqrt(%O))" fanIn fanIn

let private bound x =
    if System.Double.IsPositiveInfinity x then "inf"
    elif System.Double.IsNegativeInfinity x then "-inf"
    else Plain.number x

let private row kind (s: Symbol) value (doc: string) =
    { Kind = kind
      Name = s.Name
      Type = Shape.print s.Shape
      Value = value
      Doc = doc.Replace('\n', ' ') }

let private rows (model: Dynamics.Model) =
    let typed = model.Typed
    let plain e = Plain.plainWith (fun _ -> None) e

    [ for c in model.Components do
          row "state" c.Symbol (c.Initial |> Option.map plain |> Option.defaultValue "") c.Doc
      for p in typed.Parameters do
          let within =
              p.Bounds
              |> Option.map (fun b -> sprintf " in (%s, %s)" (bound b.Low) (bound b.High))
              |> Option.defaultValue ""

          row "param" p.Symbol (initializerText p.Initializer + within) p.Doc
      for c in typed.Constants do
          row "const" c.Symbol (plain c.Value) c.Doc
      for w in typed.Wiener do
          let correlated = if w.Correlation.IsSome then "correlated" else ""
          row "wiener" { w.Increment with Name = w.Name } correlated "" ]

let private formula left latex right = { Left = left; LeftLatex = latex; Right = right }

let private differential (s: Symbol) = sprintf @"\mathrm{d}%s" (Formula.name s.Name)

let private equations (model: Dynamics.Model) =
    [ for c in model.Components do
          match model.Noise with
          | None ->
              formula
                  (sprintf "d%s/dt" c.Symbol.Name)
                  (sprintf @"\frac{%s}{\mathrm{d}t}" (differential c.Symbol))
                  c.Drift
          | Some _ ->
              formula
                  (sprintf "drift of %s" c.Symbol.Name)
                  (sprintf @"f_{%s}" (Formula.name c.Symbol.Name))
                  c.Drift

              if not (Build.isZero c.Diffusion) then
                  formula
                      (sprintf "noise of %s" c.Symbol.Name)
                      (sprintf @"(g\,\mathrm{d}W)_{%s}" (Formula.name c.Symbol.Name))
                      c.Diffusion ]

let private jacobian (components: Component list) =
    let scalars = components |> List.forall _.Symbol.Shape.IsEmpty

    let left (row: Component) (column: Component) right =
        formula
            (sprintf "d(d%s/dt)/d%s" row.Symbol.Name column.Symbol.Name)
            (sprintf
                @"\frac{\partial f_{%s}}{\partial %s}"
                (Formula.name row.Symbol.Name)
                (Formula.name column.Symbol.Name))
            right

    if scalars then
        Derivatives.sparseJacobian components
        |> List.map (fun e -> e.Row, e.Column, left components[e.Row] components[e.Column] e.Value)
    else
        let places =
            [ for i, row in List.indexed components do
                  for j, column in List.indexed components do
                      i, j, Build.derivative Jacobian row.Drift (Build.input column.Symbol) None ]

        let values = places |> List.map (fun (_, _, e) -> e) |> Differentiate.expand |> Simplify.run

        List.zip places values
        |> List.filter (snd >> Build.isZero >> not)
        |> List.map (fun ((i, j, _), value) -> i, j, left components[i] components[j] value)

/// λ' = -(∂f/∂x)ᵀ λ and dL/dθ = ∫ (∂f/∂θ)ᵀ λ dt, by the same vector-Jacobian product that generated code has.
let private adjoint (model: Dynamics.Model) =
    let components = model.Components
    let parameters = model.Typed.Parameters |> List.map _.Symbol
    let product = Derivatives.vjp components (components |> List.map _.Drift) parameters
    let negative = product.States |> List.map Build.neg |> Simplify.run

    let states =
        List.map2
            (fun (c: Component) e ->
                formula
                    (sprintf "dλ_%s/dt" c.Symbol.Name)
                    (sprintf @"\frac{\mathrm{d}\lambda_{%s}}{\mathrm{d}t}" (Formula.name c.Symbol.Name))
                    e)
            components
            negative

    let gradients =
        List.zip parameters product.Parameters
        |> List.filter (snd >> Build.isZero >> not)
        |> List.map (fun (p, e) ->
            formula
                (sprintf "integrand of dL/d%s" p.Name)
                (sprintf
                    @"\frac{\mathrm{d}}{\mathrm{d}t}\frac{\partial L}{\partial %s}"
                    (Formula.name p.Name))
                e)

    // Shown as λ: the cotangent of the state.
    let names =
        List.zip product.Cotangents components
        |> List.map (fun (w, c) -> Build.input w, "λ_" + c.Symbol.Name)

    states, gradients, names

let private correction (model: Dynamics.Model) =
    model.Noise
    |> Option.map (fun noise ->
        let derivatives = Derivatives.ofNoise noise model.Components

        let combine =
            match noise.Calculus with
            | Ito -> Build.sub
            | Stratonovich -> Build.add

        let title =
            match noise.Calculus with
            | Ito -> "Stratonovich"
            | Stratonovich -> "Itô"

        let drifts =
            List.map2 (fun (c: Component) e -> combine c.Drift e) model.Components derivatives.ItoCorrection
            |> Simplify.run

        title,
        List.map2
            (fun (c: Component) e ->
                formula
                    (sprintf "%s drift of %s" title c.Symbol.Name)
                    (sprintf @"\tilde f_{%s}" (Formula.name c.Symbol.Name))
                    e)
            model.Components
            drifts)

let explain (model: Dynamics.Model) : Explanation =
    let equations = equations model
    let jacobian = jacobian model.Components
    let adjoint, gradients, cotangents = adjoint model
    let correction = correction model

    let all =
        (equations |> List.map _.Right)
        @ (jacobian |> List.map (fun (_, _, f) -> f.Right))
        @ (adjoint @ gradients |> List.map _.Right)
        @ (correction |> Option.map (snd >> List.map _.Right) |> Option.defaultValue [])

    let inputs = Expr.inputs all |> List.map _.Name

    let program =
        all |> List.mapi (fun i e -> string i, e) |> Schedule.schedule inputs model.Typed.Name []

    let names = Dictionary<Expr, string>(HashIdentity.Reference)

    for node, name in cotangents do
        names[node] <- name

    let plain (e: Expr) (node: Expr) =
        match names.TryGetValue node with
        | true, name when node <> e -> Some name
        | _ -> None

    // Code names everything that it would compute twice; a reader is helped by the user's names and by short lines.
    let terms =
        program.Bindings
        |> List.filter (fun b ->
            let isNamed = b.Origin |> Option.exists _.Name.IsSome
            let isLong = (Plain.plainWith (plain b.Value) b.Value).Length > longestRepeated

            if isNamed || isLong then
                names[b.Value] <- b.Name

            isNamed || isLong)

    { Model = model
      Rows = rows model
      Names = names
      Terms = terms |> List.map (fun b -> formula b.Name (Formula.name b.Name) b.Value)
      Equations = equations
      Jacobian = jacobian
      Adjoint = adjoint
      Gradients = gradients
      Correction = correction }

// Notations

let private nameOf (x: Explanation) (e: Expr) =
    match x.Names.TryGetValue e with
    | true, name -> Some name
    | _ -> None

/// A term's own line shows what it is, not its name.
let private definition (x: Explanation) (e: Expr) (node: Expr) = if node = e then None else nameOf x node

let private plainRight x (f: Formula) = Plain.plainWith (definition x f.Right) f.Right

let private lambda (name: string) =
    if name.StartsWith "λ_" then
        sprintf @"\lambda_{%s}" (Formula.name (name.Substring 2))
    else
        Formula.name name

let private latexRight x (f: Formula) = Formula.latexWith (definition x f.Right >> Option.map lambda) f.Right

/// An equation whose right side has been given a name says that name.
let private isTerm x (f: Formula) = (nameOf x f.Right).IsSome

let private plainResult x (f: Formula) = if isTerm x f then (nameOf x f.Right).Value else plainRight x f

let private latexResult x (f: Formula) =
    if isTerm x f then lambda (nameOf x f.Right).Value else latexRight x f

/// Rows and columns with a mark where an entry is not zero.
let private pattern (x: Explanation) =
    let n = x.Model.Components.Length
    let filled = HashSet(x.Jacobian |> List.map (fun (i, j, _) -> struct (i, j)))

    if n > mostShown then
        []
    else
        [ for i in 0 .. n - 1 ->
              String.concat " " [ for j in 0 .. n - 1 -> if filled.Contains(struct (i, j)) then "×" else "·" ] ]

let private sparsity (x: Explanation) =
    let n = x.Model.Components.Length
    sprintf "%d of %d blocks are not zero" x.Jacobian.Length (n * n)

let private noiseName (s: NoiseStructure) =
    match s with
    | Additive -> "additive"
    | NoiseStructure.Diagonal -> "diagonal"
    | Scalar -> "scalar"
    | Commutative -> "commutative"
    | General -> "general"

let private calculusName (c: Calculus) =
    match c with
    | Ito -> "Itô"
    | Stratonovich -> "Stratonovich"

let private solveLines (block: SolveBlock) =
    let option (name, value) =
        match value with
        | Real v -> sprintf "%s = %s" name (Plain.number v)
        | Word w -> sprintf "%s = %s" name w

    let methodText (m: MethodChoice) =
        if m.Options.IsEmpty then
            m.Name
        else
            sprintf "%s(%s)" m.Name (m.Options |> List.map option |> String.concat ", ")

    [ match block.Start, block.End with
      | Some a, Some b -> "t", sprintf "%s .. %s" (Plain.number a) (Plain.number b)
      | _ -> ()
      yield! block.Method |> Option.map (fun m -> "method", methodText m) |> Option.toList
      yield! block.Gradient |> Option.map (fun g -> "gradient", g) |> Option.toList
      yield! block.Target |> Option.map (fun v -> "target", v) |> Option.toList
      yield! block.Device |> Option.map (fun v -> "device", v) |> Option.toList
      yield! block.Dtype |> Option.map (fun v -> "dtype", v) |> Option.toList ]

let private jacobianFormulas (x: Explanation) =
    if x.Model.Components.Length > mostShown then
        []
    else
        x.Jacobian |> List.map (fun (_, _, f) -> f)

/// A title that says that the noise's own products come on top, where there is noise.
let private ofDrift (x: Explanation) title =
    match x.Model.Noise with
    | Some _ -> title + ": the drift's part"
    | None -> title

/// For a terminal.
let text (x: Explanation) : string =
    let out = StringBuilder()
    let line (s: string) = out.Append(s.TrimEnd()).Append('\n') |> ignore

    let section title (formulas: Formula list) =
        if not formulas.IsEmpty then
            line ""
            line title

            for f in formulas do
                line (sprintf "  %s = %s" f.Left (plainResult x f))

    line (sprintf "model %s" x.Model.Typed.Name)

    if x.Model.Typed.Doc <> "" then
        line ("  " + x.Model.Typed.Doc.Replace("\n", "\n  "))

    line ""
    let width f = x.Rows |> List.map (f >> String.length) |> List.fold max 0

    for r in x.Rows do
        line (
            sprintf
                "  %s %s : %s  %s  %s"
                (r.Kind.PadRight(width _.Kind))
                (r.Name.PadRight(width _.Name))
                (r.Type.PadRight(width _.Type))
                (r.Value.PadRight(width _.Value))
                r.Doc
        )

    section "Equations" x.Equations

    if not x.Terms.IsEmpty then
        line ""
        line "Shared terms"

        for f in x.Terms do
            line (sprintf "  %s = %s" f.Left (plainRight x f))

    section (sprintf "Jacobian (%s)" (sparsity x)) (jacobianFormulas x)

    for row in pattern x do
        line ("  " + row)

    section (ofDrift x "Adjoint") x.Adjoint
    section (ofDrift x "Gradients, integrated over the solve") x.Gradients

    match x.Model.Noise with
    | Some noise ->
        line ""

        line (
            sprintf "Noise: %s, %s. %s" (calculusName noise.Calculus) (noiseName noise.Structure) noise.Reason
        )
    | None -> ()

    match x.Correction with
    | Some(title, formulas) -> section (sprintf "The same process in the sense of %s" title) formulas
    | None -> ()

    match solveLines x.Model.Typed.Solve with
    | [] -> ()
    | settings ->
        line ""
        line "Solve"

        for name, value in settings do
            line (sprintf "  %s = %s" name value)

    out.ToString()

/// Lines of an `aligned` block.
let private alignedLines (lines: string list) =
    [ @"\begin{aligned}" ] @ (lines |> List.map (fun l -> l + @" \\")) @ [ @"\end{aligned}" ]

let private mathLines x results (formulas: Formula list) =
    formulas
    |> List.map (fun f ->
        sprintf "%s &= %s" f.LeftLatex (if results then latexResult x f else latexRight x f))

/// Sections as title, introduction and formulas: what Markdown and LaTeX share.
let private sections (x: Explanation) : (string * string * string list) list =
    [ "Equations", "", mathLines x true x.Equations
      if not x.Terms.IsEmpty then
          "Shared terms", "What is used more than once, here and below.", mathLines x false x.Terms
      "Jacobian", sprintf "%s." (sparsity x), mathLines x true (jacobianFormulas x)
      ofDrift x "Adjoint",
      "The cotangent of the state runs backwards from the loss.",
      mathLines x true x.Adjoint
      if not x.Gradients.IsEmpty then
          ofDrift x "Gradients",
          "Integrated over the solve, summed over the batch.",
          mathLines x true x.Gradients
      match x.Model.Noise with
      | Some noise ->
          "Noise",
          sprintf
              "%s noise, in the sense of %s. %s"
              (Naming.capitalized (noiseName noise.Structure))
              (calculusName noise.Calculus)
              noise.Reason,
          []
      | None -> ()
      match x.Correction with
      | Some(title, formulas) ->
          sprintf "In the sense of %s" title,
          "The drift of the same process in the other calculus.",
          mathLines x true formulas
      | None -> () ]

let private cell (text: string) = text.Replace("|", "\\|")

let markdown (x: Explanation) : string =
    let out = StringBuilder()
    let line (s: string) = out.Append(s).Append('\n') |> ignore

    line (sprintf "# %s" x.Model.Typed.Name)

    if x.Model.Typed.Doc <> "" then
        line ""
        line x.Model.Typed.Doc

    line ""
    line "| | name | type | value | |"
    line "| --- | --- | --- | --- | --- |"

    for r in x.Rows do
        let value = if r.Value = "" then "" else sprintf "`%s`" r.Value

        line (
            sprintf
                "| %s | $%s$ | `%s` | %s | %s |"
                r.Kind
                (Formula.name r.Name)
                r.Type
                (cell value)
                (cell r.Doc)
        )

    for title, introduction, formulas in sections x do
        line ""
        line (sprintf "## %s" title)

        if introduction <> "" then
            line ""
            line introduction

        if title = "Jacobian" && not (pattern x).IsEmpty then
            line ""
            line "```text"
            List.iter line (pattern x)
            line "```"

        if not formulas.IsEmpty then
            line ""
            line "$$"
            List.iter line (alignedLines formulas)
            line "$$"

    match solveLines x.Model.Typed.Solve with
    | [] -> ()
    | settings ->
        line ""
        line "## Solve"
        line ""
        line "| setting | value |"
        line "| --- | --- |"

        for name, value in settings do
            line (sprintf "| %s | `%s` |" name value)

    out.ToString()

let private escapeText (text: string) =
    text.Replace("_", @"\_").Replace("%", @"\%").Replace("&", @"\&").Replace("#", @"\#")

/// A fragment for a document that loads amsmath.
let latex (x: Explanation) : string =
    let out = StringBuilder()
    let line (s: string) = out.Append(s).Append('\n') |> ignore
    line (sprintf @"\section*{%s}" (escapeText x.Model.Typed.Name))

    if x.Model.Typed.Doc <> "" then
        line (escapeText x.Model.Typed.Doc)

    for title, introduction, formulas in sections x do
        line (sprintf @"\subsection*{%s}" title)

        if introduction <> "" then
            line (escapeText introduction)

        if not formulas.IsEmpty then
            line @"\begin{align*}"
            formulas |> List.map (fun f -> f + @" \\") |> List.iter line
            line @"\end{align*}"

    out.ToString()

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

let json (x: Explanation) : string =
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
