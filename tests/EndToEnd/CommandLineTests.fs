module DiffEqLang.Tests.EndToEnd.CommandLineTests

open System
open System.Diagnostics
open System.IO
open System.Text.Json
open Expecto
open DiffEqLang.Deqc
open DiffEqLang.Deqc.Reporting
open DiffEqLang.Tests.Support.Prelude

/// What a run of the command left behind.
type private Answer = { Code: int; Output: string; Error: string }

let private deqcReading (input: string) (arguments: string list) =
    use reader = new StringReader(input)
    use output = new StringWriter(NewLine = "\n")
    use error = new StringWriter(NewLine = "\n")
    let code = CommandLine.Run(List.toArray arguments, Terminal(reader, output, error))

    { Code = code; Output = output.ToString(); Error = error.ToString() }

let private deqc arguments = deqcReading "" arguments

/// As a user starts it, built in the configuration of these tests.
let private deqcProcess (arguments: string list) =
    let configuration = DirectoryInfo(AppContext.BaseDirectory).Parent.Name

    let assembly =
        Path.Combine(repositoryRoot, "compiler", "Deqc", "bin", configuration, "net10.0", "deqc.dll")

    let start =
        ProcessStartInfo(
            "dotnet",
            assembly :: arguments,
            RedirectStandardOutput = true,
            RedirectStandardError = true
        )

    use run = Process.Start start
    let error = run.StandardError.ReadToEndAsync()
    let output = run.StandardOutput.ReadToEnd()
    run.WaitForExit()

    { Code = run.ExitCode; Output = output; Error = error.Result }

/// An empty folder that is gone afterwards, whatever the test does to it.
let private inFolder test () =
    let folder = Directory.CreateTempSubdirectory "deqc-test-"

    try
        test folder.FullName
    finally
        folder.Delete true

let private write folder name (text: string) =
    let path = Path.Combine(folder, name)
    File.WriteAllText(path, text)
    path

let private decay =
    """## Decay. The simplest there is.
model Decay {
  state x
  param k : R = 0.5 in (0, inf)
  const c = 2
  dx/dt = -k * x
  output twice = c * x
  init x = 1
  solve { t = 0 .. 1, method = dopri5(rtol = 1e-9, atol = 1e-12), dtype = float64 }
}
"""

let private noisy =
    """model Noisy {
  state x
  wiener W
  param s : R = 0.3
  dx = -x * dt + s * dW
  init x = 1
  solve { t = 0 .. 1, method = euler_maruyama(dt = 0.01), dtype = float64 }
}
"""

let private broken =
    """model Broken {
  state x
  dx/dt = -kk * x
  init x = 1
}
"""

/// Everything an answer must be when something is wrong: this code, one line, no trace.
let private expectRefusal code (part: string) answer =
    Expect.equal answer.Code code $"exit code of: {answer.Error}"
    Expect.stringContains answer.Error part "the message"
    Expect.equal (answer.Error.TrimEnd('\n').Split('\n').Length) 1 "one line"
    Expect.isFalse (answer.Error.Contains "   at ") "no trace"
    Expect.equal answer.Output "" "nothing on standard output"

let private jsonOf answer =
    Expect.equal answer.Code 0 $"exit code: {answer.Error}"
    Expect.equal (answer.Output.TrimEnd('\n').Split('\n').Length) 1 "one JSON object and nothing else"
    JsonDocument.Parse(answer.Output).RootElement

let private number (element: JsonElement) = element.GetDouble()
let private at (name: string) (element: JsonElement) = element.GetProperty name
let private close = { absolute = 1e-7; relative = 1e-7 }

let private filesIn folder =
    Directory.EnumerateFileSystemEntries folder
    |> Seq.map Path.GetFileName
    |> Seq.sort
    |> List.ofSeq

/// A stream as of a disk without room.
type private FullWriter() =
    inherit StringWriter()
    override _.Write(_: char) : unit = raise (IOException "No space left on device")
    override _.Write(_: string) : unit = raise (IOException "No space left on device")
    override this.WriteLine(text: string) : unit = this.Write text

