module DiffEqLang.Tests.Compiler.FormatterTests

open System.IO
open Expecto
open FsCheck
open FsCheck.FSharp
open DiffEqLang.Contracts
open DiffEqLang.Compiler.Syntax
open DiffEqLang.Compiler.Syntax.Tree
open DiffEqLang.Tests.Support
open DiffEqLang.Tests.Support.SyntaxText

let private format text =
    match readText text with
    | file, [] -> Printer.print file
    | _, diagnostics -> failtest $"{text}\n{List.map diagnosticText diagnostics}"

/// Formatting changes no meaning and loses no comment, and doing it twice does no more.
let private keeps (text: string) =
    let once = format text
    let before, _ = readText text
    let after, diagnostics = readText once
    Expect.equal (List.map diagnosticText diagnostics) [] $"no errors in\n{once}"
    Expect.equal (fileText after) (fileText before) $"the tree of\n{once}"
    let marks (file: File) = [ for c in file.Comments -> c.Text.TrimStart '#' ] |> List.sort
    Expect.equal (marks after) (marks before) "the comments"
    Expect.equal (format once) once "formatting twice"

let private formats name (text: string) (expected: string) =
    test name {
        Expect.equal (format text) (expected.TrimStart '\n') "canonical"
        keeps text
    }

let private span = SourceSpan.None
let private expr kind : Expr = { Kind = kind; Span = span }

let private precedence operator =
    match operator with
    | Or -> 1
    | And -> 2
    | Less
    | LessOrEqual
    | Greater
    | GreaterOrEqual
    | Equal
    | NotEqual -> 4
    | Add
    | Subtract -> 5
    | Multiply
    | Divide
    | Contract -> 6
    | Power -> 8

let private binaryOperators =
    [ Or
      And
      Less
      LessOrEqual
      Greater
      GreaterOrEqual
      Equal
      NotEqual
      Add
      Subtract
      Multiply
      Divide
      Contract
      Power ]

let private levelOf (e: Expr) =
    match e.Kind with
    | If _ -> 0
    | Binary(operator, _, _, _) -> precedence operator
    | Unary(Not, _) -> 3
    | Unary(_, _) -> 7
    | _ -> 9

/// Parenthesised where the place asks for a tighter expression.
let private at level (e: Expr) = if levelOf e >= level then e else expr (Parenthesized e)

let rec private expressionOf size : Gen<Expr> =
    let name = Gen.elements [ "x"; "y"; "θ"; "state"; "W1" ]

    let leaf =
        Gen.oneof
            [ Gen.map (fun n -> expr (ExprKind.Name n)) name
              Gen.elements [ 0.0, "0"; 1.5, "1.5"; 1e-3, "1e-3"; 2000.0, "2_000" ]
              |> Gen.map (fun (v, t) -> expr (Number(v, t)))
              Gen.map2
                  (fun n order -> expr (Prime({ Name = n; Span = span }, order)))
                  name
                  (Gen.choose (1, 3)) ]

    if size <= 0 then
        leaf
    else
        let inner = expressionOf (size / 2)

        let binary operator (left: Expr) (right: Expr) =
            let level = precedence operator
            // A power is right-associative, and a sign may stand in its exponent; comparisons do not chain.
            let left, right =
                match operator with
                | Power ->
                    at 9 left,
                    (match right.Kind with
                     | Unary(Plus, _)
                     | Unary(Minus, _) -> at 7 right
                     | _ -> at 8 right)
                | _ when level = 4 -> at 5 left, at 5 right
                | _ -> at level left, at (level + 1) right

            expr (Binary(operator, left, span, right))

        let unary operator (operand: Expr) =
            match operator with
            | Not ->
                expr (
                    Unary(
                        Not,
                        (match operand.Kind with
                         | Unary(Not, _) -> operand
                         | _ -> at 4 operand)
                    )
                )
            | Plus
            | Minus ->
                expr (
                    Unary(
                        operator,
                        (match operand.Kind with
                         | Unary(Not, _) -> at 9 operand
                         | _ -> at 7 operand)
                    )
                )

        Gen.frequency
            [ 1, leaf
              5, Gen.map3 binary (Gen.elements binaryOperators) inner inner
              2, Gen.map2 unary (Gen.elements [ Plus; Minus; Not ]) inner
              1,
              Gen.map2
                  (fun f a ->
                      expr (
                          Call(
                              { Name = f; Span = span },
                              List.map (fun value -> { Name = None; Value = value }) a
                          )
                      ))
                  name
                  (Gen.listOfLength 2 inner)
              1,
              Gen.map2
                  (fun target i ->
                      expr (Index(at 9 target, [ At i; Range(Some i, None, span); Range(None, None, span) ])))
                  inner
                  inner
              1, Gen.map (fun e -> expr (Transpose(at 9 e))) inner
              1, Gen.map (fun items -> expr (Stack items)) (Gen.nonEmptyListOf inner |> Gen.resize 4)
              1, Gen.map3 (fun c a b -> expr (If(c, a, b))) inner inner inner
              1, Gen.map (ImplicitPart >> expr) inner
              1, Gen.map (Parenthesized >> expr) inner ]

