/// Holds grammar/REFERENCE.md and README.md against the compiler: what they show compiles, and what they list is all there is.
module DiffEqLang.Tests.EndToEnd.ReferenceTests

open System.IO
open System.Text.RegularExpressions
open Expecto
open DiffEqLang.Compiler
open DiffEqLang.Compiler.Builtins
open DiffEqLang.Contracts
open DiffEqLang.Tests.Support
open DiffEqLang.Tests.Support.Prelude

let private page =
    lazy (File.ReadAllText(Path.Combine(repositoryRoot, "grammar", "REFERENCE.md")))

let private matches pattern = [ for m in Regex.Matches(page.Value, pattern, RegexOptions.Singleline) -> m ]

/// Complete files.
let private files = [ for m in matches "```deq\n(.*?)```" -> m.Groups[1].Value ]

/// A part of a model or a file, what surrounds it, and the codes of what is not supported yet.
type private Fragment = { Text: string; Surroundings: string; Codes: string list }

let private fragments =
    [ for m in matches @"<!-- with([^\n]*)\n((?:(?!-->).)*)-->\n```deq-fragment\n(.*?)```" ->
          { Text = m.Groups[3].Value
            Surroundings = m.Groups[2].Value
            Codes = m.Groups[1].Value.Split(' ', System.StringSplitOptions.RemoveEmptyEntries) |> List.ofArray } ]

let private wholeFile fragment =
    if fragment.Text.StartsWith "model" then
        fragment.Surroundings + fragment.Text
    else
        sprintf "model Fragment {\n%s%s}\n" fragment.Surroundings fragment.Text

let private snippets =
    [ test "every file compiles without a warning, to C# without a warning" {
          Expect.isGreaterThanOrEqual files.Length 5 "there are some"
          let sources = files |> List.mapi (fun i text -> SourceFile(sprintf "snippet%d.deq" i, text))

          let generated =
              [ for i, source in List.indexed sources do
                    let result =
                        Compilation.Compile(
                            source,
                            CompileOptions(Namespace = sprintf "Reference%d" i, Validate = true)
                        )

                    Expect.isEmpty result.Diagnostics source.Text
                    for file in result.Files -> sprintf "%d-%s" i file.FileName, file.Text ]

          Expect.equal (snd (GeneratedCode.compile generated)) [] "C# without warnings"
      }
      test "every fragment compiles in its surroundings, or is answered by the codes named there" {
          let all = matches "```deq-fragment\n"
          Expect.equal fragments.Length all.Length "each has a comment with its surroundings"

          for fragment in fragments do
              let text = wholeFile fragment
              let result = Compilation.Compile(SourceFile("fragment.deq", text), CompileOptions())
              let codes = [ for d in result.Diagnostics -> d.Code ] |> List.sort
              let said = result.Diagnostics |> Seq.map string |> String.concat "\n"
              Expect.equal codes (List.sort fragment.Codes) (text + said)
              Expect.all fragment.Codes _.StartsWith("DEQ09") "only what is not supported yet"
      } ]

let private readme =
    test "the README's model gives the code and the diagnostic that are shown" {
        let text = File.ReadAllText(Path.Combine(repositoryRoot, "README.md"))
        let block pattern = Regex.Match(text, pattern, RegexOptions.Singleline).Groups[1].Value
        let model = block "```deq\n(.*?)```"

        let compile text =
            Compilation.Compile(SourceFile("oscillator.deq", text), CompileOptions(Namespace = "MyModels"))

        let result = compile model
        let generated = result.Files[0].Text.Split '\n' |> Array.map _.Trim() |> Set.ofArray

        for line in (block "```csharp\n(.*?)```").Split '\n' do
            Expect.isTrue (line = "" || generated.Contains(line.Trim())) line

        let wrong = compile (model.Replace("c*q'", "d*q'"))
        Expect.stringContains text (sprintf "\n%O\n" wrong.Diagnostics[0]) "the diagnostic"
    }

let private functions =
    test "every function is listed, with its description" {
        for builtin in Catalogue.all do
            let row = sprintf "| %s |" (builtin.Doc.Replace("|", "\\|"))
            let named = sprintf "`%s(" builtin.Name

            let lines =
                page.Value.Split '\n'
                |> Array.filter (fun line -> line.StartsWith "|" && line.Contains named && line.Contains row)

            Expect.isNonEmpty lines (sprintf "%s: %s" named row)
    }

let tests = testList "Reference" [ testList "snippets" snippets; readme; functions ]