let private words =
    testList
        "words"
        [ test "help lists every verb, and each verb has examples that name it" {
              let page = deqc [ "--help" ]
              Expect.equal page.Code 0 "done"

              for verb in Verbs.Verb.All() do
                  Expect.stringContains page.Output verb.Name "the list of verbs"
                  let own = deqc [ verb.Name; "--help" ]
                  Expect.equal own.Code 0 verb.Name
                  Expect.stringContains own.Output $"deqc {verb.Name}" "usage or example"
                  Expect.isNonEmpty verb.Examples verb.Name
          }
          test "a verb that is not there is answered by the nearest one" {
              deqc [ "biuld"; "x.deq" ] |> expectRefusal 2 "did you mean 'build'?"
          }
          test "a file in the verb's place is answered by a verb" {
              deqc [ "spiral.deq" ] |> expectRefusal 2 "deqc check spiral.deq"
          }
          test "an option that is not there is answered by the nearest one" {
              deqc [ "run"; "x.deq"; "--method-name"; "m" ]
              |> expectRefusal 2 "there is no option '--method-name'"

              deqc [ "run"; "x.deq"; "--rtoll"; "1" ] |> expectRefusal 2 "did you mean '--rtol'?"
          }
          test "a missing file name, a bad number and a bad choice are the command line's" {
              deqc [ "run" ] |> expectRefusal 2 "FILE"
              deqc [ "run"; "x.deq"; "--rtol"; "small" ] |> expectRefusal 2 "small"
              deqc [ "run"; "x.deq"; "--dtype"; "float16" ] |> expectRefusal 2 "float16"
              deqc [ "build"; "x.deq"; "--target"; "simd" ] |> expectRefusal 2 "not supported yet"
              deqc [ "build"; "x.deq"; "--namespace"; "1.2" ] |> expectRefusal 2 "not a C# namespace"
              deqc [ "run"; "x.deq"; "-o"; "x.bmp" ] |> expectRefusal 2 ".png"
              deqc [ "run"; "x.deq"; "--t"; "5" ] |> expectRefusal 2 "--t 0..20"
              deqc [ "run"; "x.deq"; "--at"; "1,3,2" ] |> expectRefusal 2 "all rise or all fall"
              deqc [ "run"; "x.deq"; "--set"; "x" ] |> expectRefusal 2 "name=value"
              deqc [ "run"; "x.deq"; "--set"; "x=[1,[2]]" ] |> expectRefusal 2 "differ in length"
              deqc [ "run"; "x.deq"; "--set"; "x=[1" ] |> expectRefusal 2 "']' is missing"
              deqc [ "run"; "x.deq"; "--points"; "1" ] |> expectRefusal 2 "at least 2"
              deqc [ "new"; "x"; "--template"; "cde" ] |> expectRefusal 2 "not supported yet"
              deqc [ "eval"; "x.deq" ] |> expectRefusal 2 "--output NAME or --expr EXPR"
              deqc [ "build"; "x.deq"; "--dump-after"; "nopass" ] |> expectRefusal 2 "the passes are"
          }
          test "a single letter is not mistaken for another" {
              Expect.equal (CommandLine.DidYouMean("n", [ "k"; "S" ])) "" "any would be as near"
              Expect.equal (CommandLine.DidYouMean("kk", [ "k" ])) "; did you mean 'k'?" "a near one"
          }
          test "standard output that is full, and standard error that is closed" {
              use reader = new StringReader("")
              use error = new StringWriter(NewLine = "\n")
              let code = CommandLine.Run([| "--help" |], Terminal(reader, new FullWriter(), error))
              let expected = "deqc: error: standard output cannot be written: No space left on device\n"
              Expect.equal (code, error.ToString()) (4, expected) "one line"

              Expect.equal
                  (CommandLine.Run([| "biuld" |], Terminal(reader, error, new FullWriter())))
                  2
                  "the exit code alone"
          }
          test "as a process, exit codes reach the caller" {
              let version = deqcProcess [ "--version" ]
              Expect.equal (version.Code, version.Output.Trim()) (0, "deqc 0.1.0") "version"
              Expect.equal (deqcProcess [ "biuld" ]).Code 2 "a wrong command line"
              Expect.equal (deqcProcess [ "check"; "no-such-file.deq" ]).Code 4 "a missing file"
          } ]

