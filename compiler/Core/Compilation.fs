namespace DiffEqLang.Compiler

open System
open System.Collections.Generic
open System.Collections.Immutable
open System.Runtime.ExceptionServices
open System.Threading
open DiffEqLang.Contracts
open DiffEqLang.Compiler.Syntax
open DiffEqLang.Compiler.Checking
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Dynamics
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Backends

/// <summary>A mistake of the compiler itself, never of the model.</summary>
[<Sealed>]
type InternalCompilerException(message: string, cause: exn) =
    inherit Exception(message, cause)

module private Running =
    /// Deep trees and long chains of terms recurse: a thread of its own has the room that the caller's may lack.
    let private stackSize = 256 * 1024 * 1024

    let private internalFailure (cause: exn) =
        InternalCompilerException(
            sprintf
                "The compiler failed (%s). This is a mistake in the compiler, not in the model: please report it with the model that caused it."
                (cause.Message.Replace('\n', ' ')),
            cause
        )

    /// Runs a compilation on its own thread and in its own arena.
    let isolated (work: unit -> 'T) : 'T =
        let mutable result = Unchecked.defaultof<'T>
        let mutable failure: exn = null

        let body () =
            try
                result <- Arena.Run work
            with e ->
                failure <- internalFailure e

        let thread = Thread(body, stackSize, Name = "deqc", IsBackground = true)
        thread.Start()
        thread.Join()

        if not (isNull failure) then
            ExceptionDispatchInfo.Throw failure

        result

    let hasErrors (diagnostics: Diagnostic list) =
        diagnostics |> List.exists (fun d -> d.Severity = Severity.Error)

    /// The models of a file, or why there are none.
    let checkedModels (options: CompileOptions) (source: SourceFile) =
        let tree, syntaxErrors = Reader.read source
        let models, errors = Check.models options tree

        // Parts that did not parse are missing from the tree: what is wrong with the rest is told as well.
        let diagnostics = syntaxErrors @ errors
        (if hasErrors diagnostics then [] else models), diagnostics

    /// The model with the method that its caller will solve it by, where that splits: its parts are found for it.
    let private solvedBy (options: CompileOptions) (model: Typed.Model) =
        let choice: Typed.MethodChoice =
            { Name = options.Method; Options = []; Tableau = None; Span = model.Span }

        if not (isNull options.Method) && Methods.splits choice then
            { model with Solve = { model.Solve with Method = Some choice } }
        else
            model

    let outcome (options: CompileOptions) (model: Typed.Model) =
        Pipeline.run options.Validate (Option.ofObj options.DumpAfter) (solvedBy options model)

    /// What is known to be wrong only when the system has been analysed.
    let lateDiagnostics (options: CompileOptions) (model: Dynamics.Model) =
        Pipeline.constraintDiagnostics model
        @ Pipeline.methodDiagnostics model
        @ Simd.Target.diagnostics (Option.ofObj options.Target) model

    /// The class over torch, and where the target says so, the kernels over registers.
    let generate (options: CompileOptions) (system: Dynamics.Model) : GeneratedFile list =
        let source = system.Typed.Source

        let model =
            Passes.Normalize.mapExpressions (Passes.Opposites.share >> Passes.Simplify.run) system

        let face = CSharp.Face.ofModel model

        let file (name: string) (tree: Printing.CSharp.File) =
            let text = CSharpLayout.file options.LineDirectives tree

            let header =
                CSharp.Header.prepend
                    (CSharp.Provenance.fileName source.Path)
                    (CSharp.Header.whole source)
                    text

            GeneratedFile(model.Typed.Name, name, header)

        let isTwiceDifferentiable =
            options.SecondDerivatives
            || model.Typed.Solve.Gradient |> Option.exists (fun gradient -> gradient.Order = 2)

        [ file
              (model.Typed.Name + ".g.cs")
              (Torch.ModelClass.file options.Namespace options.Jacobian isTwiceDifferentiable face)

          match Simd.Target.choose (Option.ofObj options.Target) model with
          | Simd.Target.Simd(kernel, _) ->
              let precision = Simd.Target.precision (Option.ofObj options.Dtype) model

              for width in [ Simd.SimdFile.Portable; Simd.SimdFile.Wide512 ] do
                  file
                      (Simd.SimdFile.fileName model.Typed.Name width)
                      (Simd.SimdFile.file options.Namespace options.Jacobian face kernel precision width)
          | Simd.Target.Torch _ -> () ]

/// <summary>The compiler: from the text of a .deq file to generated code, diagnostics, explanations and values.</summary>
/// <remarks>Every call runs on a thread of its own and shares nothing with others: calls may run at the same time, and
/// the same input gives the same output, byte by byte.</remarks>
[<AbstractClass; Sealed>]
type Compilation private () =

    static let immutable (diagnostics: Diagnostic list) = diagnostics.ToImmutableArray()

    static let single
        (options: CompileOptions)
        (source: SourceFile)
        (use': Check.CheckedModel -> 'T)
        : 'T option * Diagnostic list =
        match Running.checkedModels options source with
        | first :: _, diagnostics -> Some(use' first), diagnostics
        | [], diagnostics -> None, diagnostics

    /// <summary>Decodes a file: UTF-8 with or without a byte-order mark, LF or CRLF.</summary>
    static member Read(path: string, bytes: byte[]) : struct (SourceFile * ImmutableArray<Diagnostic>) =
        match SourceText.decode path bytes with
        | Ok source -> struct (source, ImmutableArray.Empty)
        | Error diagnostic -> struct (null, ImmutableArray.Create diagnostic)

    /// <summary>Generates a class for every model of the file, or for the one that the options name.</summary>
    /// <exception cref="T:DiffEqLang.Compiler.InternalCompilerException">A mistake in the compiler.</exception>
    static member Compile(source: SourceFile, options: CompileOptions) : CompileResult =
        Running.isolated (fun () ->
            let models, diagnostics = Running.checkedModels options source
            let outcomes = models |> List.map (fun m -> Running.outcome options m.Model)

            let diagnostics =
                diagnostics
                @ (outcomes |> List.collect (fun o -> Running.lateDiagnostics options o.Model))

            let files =
                if Running.hasErrors diagnostics then
                    []
                else
                    outcomes |> List.collect (fun o -> Running.generate options o.Model)

            let dump = outcomes |> List.choose _.Dump |> String.concat "\n"

            CompileResult(
                files.ToImmutableArray(),
                immutable diagnostics,
                Dump = (if dump = "" then null else dump)
            ))

    /// <summary>Everything that is wrong with the file.</summary>
    static member Check(source: SourceFile) : ImmutableArray<Diagnostic> =
        Running.isolated (fun () ->
            let models, diagnostics = Running.checkedModels (CompileOptions()) source

            let options = CompileOptions()

            let late =
                models
                |> List.collect (fun m ->
                    (Running.outcome options m.Model).Model |> Running.lateDiagnostics options)

            immutable (diagnostics @ late))

    /// <summary>The passes, in their order: what <see cref="P:DiffEqLang.Contracts.CompileOptions.DumpAfter"/> takes.</summary>
    static member PassNames: IReadOnlyList<string> = Pipeline.passNames

    /// <summary>The names of the file's models, in their order; those that can be read, where it has errors.</summary>
    static member ModelNames(source: SourceFile) : IReadOnlyList<string> =
        Running.isolated (fun () ->
            let tree, _ = Reader.read source

            [ for item in tree.Items do
                  match item with
                  | Tree.Model m -> m.Name.Name
                  | Tree.Derived(_, name, _, _, _) -> name.Name
                  | Tree.Import _
                  | Tree.Shared _ -> () ])

    /// <summary>The names of the file's dims: what <see cref="P:DiffEqLang.Contracts.CompileOptions.Dims"/> may set.</summary>
    static member DimNames(source: SourceFile) : IReadOnlyList<string> =
        Running.isolated (fun () ->
            let tree, _ = Reader.read source

            let declarations =
                tree.Items
                |> List.collect (fun item ->
                    match item with
                    | Tree.Model m -> m.Declarations
                    | Tree.Shared declaration -> [ declaration ]
                    | Tree.Derived _
                    | Tree.Import _ -> [])

            declarations
            |> List.choose (fun declaration ->
                match declaration.Kind with
                | Tree.Dim(name, _) -> Some name.Name
                | _ -> None)
            |> List.distinct
            :> IReadOnlyList<string>)

    /// <summary>The files that the file names in <c>rk("file.json")</c>, as it writes them: the caller reads them and gives their texts in
    /// <see cref="P:DiffEqLang.Contracts.SourceFile.Files"/>. The compiler opens no file.</summary>
    static member FilesNamed(source: SourceFile) : IReadOnlyList<string> =
        Running.isolated (fun () ->
            let tree, _ = Reader.read source

            tree.Items
            |> List.collect (fun item ->
                match item with
                | Tree.Model m -> m.Declarations
                | Tree.Shared _
                | Tree.Derived _
                | Tree.Import _ -> [])
            |> List.collect (fun declaration ->
                match declaration.Kind with
                | Tree.Solve settings -> SolveBlock.filesNamed settings
                | _ -> [])
            |> List.distinct
            :> IReadOnlyList<string>)

    /// <summary>The parameters that start at random values, which the runtime draws: what a caller of
    /// <see cref="M:DiffEqLang.Compiler.Compilation.Evaluate"/> has to set. None where the file has errors.</summary>
    static member RandomParameterNames(source: SourceFile, model: string) : IReadOnlyList<string> =
        Running.isolated (fun () ->
            let names (m: Check.CheckedModel) =
                m.Model.Parameters
                |> List.filter (fun p -> not p.Initializer.IsValue)
                |> List.map _.Symbol.Name

            single (CompileOptions(Model = model)) source names |> fst |> Option.defaultValue []
            :> IReadOnlyList<string>)

    /// <summary>The file in its canonical layout; no text where it does not parse.</summary>
    static member Format(source: SourceFile) : struct (string * ImmutableArray<Diagnostic>) =
        Running.isolated (fun () ->
            let tree, diagnostics = Reader.read source
            let text = if Running.hasErrors diagnostics then null else Printer.print tree
            struct (text, immutable diagnostics))

    /// <summary>The formats of <see cref="M:DiffEqLang.Compiler.Compilation.Explain"/>.</summary>
    static member ExplainFormats: IReadOnlyList<string> = [ "text"; "markdown"; "latex"; "json" ]

    /// <summary>Writes about every model of the file, or one of them: its first-order system, Jacobian, adjoint and
    /// noise. No text where it has errors.</summary>
    static member Explain
        (source: SourceFile, model: string, format: string)
        : struct (string * ImmutableArray<Diagnostic>) =
        let write =
            match format with
            | "text" -> Explain.Terminal.write
            | "markdown" -> Explain.Markdown.write
            | "latex" -> Explain.LatexFragment.write
            | "json" -> Explain.Json.write
            | other -> invalidArg (nameof format) (sprintf "There is no format %s." other)

        Running.isolated (fun () ->
            let options = CompileOptions(Model = model)
            let models, diagnostics = Running.checkedModels options source

            let text =
                models
                |> List.map (fun m ->
                    (Running.outcome options m.Model).Model |> Explain.Explanation.ofModel |> write)
                |> String.concat "\n"

            struct ((if Running.hasErrors diagnostics then null else text), immutable diagnostics))

    /// <summary>The value of an output, or of any expression in the model's scope, by the reference interpreter in
    /// float64. Settings are values by name, as shape and row-major elements: parameters, constants, open dims, states
    /// and <c>t</c>. What is not set has its declared value; a random parameter has none.</summary>
    /// <returns>Shape and elements; null where the diagnostics say why.</returns>
    /// <exception cref="T:System.ArgumentException">A value is missing or has another shape.</exception>
    static member Evaluate
        (
            source: SourceFile,
            model: string,
            expression: string,
            settings: IReadOnlyDictionary<string, struct (int64[] * float[])>
        ) : struct (int64[] * float[] * ImmutableArray<Diagnostic>) =
        let work () : Result<struct (int64[] * float[] * ImmutableArray<Diagnostic>), ArgumentException> =
            let options = CompileOptions(Model = model)

            let value (checkedModel: Check.CheckedModel) =
                match checkedModel.Model.Outputs |> List.tryFind (fun o -> o.Name = expression) with
                | Some output -> Ok output.Value
                | None ->
                    let text = SourceFile("expression", expression)
                    let tree, errors = Reader.readExpression text

                    if Running.hasErrors errors then
                        Error errors
                    else
                        Check.expression checkedModel text tree

            match single options source (fun m -> m, value m) with
            | Some(m, Ok e), diagnostics ->
                try
                    let values = DeclaredValues.DeclaredValues(m.Model, settings)

                    let result =
                        Passes.Differentiate.expand [ e ] |> Evaluate.run values.Of values.Dims |> List.head

                    Ok(struct (Array.map int64 result.Shape, result.Data, immutable diagnostics))
                with :? ArgumentException as refused ->
                    Error refused
            | Some(_, Error errors), diagnostics -> Ok(struct (null, null, immutable (diagnostics @ errors)))
            | None, diagnostics -> Ok(struct (null, null, immutable diagnostics))

        match Running.isolated work with
        | Ok result -> result
        | Error refused -> raise refused

    /// <summary>What a generated file's header says, against what it holds: the hash of the source it was made from,
    /// and whether it was edited since. Null where deqc did not write it.</summary>
    static member ReadHeader(generated: string) : GeneratedHeader =
        match CSharp.Header.tryRead generated with
        | Some(struct (source, stated, actual)) -> GeneratedHeader(source, (stated <> actual))
        | None -> null

    /// <summary>The hash of a model's text as headers state it.</summary>
    static member SourceHash(source: SourceFile) : string = CSharp.Header.sha256 (CSharp.Header.whole source)

/// <summary>What the header of a generated file tells.</summary>
and [<Sealed; AllowNullLiteral>] GeneratedHeader(sourceHash: string, isEdited: bool) =
    /// <summary>The hash of the source that the file was made from.</summary>
    member _.SourceHash = sourceHash

    /// <summary>Whether the content differs from what was written.</summary>
    member _.IsEdited = isEdited
