/// The verbs that read and write files: build, check, fmt, explain, new.
module DiffEqLang.Tests.EndToEnd.FileVerbTests

open System
open System.IO
open System.Text.Json
open Expecto
open DiffEqLang.Deqc
open DiffEqLang.Deqc.Reporting
open DiffEqLang.Tests.EndToEnd.Deqc

let private generated =
    testList
        "build"
        [ testCase "writes once, then leaves alone what is up to date"
          <| inFolder (fun folder ->
              let path = write folder "decay.deq" decay
              let out = Path.Combine(folder, "out")
              Expect.equal (deqc [ "build"; path; "-o"; out ]).Code 0 "built"
              let file = Path.Combine(out, "Decay.g.cs")
              File.SetLastWriteTimeUtc(file, DateTime(2001, 1, 1))
              let again = deqc [ "build"; path; "-o"; out ]
              Expect.stringContains again.Output "(unchanged)" "said"
              Expect.equal (File.GetLastWriteTimeUtc file) (DateTime(2001, 1, 1)) "not touched"
              Expect.equal (deqc [ "build"; path; "-o"; out; "--check" ]).Code 0 "fresh"

              Expect.equal (filesIn out) [ "Decay.g.cs" ] "no temporary files")
          testCase "without -o, goes to Generated beside the model"
          <| inFolder (fun folder ->
              let path = write folder "decay.deq" decay
              Expect.equal (deqc [ "build"; path ]).Code 0 "built"
              Expect.isTrue (File.Exists(Path.Combine(folder, "Generated", "Decay.g.cs"))) "beside")
          testCase "--check lists what is missing or stale and writes nothing"
          <| inFolder (fun folder ->
              let path = write folder "decay.deq" decay
              let check () = deqc [ "build"; path; "-o"; folder; "--check" ]
              check () |> expectRefusal 1 "Decay.g.cs: missing"
              Expect.equal (filesIn folder) [ "decay.deq" ] "nothing written"
              deqc [ "build"; path; "-o"; folder ] |> ignore
              write folder "decay.deq" (decay.Replace("0.5", "0.6")) |> ignore
              check () |> expectRefusal 1 "Decay.g.cs: stale")
          testCase "a file edited by hand is kept, and with it every other"
          <| inFolder (fun folder ->
              let decayed = write folder "decay.deq" decay
              let file = Path.Combine(folder, "Decay.g.cs")
              deqc [ "build"; decayed; "-o"; folder ] |> ignore
              File.AppendAllText(file, "// mine\n")
              let edited = File.ReadAllText file
              write folder "decay.deq" (decay.Replace("0.5", "0.6")) |> ignore
              let other = write folder "another.deq" (decay.Replace("Decay", "Another"))
              deqc [ "build"; other; decayed; "-o"; folder ] |> expectRefusal 4 "edited by hand"
              Expect.equal (File.ReadAllText file) edited "kept"
              Expect.isFalse (File.Exists(Path.Combine(folder, "Another.g.cs"))) "all or nothing"
              Expect.equal (deqc [ "build"; decayed; "-o"; folder; "--force" ]).Code 0 "forced"
              Expect.notEqual (File.ReadAllText file) edited "overwritten")
          testCase "code that a model no longer has is removed, unless somebody changed it"
          <| inFolder (fun folder ->
              let path = write folder "decay.deq" (decay.Replace("target = torch, ", ""))
              let kernel = Path.Combine(folder, "Decay.Simd.g.cs")
              deqc [ "build"; path; "-o"; folder ] |> ignore
              Expect.isTrue (File.Exists kernel) "a small system has code over registers"
              let onTorch = [ "build"; path; "-o"; folder; "--target"; "torch" ]
              let stale = deqc (onTorch @ [ "--check" ])
              Expect.equal stale.Code 1 "stale"
              Expect.stringContains stale.Error "Decay.Simd.g.cs: stale" "named"
              Expect.isTrue (File.Exists kernel) "--check removes nothing"
              Expect.stringContains (deqc onTorch).Output "Decay.Simd.g.cs (removed" "said"
              Expect.isFalse (File.Exists kernel) "removed"
              deqc [ "build"; path; "-o"; folder ] |> ignore
              File.AppendAllText(kernel, "// mine\n")
              deqc onTorch |> expectRefusal 4 "edited by hand"
              Expect.isTrue (File.Exists kernel) "kept")
          testCase "a file of somebody else is kept"
          <| inFolder (fun folder ->
              let path = write folder "decay.deq" decay
              let file = write folder "Decay.g.cs" "class Mine;\n"
              deqc [ "build"; path; "-o"; folder ] |> expectRefusal 4 "not written by deqc"
              Expect.equal (File.ReadAllText file) "class Mine;\n" "kept")
          testCase "line ends of a checkout do not count as edits"
          <| inFolder (fun folder ->
              let path = write folder "decay.deq" decay
              let file = Path.Combine(folder, "Decay.g.cs")
              deqc [ "build"; path; "-o"; folder ] |> ignore
              File.WriteAllText(file, File.ReadAllText(file).Replace("\n", "\r\n"))
              Expect.equal (deqc [ "build"; path; "-o"; folder; "--check" ]).Code 0 "fresh")
          testCase "two models for one file are refused"
          <| inFolder (fun folder ->
              let first, second = write folder "a.deq" decay, write folder "b.deq" decay
              deqc [ "build"; first; second; "-o"; folder ] |> expectRefusal 2 "would both write")
          testCase "errors keep everything from being written"
          <| inFolder (fun folder ->
              let good, bad = write folder "decay.deq" decay, write folder "broken.deq" broken
              let answer = deqc [ "build"; good; bad; "-o"; folder ]
              Expect.equal answer.Code 1 "errors"
              Expect.stringContains answer.Error "broken.deq(3,12,3,14): error DEQ" "canonical form"
              Expect.equal (filesIn folder) [ "broken.deq"; "decay.deq" ] "nothing written") ]

