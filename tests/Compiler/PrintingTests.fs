module DiffEqLang.Tests.Compiler.PrintingTests

open Expecto
open FsCheck
open FsCheck.FSharp
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.Document
open DiffEqLang.Compiler.Printing.CSharp

let private show width document = layout width document

/// Random documents without line ends that are forced.
let rec private documents size : Gen<Document> =
    let text = Gen.elements [ "a"; "bb"; "long_name"; "(" ] |> Gen.map Text
    let breaks = Gen.elements [ space; softBreak ]

    if size = 0 then
        Gen.oneof [ text; breaks ]
    else
        let inner = documents (size / 2)

        Gen.oneof
            [ text
              breaks
              Gen.map2 (^^) inner inner
              inner |> Gen.map Group
              Gen.map2 (fun n d -> Nest(n, d)) (Gen.choose (0, 4)) inner ]

type private Documents =
    static member Document() = Arb.fromGen (Gen.sized (fun n -> documents (min n 60)))

let private property name (test: Document -> bool) =
    testPropertyWithConfig
        { FsCheckConfig.defaultConfig with
            arbitrary = [ typeof<Documents> ]
            maxTest = 300 }
        name
        test

let private words (text: string) = text |> String.filter (fun c -> c <> ' ' && c <> '\n')

let private algebra =
    testList
        "algebra"
        [ property "joining is associative" (fun d ->
              let e, f = Group(Text "x" ^^ space ^^ d), Nest(2, d ^^ space)
              show 20 ((d ^^ e) ^^ f) = show 20 (d ^^ (e ^^ f)))
          property "nothing is the unit" (fun d ->
              show 20 (Empty ^^ d) = show 20 d && show 20 (d ^^ Empty) = show 20 d)
          property "width moves line ends, never text" (fun d ->
              words (show 5 (Group d)) = words (show 500 (Group d)))
          property "a group that fits stays on its line" (fun d ->
              (show 100_000 (Group d) |> Seq.filter ((=) '\n') |> Seq.length) = 1)
          property "nesting by zero changes nothing" (fun d -> show 20 (Nest(0, d)) = show 20 d)
          property "no line ends in a space" (fun d ->
              (show 10 d).Split '\n' |> Array.forall (fun l -> l.TrimEnd() = l))
          test "a group breaks all its own breaks, and its parts none where they fit" {
              let inner = Group(Text "[" ^^ softBreak ^^ Text "a" ^^ softBreak ^^ Text "]")
              let outer = Group(Text "call" ^^ space ^^ inner ^^ space ^^ inner)
              Expect.equal (show 10 outer) "call\n[a]\n[a]\n" ""
          }
          test "what follows a group on its line counts towards the width" {
              let document = Group(Text "aaaa" ^^ space ^^ Text "bbbb") ^^ Text ";;"
              Expect.equal (show 11 document) "aaaa bbbb;;\n" "fits"
              Expect.equal (show 10 document) "aaaa\nbbbb;;\n" "does not fit"
          }
          test "a forced line end breaks the groups around it" {
              Expect.equal
                  (show 80 (Group(Text "a" ^^ space ^^ Text "b" ^^ HardLine ^^ Text "c")))
                  "a\nb\nc\n"
                  ""
          }
          test "comments of neighbouring lines start in one column" {
              let document =
                  lines [ Text "a;" ^^ Trailing "// 1"; Text "bbbb;" ^^ Trailing "// 2"; Text "c;" ]

              Expect.equal (show 80 document) "a;      // 1\nbbbb;   // 2\nc;\n" ""
          }
          test "a statement's comment stands behind it where there is room, else above it" {
              let statement text = Group(Text text ^^ Nest(2, space ^^ Text "rest;"))

              let document =
                  Text "{"
                  ^^ Nest(
                      2,
                      HardLine
                      ^^ lines
                          [ Commented("// short", statement "a")
                            Commented("// one that is too long", statement "b")
                            Commented("// broken", statement "twenty columns, no end") ]
                  )

              Expect.equal
                  (show 24 document)
                  "{\n  a rest;   // short\n  // one that is too long\n  b rest;\n  // broken\n  twenty columns, no end\n    rest;\n"
                  ""
          }
          test "a column of comments gives way where one would leave the page" {
              let document =
                  lines [ Commented("// wide comment", Text "a;"); Commented("// c", Text "much longer;") ]

              Expect.equal (show 20 document) "a;   // wide comment\nmuch longer;   // c\n" ""
          }
          test "a hundred thousand parts take no stack" {
              let many = List.init 100_000 (fun _ -> Text "x") |> separated space |> Group
              Expect.equal (show 40 many |> Seq.filter ((=) '\n') |> Seq.length) 100_000 ""
          } ]