let private fileOf (expressions: Expr list) : File =
    let declare i e : Declaration =
        { Doc = (if i % 3 = 0 then "Doc." else "")
          Kind =
            (if i % 2 = 0 then
                 Let({ Name = $"v{i}"; Span = span }, e)
             else
                 Equation(Derivative({ Name = "x"; Span = span }, 1), e))
          Span = span }

    { Source = SourceFile("m.deq", "")
      Items =
        [ Model
              { Doc = ""
                Name = { Name = "M"; Span = span }
                Declarations = List.mapi declare expressions
                Span = span } ]
      Comments = []
      Unread = nothingUnread }

let private files =
    Gen.sized (fun size -> Gen.listOfLength 4 (expressionOf size))
    |> Gen.map fileOf
    |> Arb.fromGen

let private samples =
    Directory.EnumerateFiles(
        Prelude.repositoryRoot,
        "*.deq",
        EnumerationOptions(RecurseSubdirectories = true)
    )
    |> Seq.filter (fun path -> not (path.Contains "broken"))
    |> Seq.sort
    |> List.ofSeq

let private untidy =
    "# top\nimport   \"a.deq\"\n## Doc\n# odd\nmodel  A{ # head\n\n\n  state x,y:R[2]  , z # s\n param k:R=0.04 in(0,inf)\n  param long_name=1\n"
    + "\n # own\n dx/dt=-( x+y )*k   # eq\n dy/dt= f(x, # inner\n  ## two\n y)\n  when rising(x-1){stop}\n when every( 1 ) {\n x:=1 # a\n\n # b\n }\n"
    + " solve{ t=0..1,method=rk4(dt=0.1) }\n implicit {\n z'=-z\n }\n # last\n ## orphan\n} # end\nmodel B=time_reversal(A,score=s)\n# eof\n"

let tests =
    testList
        "Formatter"
        [ formats
              "a text keeps its quotation marks"
              "model M {\n state x\n x'=x\n solve{method=rk( \"a b.json\",dt=1 )}\n}"
              """
model M {
  state x
  dx/dt = x
  solve { method = rk("a b.json", dt = 1) }
}
"""
          formats
              "a stiff part keeps its braces, within a line and over several"
              "model M {\n state x\n x'=implicit{-k*x}+implicit {\n a_long_name*another_long_name + yet_another_long_name*one_more_name + short\n }\n}"
              """
model M {
  state x
  dx/dt = implicit { -k*x } +
      implicit { a_long_name*another_long_name + yet_another_long_name*one_more_name + short }
}
"""
          formats
              "columns of neighbours"
              "model M {\nstate y:R[2]\nparam W1:R[h,2]~normal(0,0.1)\nparam b:R=0\nparam k:R=0.5 in (0,inf)\n\ndy/dt=y\ndlong/dt=-y\n}"
              "
model M {
  state y : R[2]
  param W1 : R[h, 2] ~ normal(0, 0.1)
  param b  : R       = 0
  param k  : R       = 0.5            in (0, inf)

  dy/dt    = y
  dlong/dt = -y
}
"
          formats
              "comments and empty lines"
              untidy
              "
# top
import \"a.deq\"
# odd
## Doc
model A {                # head
  state x, y : R[2], z   # s
  param k         : R = 0.04 in (0, inf)
  param long_name     = 1

  # own
  dx/dt = -(x + y)*k   # eq
  # inner
  # two
  dy/dt = f(x, y)
  when rising(x - 1) { stop }
  when every(1) {
    x := 1   # a

    # b
  }
  solve { t = 0 .. 1, method = rk4(dt = 0.1) }
  implicit {
    dz/dt = -z
  }
  # last
  ## orphan
}   # end
model B = time_reversal(A, score = s)
# eof
"
          testCase "random expressions print, parse and are the same"
          <| fun () ->
              Check.One(
                  Config.QuickThrowOnFailure.WithMaxTest(400).WithEndSize(40),
                  Prop.forAll files (fun file ->
                      let printed = Printer.print file
                      let again, diagnostics = readText printed
                      Expect.equal (List.map diagnosticText diagnostics) [] printed
                      Expect.equal (fileText again) (fileText file) printed
                      Expect.equal (Printer.print again) printed "printing twice")
              )
          test "no line is longer than asked where it can be broken" {
              let terms = String.concat " + " [ for i in 1..60 -> $"f(x{i}, y)" ]
              let lines = (format $"model M {{\n let y = g({terms})\n}}").Split '\n'
              Expect.all lines (fun line -> line.Length <= 100) "100 columns"
          }
          test "line ends are LF" {
              Expect.equal (format "model M {\r\n state x\r\n}\r\n") "model M {\n  state x\n}\n" "LF"
          }
          testList
              "sample files"
              [ for path in samples ->
                    test (Path.GetRelativePath(Prelude.repositoryRoot, path)) {
                        keeps (System.IO.File.ReadAllText path)
                    } ] ]