let private badInput =
    testList
        "bad input"
        [ testCase "a file that is not there is named"
          <| inFolder (fun folder ->
              write folder "decay.deq" decay |> ignore

              deqc [ "check"; Path.Combine(folder, "deacy.deq") ]
              |> expectRefusal 4 "did you mean 'decay.deq'?")
          testCase "a directory for a file, and one without models"
          <| inFolder (fun folder ->
              deqc [ "run"; folder ] |> expectRefusal 4 "is a directory"
              deqc [ "check"; folder ] |> expectRefusal 4 "no .deq file")
          testCase "invalid UTF-8 and NUL are diagnostics with a place"
          <| inFolder (fun folder ->
              let path = Path.Combine(folder, "bad.deq")
              File.WriteAllBytes(path, [| 35uy; 10uy; 35uy; 0xC3uy; 0x28uy; 10uy |])
              let utf8 = deqc [ "build"; path; "-o"; folder ]
              Expect.equal utf8.Code 1 "the model has errors"
              Expect.stringContains utf8.Error "bad.deq(2,2,2,3): error DEQ0002" "the place"
              File.WriteAllBytes(path, [| 35uy; 0uy; 10uy |])
              let nul = deqc [ "build"; path; "-o"; folder ]
              Expect.equal nul.Code 1 "the model has errors"
              Expect.stringContains nul.Error "error DEQ0003" "the NUL"
              Expect.equal (filesIn folder) [ "bad.deq" ] "nothing written")
          testCase "100,000 parentheses are too many, not too much"
          <| inFolder (fun folder ->
              let nested = String('(', 100_000) + "1" + String(')', 100_000)
              let path = write folder "deep.deq" (decay.Replace("-k * x", nested))
              let answer = deqc [ "check"; path ]
              Expect.equal answer.Code 1 "the model has errors"
              Expect.stringContains answer.Output "deep.deq(6," "the place")
          testCase "10 MB are refused"
          <| inFolder (fun folder ->
              let path = write folder "large.deq" (String('#', 10 * 1024 * 1024))
              let answer = deqc [ "check"; path ]
              Expect.equal answer.Code 1 "the model has errors"
              Expect.stringContains answer.Output "large.deq(1,1,1,1): error DEQ" "the place")
          testCase "names that are keywords of C# and F# compile and run"
          <| inFolder (fun folder ->
              let model =
                  decay
                      .Replace("Decay", "class")
                      .Replace("twice", "namespace")
                      .Replace("k", "let'")
                      .Replace("let'", "match")

              let path = write folder "class.deq" (model.Replace(" x", " int").Replace("dx/", "dint/"))
              let run = jsonOf (deqc [ "run"; path; "--json" ])
              let last = (run |> at "states" |> at "int").EnumerateArray() |> Seq.last |> number
              Expect.floatClose close last (exp -0.5) "the solution"
              Expect.equal ((run |> at "model").GetString()) "class" "the model's own name")
          testCase "an unreadable file"
          <| inFolder (fun folder ->
              let path = write folder "decay.deq" decay

              if not (OperatingSystem.IsWindows()) && Environment.UserName <> "root" then
                  File.SetUnixFileMode(path, UnixFileMode.None)
                  deqc [ "check"; path ] |> expectRefusal 4 "not permitted")
          testCase "an output path that cannot be written"
          <| inFolder (fun folder ->
              let path = write folder "decay.deq" decay
              let blocked = Path.Combine(write folder "file" "", "out")

              deqc [ "build"; path; "-o"; blocked ]
              |> expectRefusal 4 "cannot be written: file is a file, not a folder"

              Directory.CreateDirectory(Path.Combine(folder, "out", "Decay.g.cs")) |> ignore

              deqc [ "build"; path; "-o"; Path.Combine(folder, "out") ]
              |> expectRefusal 4 "is a directory"

              Expect.equal (filesIn folder) [ "decay.deq"; "file"; "out" ] "nothing half written")
          testCase "an output path that is a link stays one"
          <| inFolder (fun folder ->
              let path = write folder "decay.deq" decay
              let link, target = Path.Combine(folder, "link.csv"), Path.Combine(folder, "target.csv")
              File.CreateSymbolicLink(link, "target.csv") |> ignore
              Expect.equal (deqc [ "run"; path; "-o"; link ]).Code 0 "a target that is not there yet"
              Expect.isTrue (File.ReadAllText(target).StartsWith "t,x") "written"
              Expect.equal (FileInfo link).LinkTarget "target.csv" "still a link")
          testCase "a singular matrix fails the solve, not the compiler"
          <| inFolder (fun folder ->
              let singular name =
                  let expression =
                      (name: string)
                          .Replace("A", "(x*[[1, 2], [2, 4]])")
                          .Replace("N", "(-x*[[1, 2], [2, 1]])")

                  write folder "singular.deq" (decay.Replace("-k * x", $"sum({expression})"))

              for f in [ "solve(A, [1, 1])"; "inv(A)"; "cholesky(N)" ] do
                  let run = deqc [ "run"; singular f; "--json" ]
                  Expect.equal run.Code 3 f
                  Expect.stringContains run.Output "\"status\":\"NonFinite\"" f) ]

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