let private diagnostics =
    testList
        "check and fmt"
        [ testCase "check reports every file and sums up"
          <| inFolder (fun folder ->
              write folder "decay.deq" decay |> ignore
              write folder "broken.deq" broken |> ignore
              let answer = deqc [ "check"; folder ]
              Expect.equal answer.Code 1 "errors"
              Expect.stringContains answer.Output "broken.deq(3,12,3,14): error DEQ" "canonical form"
              Expect.stringContains answer.Output "2 files checked: 1 error, 0 warnings" "summary")
          testCase "on a terminal the place is shown with carets"
          <| inFolder (fun folder ->
              let path = write folder "broken.deq" broken
              use output = new StringWriter(NewLine = "\n")
              let terminal = Terminal(TextReader.Null, output, TextWriter.Null, OutputIsInteractive = true)
              Expect.equal (CommandLine.Run([| "check"; path |], terminal)) 1 "errors"

              Expect.stringContains
                  (output.ToString())
                  "  3 |   dx/dt = -kk * x\n    |            ^^\n"
                  "the excerpt"

              Expect.isFalse (output.ToString().Contains '\u001b') "no colours unless asked for")
          testCase "SARIF names the rule and the region"
          <| inFolder (fun folder ->
              let path = write folder "broken.deq" broken
              let report = Path.Combine(folder, "deqc.sarif")
              deqc [ "check"; path; "--sarif"; report ] |> ignore
              let log = JsonDocument.Parse(File.ReadAllText report).RootElement
              Expect.equal ((log |> at "version").GetString()) "2.1.0" "version"
              let run = (log |> at "runs").[0]
              let result = (run |> at "results").[0]
              let region = (result |> at "locations").[0] |> at "physicalLocation" |> at "region"

              let rule =
                  (run |> at "tool" |> at "driver" |> at "rules").[(result |> at "ruleIndex").GetInt32()]

              Expect.equal ((rule |> at "id").GetString()) ((result |> at "ruleId").GetString()) "the rule"

              Expect.equal
                  ((region |> at "startLine").GetInt32(), (region |> at "startColumn").GetInt32())
                  (3, 12)
                  "the region")
          testCase "fmt lays out in place, once"
          <| inFolder (fun folder ->
              let untidy = decay.Replace("-k * x", "-k*x").Replace("  state", "      state")
              let path = write folder "decay.deq" untidy
              Expect.equal (deqc [ "fmt"; path; "--check" ]).Code 1 "not laid out"
              Expect.equal (File.ReadAllText path) untidy "--check writes nothing"
              Expect.equal (deqc [ "fmt"; path ]).Code 0 "laid out"
              Expect.equal (deqc [ "fmt"; path; "--check" ]).Code 0 "stays so"
              let piped = deqcReading untidy [ "fmt"; "-" ]
              Expect.equal piped.Output (File.ReadAllText path) "from standard input the same")
          testCase "fmt leaves a file with syntax errors alone"
          <| inFolder (fun folder ->
              let text = "model X { state "
              let path = write folder "x.deq" text
              Expect.equal (deqc [ "fmt"; path ]).Code 1 "errors"
              Expect.equal (File.ReadAllText path) text "kept")
          testCase "explain in all its formats"
          <| inFolder (fun folder ->
              let path = write folder "decay.deq" decay

              for format in [ "text"; "markdown"; "latex"; "json" ] do
                  let answer = deqc [ "explain"; path; "--format"; format ]
                  Expect.equal answer.Code 0 $"{format}: {answer.Error}"
                  Expect.stringContains answer.Output "Decay" format

              use json = JsonDocument.Parse (deqc [ "explain"; path; "--format"; "json" ]).Output
              Expect.equal json.RootElement.ValueKind JsonValueKind.Object "an object")
          testCase "every template of new compiles, and nothing is overwritten"
          <| inFolder (fun folder ->
              for template in [ "ode"; "sde"; "hnn"; "cnf" ] do
                  let path = Path.Combine(folder, $"my-{template}")
                  Expect.equal (deqc [ "new"; path; "--template"; template ]).Code 0 template
                  let answer = deqc [ "check"; path + ".deq" ]

                  Expect.equal
                      (answer.Code, answer.Output)
                      (0, "1 file checked: 0 errors, 0 warnings\n")
                      template

                  deqc [ "new"; path ] |> expectRefusal 4 "exists already"
                  Expect.equal (deqc [ "fmt"; path + ".deq"; "--check" ]).Code 0 $"{template} is laid out") ]

let tests = testList "FileVerbs" [ generated; diagnostics ]
