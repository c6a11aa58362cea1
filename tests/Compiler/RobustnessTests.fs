/// Text and bytes that nobody wrote as a model: the reader answers all of them, and in time.
module DiffEqLang.Tests.Compiler.RobustnessTests

open System
open System.Text
open Expecto
open FsCheck
open FsCheck.FSharp
open DiffEqLang.Contracts
open DiffEqLang.Compiler.Syntax
open DiffEqLang.Compiler.Syntax.Tree
open DiffEqLang.Tests.Support.SyntaxText

let private codes text = [ for d in snd (readText text) -> d.Code ]

let private robustness =
    let tokens =
        [ "x"
          "dx/dt"
          "="
          "=="
          ":="
          "~"
          "("
          ")"
          "["
          "]"
          "{"
          "}"
          "+"
          "-"
          "*"
          "/"
          "^"
          "**"
          "@"
          "'"
          "."
          ".."
          ","
          ":"
          ";"
          "|>"
          "->"
          "if"
          "then"
          "else"
          "and"
          "not"
          "in"
          "model"
          "state"
          "param"
          "net"
          "fn"
          "when"
          "solve"
          "implicit"
          "init"
          "import"
          "wiener"
          "jumps"
          "sample"
          "control"
          "let"
          "0"
          "1e5"
          "\"s\""
          "\""
          "#c\n"
          "##d\n"
          "\n"
          "\n"
          "\n"
          "//"
          "/*"
          "€"
          "𝛼"
          "_"
          "modle"
          "d"
          "\t" ]

    let soup = Gen.elements tokens |> Gen.listOf |> Gen.map (String.concat " ") |> Arb.fromGen

    testList
        "robustness"
        [ testCase "token soup never throws"
          <| fun () ->
              Check.One(
                  Config.QuickThrowOnFailure.WithMaxTest(1500).WithEndSize(120),
                  Prop.forAll soup (fun text -> readText (text + "\nmodel M {\n" + text + "\n}") |> ignore)
              )
          testCase "random characters never throw"
          <| fun () ->
              Check.One(
                  Config.QuickThrowOnFailure.WithMaxTest 500,
                  fun (NonNull(text: string)) -> readText text |> ignore
              )
          for opening, closing in
              [ "(", ")"; "[", "]"; "f(", ")"; "-", ""; "not ", ""; "if a then ", ""; "x[", "]" ] do
              test $"100,000 nested `{opening}`" {
                  let times = 100_000

                  let text =
                      inModel (
                          "let y = " + String.replicate times opening + "x" + String.replicate times closing
                      )

                  Expect.equal (codes text) [ "DEQ0110" ] "one diagnostic"

                  Expect.equal
                      (codes (inModel ("let y = " + String.replicate times opening)))
                      [ "DEQ0110" ]
                      "unclosed too"
              }
          test "100,000 exponents or subscripts in a row" {
              Expect.equal
                  (codes (inModel ("let y = x" + String.replicate 100_000 "^x")))
                  [ "DEQ0110" ]
                  "exponents"

              Expect.equal
                  (codes (inModel ("let y = x" + String.replicate 100_000 "[0]")))
                  [ "DEQ0110" ]
                  "subscripts"
          }
          test "a sum of 20,000 terms" {
              let text = inModel ("let y = x" + String.replicate 20_000 " + x")

              match readText text with
              | { Items = [ Model { Declarations = [ { Kind = Let(_, { Kind = Binary _ }) } ] } ] } as file,
                [] -> Expect.stringContains (Printer.print file) "x + x" "it prints too"
              | _, diagnostics -> failtest $"{List.map diagnosticText diagnostics}"
          }
          test "a chain without end is refused" {
              Expect.equal
                  (codes (inModel ("let y = x" + String.replicate 100_000 " + x")))
                  [ "DEQ0110" ]
                  "refused"
          }
          test "10 MB of text that is no model" {
              let random = Random 1
              let text = StringBuilder()

              while text.Length < 10_000_000 do
                  text.Append(tokens[random.Next tokens.Length]).Append(' ') |> ignore

              let diagnostics = snd (readText (text.ToString()))
              Expect.isLessThanOrEqual diagnostics.Length 201 "cut short"
              Expect.exists diagnostics (fun d -> d.Code = "DEQ0140") "says so"
          }
          test "4 MB of words" {
              let diagnostics = snd (readText (String.replicate 160_000 "the quick brown fox jumps\n"))
              Expect.exists diagnostics (fun d -> d.Code = "DEQ0140") "cut short"
          }
          test "10 MB of one character" {
              for c in [ "("; "{"; "]"; "a"; "-"; "$"; "\""; "#"; "'" ] do
                  readText (String.replicate 2_000_000 c) |> ignore
          }
          test "2,000 equations" {
              let text =
                  String.concat
                      "\n"
                      [ for i in 1..2000 ->
                            $"dx{i}/dt = -k*x{i} + sin(x{i} - x{i + 1})*0.5^2 + w[{i}]/(1 + x{i}^2)" ]
                  |> inModel

              let file, diagnostics = readText text
              Expect.isEmpty diagnostics "no errors"
              Expect.isNonEmpty file.Items "read"
          } ]

let private text (result: Result<SourceFile, Diagnostic>) =
    match result with
    | Ok file -> file.Text
    | Error d -> diagnosticText d

let private bytes =
    let decode (bytes: byte array) = text (SourceText.decode "m.deq" bytes)

    testList
        "bytes"
        [ test "a mark and CRLF are accepted" {
              Expect.equal (decode [| 0xEFuy; 0xBBuy; 0xBFuy; 97uy; 13uy; 10uy; 98uy |]) "a\nb" "text"
          }
          test "the first byte that is not UTF-8 is named" {
              Expect.equal
                  (decode [| 97uy; 10uy; 0xC3uy; 0xA9uy; 98uy; 0xFFuy; 97uy |])
                  "2:3-2:4 DEQ0002 the byte 0xFF is not UTF-8 (save the file as UTF-8)"
                  "diagnostic"
          }
          test "a sequence cut off by the end of the file" {
              Expect.stringContains (decode [| 97uy; 0xC3uy |]) "1:2-1:3 DEQ0002 the byte 0xC3" "diagnostic"
          }
          test "UTF-16 is named" {
              Expect.stringContains
                  (decode [| 0xFFuy; 0xFEuy; 97uy; 0uy |])
                  "DEQ0002 the file is UTF-16"
                  "diagnostic"
          }
          test "NUL" {
              Expect.equal
                  (decode [| 97uy; 10uy; 98uy; 0uy |])
                  "2:2-2:3 DEQ0003 the file holds a NUL character: it is no text"
                  "diagnostic"
          }
          test "10 MB" {
              Expect.stringContains
                  (decode (Array.create 10_000_000 97uy))
                  "DEQ0004 the file has 9.5 MiB; a model may have 4 MiB"
                  "diagnostic"
          } ]

let tests = testList "Robustness" [ robustness; bytes ]
