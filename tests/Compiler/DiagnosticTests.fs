/// What the compiler says about wrong models: every line of it, with its place.
module DiffEqLang.Tests.Compiler.DiagnosticTests

open System.Collections.Immutable
open System.IO
open System.Text.RegularExpressions
open Expecto
open FsCheck
open FsCheck.FSharp
open DiffEqLang.Contracts
open DiffEqLang.Compiler
open DiffEqLang.Compiler.Syntax
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dynamics
open DiffEqLang.Compiler.Checking
open DiffEqLang.Tests.Support.Prelude

/// `3:9-10 DEQ0201 message (hint)`: line, columns, code.
let private line (d: Diagnostic) =
    let s = d.Span

    let place =
        if s.Line = s.EndLine then
            sprintf "%d:%d-%d" s.Line s.Column s.EndColumn
        else
            sprintf "%d:%d-%d:%d" s.Line s.Column s.EndLine s.EndColumn

    let hint = if isNull d.Hint then "" else sprintf " (%s)" d.Hint
    sprintf "%s %s %s%s" place d.Code d.Message hint

/// All of them: also those that only the analysed system shows.
let private diagnosticsWith (options: CompileOptions) text =
    Compilation.Compile(SourceFile("m.deq", text), options).Diagnostics |> List.ofSeq

let private diagnostics text = diagnosticsWith (CompileOptions()) text

let private exact cases =
    cases
    |> List.mapi (fun i (text, expected) ->
        test (sprintf "case %d: %s" (i + 1) (List.head expected)) {
            Expect.equal (diagnostics text |> List.map line) expected text
        })

let private notes =
    let notesOf text =
        diagnostics text
        |> List.collect (fun d ->
            [ for n in d.Notes -> sprintf "%d:%d-%d %s" n.Span.Line n.Span.Column n.Span.EndColumn n.Message ])

    testList
        "notes"
        [ test "a shape mismatch shows both operands and where their shapes come from" {
              Expect.equal
                  (notesOf (
                      fst (WrongModels.model "state x : R[2]; param W : R[3, 5] = 0; dx/dt = W @ (x + 1)" [])
                  ))
                  [ "4:9-10 `W` is R[3, 5]"
                    "3:7-8 declared here: `W : R[3, 5]`"
                    "4:13-20 `(x + 1)` is R[2]"
                    "2:7-8 declared here: `x : R[2]`" ]
                  "left, right"
          }
          test "an error in an inlined function names the call" {
              Expect.contains
                  (notesOf (
                      fst (
                          WrongModels.model
                              "state x : R[2], y : R[3]; fn f(a, b) = a + b; dx/dt = f(x, y); dy/dt = y"
                              []
                      )
                  ))
                  "4:9-16 in this call"
                  "the call"
          } ]

let private options =
    let withDim (name: string) (value: int64) = CompileOptions(Dims = CompileOptions().Dims.Add(name, value))
    let text = "model Decay {\n  dim size = 3\n  state x : R[size]\n  dx/dt = -x\n}"
    let said options = diagnosticsWith options text |> List.map (fun d -> d.ToString())

    testList
        "options"
        [ test "a model that is not there" {
              Expect.equal
                  (said (CompileOptions(Model = "decay")))
                  [ "m.deq: error DEQ0212: the file has no model `decay` (did you mean `Decay`?)" ]
                  ""
          }
          test "a dim that is not there" {
              Expect.equal
                  (said (withDim "sise" 4))
                  [ "m.deq: error DEQ0213: no model of the file has a dim `sise` (did you mean `size`?)" ]
                  ""
          }
          test "an extra output that is wrong" {
              let extra = CompileOptions(ExtraOutputs = [| struct ("z", "x + q") |].ToImmutableArray())

              Expect.equal
                  (said extra)
                  [ "z(1,5,1,6): error DEQ0201: `q` is not declared (declare it, as in `param q = 1` or `let q = ...`)" ]
                  ""
          } ]

let private general (model: Typed.Model) : Noise =
    { Wiener = model.Wiener
      Size = Dim.constant 2L
      Calculus = model.Calculus
      Structure = General
      Reason = "the columns of the diffusion do not commute" }

let private structure =
    test "milstein refuses general noise with the reason" {
        Expr.Arena.Run(fun () ->
            let text =
                "model M {\nstate x : R[2]\nwiener W : R[2]\nparam G : R[2, 2] = 1\ndx = x*dt + G @ dW\nsolve { method = milstein(dt = 0.1) }\n}"

            let tree, _ = Reader.read (SourceFile("m.deq", text))
            let typed = Check.check (CompileOptions()) tree |> fst |> List.exactlyOne

            Expect.equal
                (MethodChoice.ofStructure typed (general typed) |> Option.map line)
                (Some
                    "6:18-36 DEQ0509 `milstein` does not take general noise: the columns of the diffusion do not commute (methods that do: `euler_maruyama`, `euler_heun`)")
                "refused"

            Expect.isNone
                (MethodChoice.ofStructure typed { general typed with Structure = Commutative })
                "commutative noise is taken")
    }

