/// Runs the command as its user does, and reads its answers.
module DiffEqLang.Tests.EndToEnd.Deqc

open System
open System.Diagnostics
open System.IO
open System.Text.Json
open Expecto
open DiffEqLang.Deqc
open DiffEqLang.Deqc.Reporting
open DiffEqLang.Tests.Support.Prelude

/// What a run of the command left behind.
type internal Answer = { Code: int; Output: string; Error: string }

let internal deqcReading (input: string) (arguments: string list) =
    use reader = new StringReader(input)
    use output = new StringWriter(NewLine = "\n")
    use error = new StringWriter(NewLine = "\n")
    let code = CommandLine.Run(List.toArray arguments, Terminal(reader, output, error))

    { Code = code; Output = output.ToString(); Error = error.ToString() }

let internal deqc arguments = deqcReading "" arguments

/// As a user starts it, built in the configuration of these tests.
let internal deqcProcess (arguments: string list) =
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
let internal inFolder test () =
    let folder = Directory.CreateTempSubdirectory "deqc-test-"

    try
        test folder.FullName
    finally
        folder.Delete true

let internal write folder name (text: string) =
    let path = Path.Combine(folder, name)
    File.WriteAllText(path, text)
    path

let internal decay =
    """## Decay. The simplest there is.
model Decay {
  state x
  param k : R = 0.5 in (0, inf)
  const c = 2
  dx/dt = -k * x
  output twice = c * x
  init x = 1
  solve { t = 0 .. 1, method = dopri5(rtol = 1e-9, atol = 1e-12), target = torch, dtype = float64 }
}
"""

let internal noisy =
    """model Noisy {
  state x
  wiener W
  param s : R = 0.3
  dx = -x * dt + s * dW
  init x = 1
  solve { t = 0 .. 1, method = euler_maruyama(dt = 0.01), dtype = float64 }
}
"""

let internal broken =
    """model Broken {
  state x
  dx/dt = -kk * x
  init x = 1
}
"""

/// Everything an answer must be when something is wrong: this code, one line, no trace.
let internal expectRefusal code (part: string) answer =
    Expect.equal answer.Code code $"exit code of: {answer.Error}"
    Expect.stringContains answer.Error part "the message"
    Expect.equal (answer.Error.TrimEnd('\n').Split('\n').Length) 1 "one line"
    Expect.isFalse (answer.Error.Contains "   at ") "no trace"
    Expect.equal answer.Output "" "nothing on standard output"

let internal jsonOf answer =
    Expect.equal answer.Code 0 $"exit code: {answer.Error}"
    Expect.equal (answer.Output.TrimEnd('\n').Split('\n').Length) 1 "one JSON object and nothing else"
    JsonDocument.Parse(answer.Output).RootElement

let internal number (element: JsonElement) = element.GetDouble()
let internal at (name: string) (element: JsonElement) = element.GetProperty name
let internal close = { absolute = 1e-7; relative = 1e-7 }

let internal filesIn folder =
    Directory.EnumerateFileSystemEntries folder
    |> Seq.map Path.GetFileName
    |> Seq.sort
    |> List.ofSeq