let private a = Name "a"
let private b = Name "b"
let private c = Name "c"

let private spelled expr expected =
    test expected { Expect.equal (CSharpLayout.expressionText 120 expr) expected "" }

let private precedence =
    testList
        "precedence"
        [ spelled (Infix(Infix(a, "+", b), "*", c)) "(a + b) * c"
          spelled (Infix(a, "+", Infix(b, "*", c))) "a + b * c"
          spelled (Infix(a, "-", Infix(b, "-", c))) "a - (b - c)"
          spelled (Infix(Infix(a, "-", b), "-", c)) "a - b - c"
          spelled (Infix(a, "/", Infix(b, "*", c))) "a / (b * c)"
          spelled (Prefix("-", Infix(a, "*", b))) "-(a * b)"
          spelled (Infix(Prefix("-", a), "*", b)) "-a * b"
          spelled (Prefix("-", Prefix("-", a))) "-(-a)"
          spelled (Prefix("-", Literal "-1")) "-(-1)"
          spelled (invokeMethod (Infix(a, "+", b)) "tanh" []) "(a + b).tanh()"
          spelled (invokeMethod (Prefix("-", a)) "tanh" []) "(-a).tanh()"
          spelled (invokeMethod (Literal "-1") "pow" [ b ]) "(-1).pow(b)"
          spelled (Infix(a, "&", Infix(b, "<", c))) "a & b < c"
          spelled (Infix(Infix(a, "&", b), "==", c)) "(a & b) == c"
          spelled (Conditional(Conditional(a, b, c), a, b)) "(a ? b : c) ? a : b"
          spelled (Element(Collection [ a; Spread b ], [ Literal "^1" ])) "[a, .. b][^1]"
          spelled (Prefix("-", invokeMethod (Name "Sums") "Of" [ a; b ])) "-Sums.Of(a, b)"
          spelled (New("Interval", [ argument (Literal "0"); labelled "high" a ])) "new Interval(0, high: a)" ]

let private wide =
    testList
        "lines"
        [ test "a sum breaks before its operators" {
              let sum =
                  List.init 12 (fun i -> Name(sprintf "operand%d" i))
                  |> List.reduce (fun l r -> Infix(l, "+", r))

              let text = CSharpLayout.expressionText 60 sum
              let rest = text.Split '\n' |> Array.tail
              Expect.all rest _.StartsWith("    + operand") "every operator leads a line"
          }
          test "no statement is wider than a page, if it can be broken" {
              let call =
                  invoke
                      "linear"
                      [ for i in 1..30 ->
                            invokeMethod (Name(sprintf "tensor%d" i)) "unsqueeze" [ Literal "-1" ] ]

              let text = CSharpLayout.statementsText [ statement (Local("value", call)) ]
              Expect.all (text.Split '\n') (fun line -> line.Length <= CSharpLayout.width) ""
          }
          test "documentation is escaped" {
              let field =
                  { Documentation = summary "a < b & \"c\""
                    Attributes = []
                    Modifiers = [ "private" ]
                    Kind = Field("int", "x", None) }

              let file = { Usings = []; Namespace = "N"; Types = [ field ] }

              Expect.stringContains
                  (CSharpLayout.file false file)
                  "/// <summary>a &lt; b &amp; \"c\"</summary>"
                  ""
          }
          test "line directives lead to the model" {
              let source: Source = { File = "m.deq"; Line = 7; Text = "x" }
              let body = Block [ { Kind = Return a; Source = Some source } ]

              let method' =
                  { Documentation = noDocumentation
                    Attributes = []
                    Modifiers = []
                    Kind = Method("int", "f", [], body) }

              let text = CSharpLayout.file true { Usings = []; Namespace = "N"; Types = [ method' ] }
              Expect.stringContains text "#line 7 \"m.deq\"\n    return a;" ""
              Expect.stringContains text "#line default" ""
          } ]

let tests = testList "Printing" [ algebra; precedence; wide ]