let private pages =
    let folder = Path.Combine(repositoryRoot, "compiler", "diagnostics")
    let page code = File.ReadAllText(Path.Combine(folder, code + ".md"))

    testList
        "pages"
        [ test "every code has a page and every page a code" {
              let codes = [ for d in DiagnosticCatalogue.All -> d.Code ]

              let pages =
                  [ for f in Directory.GetFiles(folder, "*.md") -> Path.GetFileNameWithoutExtension f ]
                  |> List.sort

              Expect.equal pages codes "compiler/diagnostics and the catalogue"
          }
          test "a page has its code's title, and its example causes its code" {
              for d in DiagnosticCatalogue.All do
                  let text = page d.Code
                  Expect.stringStarts text (sprintf "# %s: %s\n" d.Code d.Title) d.Code

                  for example in Regex.Matches(text, "```deq\n(.*?)```", RegexOptions.Singleline) do
                      let found = diagnostics example.Groups[1].Value
                      Expect.contains (found |> List.map _.Code) d.Code (sprintf "the example of %s" d.Code)

                      let said =
                          [ for f in found do
                                if f.Code = d.Code then
                                    f.Message + (if isNull f.Hint then "" else sprintf " (%s)" f.Hint) ]

                      for quoted in Regex.Matches(text, "^> (.*)$", RegexOptions.Multiline) do
                          Expect.contains said quoted.Groups[1].Value (sprintf "the message of %s" d.Code)
          }
          test "an example without a model causes its code, and its mend is read" {
              let ofFile text = diagnostics text |> List.map _.Code
              let ofModel text = ofFile (sprintf "model M {\n%s}\n" text)

              let isFile (text: string) =
                  Regex.IsMatch(text, "^(##? .*\n)*(model|import)\\b", RegexOptions.Multiline)

              for d in DiagnosticCatalogue.All do
                  let text = page d.Code

                  for example in Regex.Matches(text, "```deq-error\n(.*?)```", RegexOptions.Singleline) do
                      let example = example.Groups[1].Value

                      Expect.contains
                          (ofFile example @ ofModel example)
                          d.Code
                          (sprintf "the example of %s" d.Code)

                  for mend in Regex.Matches(text, "```deq-fragment\n(.*?)```", RegexOptions.Singleline) do
                      let mend = mend.Groups[1].Value
                      let codes = if isFile mend then ofFile mend else ofModel mend

                      Expect.isEmpty
                          (codes |> List.filter (fun c -> c.StartsWith "DEQ01"))
                          (sprintf "the mend of %s" d.Code)
          } ]

/// Models to damage: one of each kind.
let private sound =
    [ "model Spiral {\n  dim h = 50\n  state y : R[2]\n  param W1 : R[h, 2] ~ normal(0, 0.1)\n  param b1 : R[h] = 0\n  param W2 : R[2, h] ~ normal(0, 0.1)\n  dy/dt = W2 @ tanh(W1 @ y^3 + b1)\n  init y = [2, 0]\n  solve { t = 0 .. 25, method = dopri5(rtol = 1e-7) }\n}"
      "model Flow {\n  state z : R[2], logp\n  net f : R[3] -> R[2] = dense(4) |> tanh |> dense(2)\n  let v = f(concat(z, t))\n  dz/dt = v\n  dlogp/dt = -div(v, z)\n}"
      "model Latent {\n  state x : R[4], kl\n  wiener W : R[4]\n  param s : R[4] = 1 in (0, inf)\n  let u = if sum(x) > 0 then x[0..4] else -x\n  dx = -u*dt + s*dW\n  dkl = 0.5*sum(u^2)*dt\n  calculus ito\n}"
      "model Oscillator {\n  const k = 2\n  state q\n  fn force(x) = -k*x\n  q'' = force(q) - 0.1*q'\n  init q' = 1\n  output energy = 0.5*q'^2\n}" ]

let private tokens (text: string) = [ for m in Regex.Matches(text, @"\n|[ \t]+|\w+|[^\w\s]") -> m.Value ]

/// Deletes, doubles or exchanges tokens.
let private mutate (kind: int) (i: int) (j: int) (text: string) =
    let all = tokens text |> List.toArray
    let i, j = i % all.Length, j % all.Length

    match kind % 3 with
    | 0 -> all |> Array.removeAt i
    | 1 -> all |> Array.insertAt i all[i]
    | _ ->
        all
        |> Array.mapi (fun k token ->
            if k = i then all[j]
            elif k = j then all[i]
            else token)
    |> String.concat ""

let private mutations =
    let gen = Gen.four (Gen.choose (0, 100_000)) |> Gen.zip (Gen.elements sound)

    testPropertyWithConfig
        { FsCheckConfig.defaultConfig with maxTest = 1_000 }
        "a damaged model either checks or has an error"
        (Prop.forAll (Arb.fromGen gen) (fun (text, (kind, i, j, again)) ->
            let damaged = text |> mutate kind i j |> (if again % 2 = 0 then mutate again j i else id)

            Expr.Arena.Run(fun () ->
                let tree, syntax = Reader.read (SourceFile("m.deq", damaged))
                let models, found = Check.check (CompileOptions()) tree
                let isWrong = syntax @ found |> List.exists (fun d -> d.Severity = Severity.Error)
                isWrong || not models.IsEmpty)))

let tests =
    testList
        "Diagnostic"
        [ testList
              "sound"
              (sound
               |> List.map (fun text ->
                   test (text.Substring(6, 6)) { Expect.isEmpty (diagnostics text) text }))
          testList "exact" (exact (WrongModels.all @ WrongSolveBlocks.all @ WrongDynamics.all))
          testList "slips" (exact Slips.all)
          notes
          options
          structure
          pages
          mutations ]
