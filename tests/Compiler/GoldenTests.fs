/// Models and the code that they become, in one file each: `tests/golden/NAME.golden`. To accept what the compiler
/// writes now, run the tests with the environment variable ACCEPT_GOLDENS=1 and look at the difference in git.
module DiffEqLang.Tests.Compiler.GoldenTests

open System
open System.IO
open System.Reflection
open System.Threading.Tasks
open Expecto
open DiffEqLang.Contracts
open DiffEqLang.Compiler
open DiffEqLang.Runtime
open DiffEqLang.Tests.Support
open DiffEqLang.Tests.Support.Prelude

let private folder = Path.Combine(repositoryRoot, "tests", "golden")
let private accepts = Environment.GetEnvironmentVariable "ACCEPT_GOLDENS" = "1"
let private mark = "==== "

type Golden = { File: string; Source: SourceFile; Generated: string }

let private read (file: string) =
    let text = File.ReadAllText file
    let headings = text.Split(mark, StringSplitOptions.RemoveEmptyEntries)

    let section (text: string) =
        let cut = text.IndexOf '\n'
        text.Substring(0, cut).Trim(), text.Substring(cut + 1)

    let name, source = section headings[0]

    { File = file
      Source = SourceFile(name, source)
      Generated = (if headings.Length > 1 then snd (section headings[1]) else "") }

let internal goldens =
    lazy (Directory.GetFiles(folder, "*.golden") |> Array.sort |> Array.map read |> Array.toList)

let private options =
    CompileOptions(Namespace = "DiffEqLang.Goldens", Jacobian = true, Validate = true)

let internal generate (golden: Golden) =
    let result = Compilation.Compile(golden.Source, options)
    Expect.isEmpty result.Diagnostics (golden.Source.Path + " has no diagnostics")
    result.Files[0]

let private accept (golden: Golden) (generated: GeneratedFile) =
    let text =
        sprintf
            "%s%s\n%s%s%s\n%s"
            mark
            golden.Source.Path
            golden.Source.Text
            mark
            generated.FileName
            generated.Text

    File.WriteAllText(golden.File, text)

let private asAccepted (golden: Golden) =
    test (Path.GetFileNameWithoutExtension golden.File) {
        let generated = generate golden

        if accepts then
            accept golden generated

        else
            Expect.equal generated.Text golden.Generated "the same as accepted (ACCEPT_GOLDENS=1 accepts it)"
    }

// The text

let private ring n =
    let equations =
        [ for i in 0 .. n - 1 ->
              sprintf "  dx%d/dt = sin(x%d - x%d) + k*x%d*x%d" i ((i + 1) % n) i i ((i + n - 1) % n) ]

    let states = String.Join(", ", [ for i in 0 .. n - 1 -> sprintf "x%d" i ])

    SourceFile(
        "ring.deq",
        sprintf "model Ring {\n  state %s\n  param k = 0.1\n%s\n}\n" states (String.concat "\n" equations)
    )

let private text =
    testList
        "text"
        [ test "there are at least twelve" { Expect.isGreaterThanOrEqual goldens.Value.Length 12 "" }
          test "the same on every run and on every thread" {
              let once () = goldens.Value |> List.map (generate >> _.Text)
              let first = once ()
              let others = Task.WhenAll [ for _ in 1..3 -> Task.Run once ]
              Expect.all others.Result ((=) first) ""
          }
          test "no line but a comment is wider than a page" {
              for golden in goldens.Value do
                  for line in (generate golden).Text.Split '\n' do
                      let code =
                          match line.IndexOf "//" with
                          | -1 -> line
                          | at -> line.Substring(0, at)

                      Expect.isLessThanOrEqual (code.TrimEnd().Length) 120 line
          }
          test "a header knows its source and whether the file was edited" {
              let golden = goldens.Value.Head
              let text = (generate golden).Text
              let header = Compilation.ReadHeader text
              Expect.equal header.SourceHash (Compilation.SourceHash golden.Source) ""
              Expect.isFalse header.IsEdited "as written"

              Expect.isFalse
                  (Compilation.ReadHeader(text.Replace("\n", "\r\n"))).IsEdited
                  "line ends are no edit"

              Expect.isTrue (Compilation.ReadHeader(text.Replace("return", "return "))).IsEdited "edited"
              Expect.isNull (Compilation.ReadHeader "public class C;") "not ours"
          }
          test "two thousand equations with their sparse Jacobian" {
              let result = Compilation.Compile(ring 2_000, CompileOptions(Jacobian = true))
              Expect.isEmpty result.Diagnostics ""
              Expect.stringContains result.Files[0].Text "[..., 6000]" "three entries a row"
          } ]

/// What a class inherits that a member of a derived class would hide, or whose meaning it would change.
let private inheritedBy (type': Type) =
    let all =
        BindingFlags.Instance
        ||| BindingFlags.Static
        ||| BindingFlags.Public
        ||| BindingFlags.NonPublic
        ||| BindingFlags.FlattenHierarchy

    type'.GetMembers all
    |> Seq.filter (fun m ->
        match m with
        | :? MethodBase as m -> not m.IsSpecialName && (m.IsPublic || m.IsFamily || m.IsFamilyOrAssembly)
        | :? FieldInfo as f -> f.IsPublic || f.IsFamily
        | _ -> true)
    |> Seq.map _.Name
    |> Seq.filter (fun name -> Char.IsLetter name[0])
    |> Seq.distinct
    |> Seq.sort
    |> Seq.toList

let private knows (known: string seq) (types: Type list) =
    let unknown = types |> List.collect inheritedBy |> List.except known
    Expect.equal unknown [] "Backends/CSharp/Names.fs lists what generated classes inherit"

let private names =
    testList
        "names"
        [ test "of models" {
              knows Backends.CSharp.Names.inheritedByModels [ typeof<OdeModel>; typeof<SdeModel> ]
          }
          test "of solutions" { knows Backends.CSharp.Names.inheritedBySolutions [ typeof<Solution> ] }
          test "of equations" {
              knows Backends.CSharp.Names.inheritedByEquations [ typeof<OdeEquations>; typeof<SdeEquations> ]
          } ]

let tests =
    testList "Golden" [ testList "accepted" (List.map asAccepted goldens.Value); text; names ]