let private solving =
    testList
        "run, eval, grad"
        [ testCase "run gives the language page's JSON"
          <| inFolder (fun folder ->
              let path = write folder "decay.deq" decay
              let run = jsonOf (deqc [ "run"; path; "--json"; "--at"; "0,1,2" ])
              let names = [ for property in run.EnumerateObject() -> property.Name ]

              Expect.equal
                  names
                  [ "model"; "status"; "t"; "states"; "outputs"; "statistics"; "seconds" ]
                  "the form"

              Expect.equal ((run |> at "status").GetString()) "Success" "status"
              Expect.equal ((run |> at "t").GetRawText()) "[0,1,2]" "exactly those times"
              let x = (run |> at "states" |> at "x").EnumerateArray() |> Seq.map number |> List.ofSeq

              for t, value in List.zip [ 0.0; 1.0; 2.0 ] x do
                  Expect.floatClose close value (exp (-0.5 * t)) $"x({t})"

              let twice =
                  (run |> at "outputs" |> at "twice").EnumerateArray() |> Seq.map number |> List.ofSeq

              Expect.floatClose close twice[2] (2.0 * x[2]) "the output"
              Expect.isGreaterThan ((run |> at "statistics" |> at "accepted").GetInt64()) 0L "steps")
          testCase "run takes parameters, constants, initial values, tolerances and a span"
          <| inFolder (fun folder ->
              let path = write folder "decay.deq" decay

              let run =
                  jsonOf (
                      deqc
                          [ "run"
                            path
                            "--json"
                            "--set"
                            "k=2"
                            "--set"
                            "c=3"
                            "--init"
                            "x=5"
                            "--t"
                            "0..0.5"
                            "--method"
                            "tsit5"
                            "--rtol"
                            "1e-9"
                            "--atol"
                            "1e-12"
                            "--points"
                            "3" ]
                  )

              Expect.equal ((run |> at "t").GetRawText()) "[0,0.25,0.5]" "points"
              let x = (run |> at "states" |> at "x").[2] |> number
              Expect.floatClose close x (5.0 * exp -1.0) "k and init"
              Expect.floatClose close ((run |> at "outputs" |> at "twice").[2] |> number) (3.0 * x) "c"
              deqc [ "run"; path; "--set"; "kk=2" ] |> expectRefusal 2 "did you mean 'k'?"
              deqc [ "run"; path; "--set"; "k=[1,2]" ] |> expectRefusal 2 "R[2]"
              deqc [ "run"; path; "--set"; "k=-1" ] |> expectRefusal 2 "k"
              deqc [ "run"; path; "--method"; "dopri6" ] |> expectRefusal 2 "dopri5")
          testCase "paths are the second axis, and the seed decides them"
          <| inFolder (fun folder ->
              let path = write folder "noisy.deq" noisy

              let x seed =
                  (jsonOf (deqc [ "run"; path; "--json"; "--paths"; "3"; "--seed"; seed ])
                   |> at "states"
                   |> at "x")
                      .GetRawText()

              let first = JsonDocument.Parse(x "1").RootElement
              Expect.equal (first.GetArrayLength(), first[0].GetArrayLength()) (2, 3) "time, then path"
              Expect.equal (Set.ofSeq (first[1].EnumerateArray() |> Seq.map number)).Count 3 "three noises"
              Expect.equal (x "1") (x "1") "the same seed"
              Expect.notEqual (x "1") (x "2") "another seed")
          testCase "run writes tables and pictures"
          <| inFolder (fun folder ->
              let path = write folder "decay.deq" decay

              for form in [ "csv"; "json"; "png"; "svg" ] do
                  let target = Path.Combine(folder, "out." + form)
                  let answer = deqc [ "run"; path; "-o"; target ]
                  Expect.equal answer.Code 0 $"{form}: {answer.Error}"

              let rows = File.ReadAllLines(Path.Combine(folder, "out.csv"))
              Expect.equal (rows[0], rows.Length) ("t,x,twice", 102) "a header and 101 times"
              let signature = File.ReadAllBytes(Path.Combine(folder, "out.png")) |> Array.take 4
              Expect.equal signature [| 0x89uy; 0x50uy; 0x4Euy; 0x47uy |] "PNG"
              Expect.stringContains (File.ReadAllText(Path.Combine(folder, "out.svg"))) "<svg" "SVG")
          testCase "a missing init is named, with what to write"
          <| inFolder (fun folder ->
              let path = write folder "decay.deq" (decay.Replace("  init x = 1\n", ""))
              deqc [ "run"; path ] |> expectRefusal 2 "--init x=1")
          testCase "a solve that fails exits with 3 and says what was reached"
          <| inFolder (fun folder ->
              let path =
                  write folder "blow.deq" (decay.Replace("-k * x", "x^2").Replace("0 .. 1,", "0 .. 2,"))

              let answer = deqc [ "run"; path; "--json" ]
              Expect.equal answer.Code 3 "the solve failed"
              let run = JsonDocument.Parse(answer.Output).RootElement
              Expect.notEqual ((run |> at "status").GetString()) "Success" "status"
              let last = (run |> at "t").EnumerateArray() |> Seq.last |> number
              Expect.isTrue (last > 0.5 && last < 1.001) $"x = 1/(1-t) was followed up to t = {last}")
          testCase "eval gives outputs and expressions in full precision"
          <| inFolder (fun folder ->
              let path = write folder "decay.deq" decay
              let output = jsonOf (deqc [ "eval"; path; "--output"; "twice"; "--set"; "x=0.1"; "--json" ])
              Expect.equal (output.GetRawText()) """{"name":"twice","shape":[],"value":0.2}""" "the form"

              let slope =
                  jsonOf (deqc [ "eval"; path; "--expr"; "grad(k*x^2, x)"; "--set"; "x=3"; "--json" ])

              Expect.floatClose close (slope |> at "value" |> number) 3.0 "2kx"
              let infinite = jsonOf (deqc [ "eval"; path; "--expr"; "1/x"; "--set"; "x=0"; "--json" ])
              Expect.equal ((infinite |> at "value").GetString()) "Infinity" "a string"

              Expect.equal
                  (deqc [ "eval"; path; "--expr"; "1/zz" ]).Code
                  1
                  "an unknown name is the model's error")
          testCase "grad warns where the state cannot be solved backwards, and keeps its output clean"
          <| inFolder (fun folder ->
              let path =
                  write
                      folder
                      "fast.deq"
                      "model Fast {\n  state x\n  x' = -100*x\n  init x = 1\n  solve { t = 0 .. 1, method = dopri5 }\n}\n"

              let grad mode = deqc [ "grad"; path; "--loss"; "x"; "--json"; "--gradient"; mode ]
              let doubtful = grad "backsolve"
              Expect.stringStarts doubtful.Error "warning: Solved backwards" "standard error"
              jsonOf doubtful |> ignore
              Expect.equal (grad "discrete").Error "" "the exact gradient of the scheme")

          testCase "grad is the derivative by the value itself, also of a constrained parameter"
          <| inFolder (fun folder ->
              let path = write folder "decay.deq" decay

              for mode in [ "discrete"; "backsolve" ] do
                  let result = jsonOf (deqc [ "grad"; path; "--loss"; "x^2"; "--json"; "--gradient"; mode ])
                  // x(1)^2 = exp(-2k) x0^2
                  Expect.floatClose close (result |> at "loss" |> number) (exp -1.0) "loss"
                  let gradients = result |> at "gradients"
                  Expect.floatClose close (gradients |> at "k" |> number) (-2.0 * exp -1.0) $"by k, {mode}"

                  Expect.floatClose
                      close
                      (gradients |> at "init(x)" |> number)
                      (2.0 * exp -1.0)
                      $"by init(x), {mode}"

              let one = jsonOf (deqc [ "grad"; path; "--loss"; "x^2"; "--wrt"; "k"; "--json" ])
              Expect.equal [ for g in (one |> at "gradients").EnumerateObject() -> g.Name ] [ "k" ] "--wrt"

              deqc [ "grad"; path; "--loss"; "x^2"; "--wrt"; "kk" ]
              |> expectRefusal 2 "did you mean 'k'?")
          testCase "doctor solves its test"
          <| fun () ->
              let answer = deqc [ "doctor" ]
              Expect.equal answer.Code 0 answer.Error
              Expect.stringContains answer.Output "as it should be" "the self-test" ]

let tests = testList "CommandLine" [ words; badInput; generated; diagnostics; solving ]
