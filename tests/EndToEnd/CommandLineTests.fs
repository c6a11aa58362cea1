module DiffEqLang.Tests.EndToEnd.CommandLineTests

open System
open System.IO
open Expecto
open DiffEqLang.Deqc
open DiffEqLang.Deqc.Reporting
open DiffEqLang.Tests.EndToEnd.Deqc

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
              deqc [ "build"; "x.deq"; "--target"; "cuda" ] |> expectRefusal 2 "not supported yet"
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
          testCase "a file that cannot be read, whoever asks"
          <| inFolder (fun folder ->
              // A link to itself and a name that no file system takes: not even root reads these.
              let loop = Path.Combine(folder, "loop.deq")
              File.CreateSymbolicLink(loop, "loop.deq") |> ignore
              let endless = Path.Combine(folder, String('x', 300) + ".deq")

              for path in [ loop; endless ] do
                  for verb in [ "check"; "run"; "explain"; "fmt" ] do
                      deqc [ verb; path ] |> expectRefusal 4 "cannot be read"

                  deqc [ "build"; path; "-o"; folder ] |> expectRefusal 4 "cannot be read"

              Expect.equal (filesIn folder) [ "loop.deq" ] "nothing written")
          testCase "a file that may not be read"
          <| inFolder (fun folder ->
              let path = write folder "decay.deq" decay
              // Root may read everything but a file of the kernel that is there for writing alone.
              let forbidden =
                  if Environment.UserName = "root" then
                      "/proc/sys/vm/drop_caches"
                  else
                      File.SetUnixFileMode(path, UnixFileMode.None)
                      path

              if OperatingSystem.IsLinux() then
                  deqc [ "check"; forbidden ] |> expectRefusal 4 "not permitted")
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

let tests = testList "CommandLine" [ words; badInput ]
