/// What the reader says about text that is no model: every line of it, with its place.
module DiffEqLang.Tests.Compiler.SyntaxErrorTests

open Expecto
open DiffEqLang.Tests.Support.SyntaxText

/// A model's line, and its diagnostics with places counted in that line's file.
let private reports statement expected =
    test statement {
        Expect.equal (List.map diagnosticText (snd (readText (inModel statement)))) expected "the diagnostics"
    }

let private reportsInFile (text: string) expected =
    test (text.ReplaceLineEndings "↵") {
        Expect.equal (List.map diagnosticText (snd (readText text))) expected "the diagnostics"
    }

let private slips =
    testList
        "errors"
        [ reports "let y = x**2" [ "2:10-2:12 DEQ0111 `**` is not an operator of the language (write `^`)" ]
          reports "let y == 3" [ "2:7-2:9 DEQ0112 `==` compares; it neither defines nor equates (write `=`)" ]
          reports
              "dx/dt == -x"
              [ "2:7-2:9 DEQ0112 `==` compares; it neither defines nor equates (write `=`)" ]
          reports
              "dx/dt ~ -x"
              [ "2:7-2:8 DEQ0113 `~` gives a parameter or a sample its distribution; it neither defines nor equates (write `=`)" ]
          reports
              "let y ~ 3"
              [ "2:7-2:8 DEQ0113 `~` gives a parameter or a sample its distribution; it neither defines nor equates (write `=`)" ]
          reports
              "let y := 3"
              [ "2:7-2:9 DEQ0114 `:=` changes a state in an event; elsewhere nothing is assigned (write `=`)" ]
          reports
              "dx/dt := 3"
              [ "2:7-2:9 DEQ0114 `:=` changes a state in an event; elsewhere nothing is assigned (write `=`)" ]
          reports
              "when rising(x) { v = 3 }"
              [ "2:20-2:21 DEQ0115 `=` holds always; an event changes a state at one time (write `:=`)" ]
          reports
              "when rising(x) { v == 3 }"
              [ "2:20-2:22 DEQ0112 `==` compares; it neither defines nor equates (write `:=`)" ]
          reports
              "when rise(x) { v := 3 }"
              [ "2:6-2:10 DEQ0103 `rise` is no kind of event; there are `rising`, `falling`, `crossing`, `every` and `at`" ]
          reports "when rising(x) { v }" [ "2:18-2:19 DEQ0101 an event does `x := ...` or `stop`" ]
          reports
              "state x;"
              [ "2:8-2:9 DEQ0116 `;` does not end a statement (a statement ends with its line: leave `;` out)" ]
          reports
              "state x; state y"
              [ "2:8-2:9 DEQ0116 `;` does not end a statement (a statement ends with its line: leave `;` out)" ]
          reports
              "let y = (a + b)'"
              [ "2:9-2:17 DEQ0117 a prime stands behind the name of a state only: `x'` is its derivative (the transpose of a matrix is `A.T`)" ]
          reports "let y = 'a'" [ "2:9-2:10 DEQ0101 expected an expression, found `'`" ]
          reports "let y = (a + b" [ "2:9-2:10 DEQ0104 `(` is never closed: `)` is missing" ]
          reports "let y = f(a, [b, c)" [ "2:14-2:15 DEQ0104 `[` is never closed: `]` is missing" ]
          reports "let y = a + b)" [ "2:14-2:15 DEQ0105 `)` closes nothing (leave it out, or open it above)" ]
          reports
              "modle Foo { state x }"
              [ "2:1-2:6 DEQ0103 `modle` begins no declaration (did you mean `model`?)"
                "2:1-2:6 DEQ0130 `modle` cannot stand inside a model" ]
          reports "parm k = 3" [ "2:1-2:5 DEQ0103 `parm` begins no declaration (did you mean `param`?)" ]
          reports
              "parameter k = 3"
              [ "2:1-2:10 DEQ0103 `parameter` begins no declaration (did you mean `param`?)" ]
          reports "d x/dt = -x" [ "2:1-2:4 DEQ0118 a differential is written as one word (write `dx`)" ]
          reports
              "dx dt = -x"
              [ "2:4-2:6 DEQ0101 expected an operator or the end of the line, found `dt` (a product is written `a*b`, a call `f(x)`)" ]
          reports "dx/dt -x" [ "2:1-2:9 DEQ0106 this is no declaration, and no equation without `=`" ]
          reports "x" [ "2:1-2:2 DEQ0106 this is no declaration, and no equation without `=`" ]
          reports "let y 3" [ "2:7-2:8 DEQ0106 `=` is missing before `3`" ]
          reports "let y = f(a b)" [ "2:13-2:14 DEQ0107 a comma is missing before `b`" ]
          reports "let y = [1 2]" [ "2:12-2:13 DEQ0107 a comma is missing before `2`" ]
          reports "state x y" [ "2:9-2:10 DEQ0107 a comma is missing before `y`" ]
          reports "state x : R[2 3]" [ "2:15-2:16 DEQ0107 a comma is missing before `3`" ]
          reports "fn f(a b) = a" [ "2:8-2:9 DEQ0107 a comma is missing before `b`" ]
          reports
              "solve { t = 0 .. 1 method = rk4 }"
              [ "2:20-2:26 DEQ0107 a comma is missing before `method`" ]
          reports
              "let y = a b"
              [ "2:11-2:12 DEQ0101 expected an operator or the end of the line, found `b` (a product is written `a*b`, a call `f(x)`)" ]
          reports "let y = 2x" [ "2:9-2:11 DEQ0123 `2x` is no number and no name (write `2*x`)" ]
          reports "let y = 1." [ "2:9-2:11 DEQ0122 a number ends with a digit (write `1.0`)" ]
          reports "let y = .5" [ "2:9-2:11 DEQ0122 a number begins with a digit (write `0.5`)" ]
          reports
              "let y = a // comment"
              [ "2:11-2:21 DEQ0119 `//` does not begin a comment (a comment begins with `#`)" ]
          reports
              "let y = a /* comment */"
              [ "2:11-2:24 DEQ0119 `/*` does not begin a comment (a comment begins with `#`)" ]
          reports "import foo.deq" [ "2:1-2:7 DEQ0130 `import` cannot stand inside a model" ]
          reports
              "let y = a && b || !c"
              [ "2:11-2:13 DEQ0125 `&&` is not an operator of the language (write `and`)"
                "2:16-2:18 DEQ0125 `||` is not an operator of the language (write `or`)"
                "2:19-2:20 DEQ0125 `!` is not an operator of the language (write `not`)" ]
          reports
              "let y = a < b < c"
              [ "2:9-2:18 DEQ0126 comparisons do not chain (join two of them: `a < b and b < c`)" ]
          reports
              "let _y = 3"
              [ "2:5-2:7 DEQ0127 the name `_y` begins with `_` (a name begins with a letter)" ]
          reports "param k = 1 = 2" [ "2:13-2:16 DEQ0128 the parameter has a value already" ]
          reports
              "let y = 1e999"
              [ "2:9-2:14 DEQ0129 `1e999` is beyond the range of float64 (about 1.8e308) (infinity is written `inf`)" ]
          reports "let y = a +" [ "2:12-2:12 DEQ0101 expected an expression, found the end of the line" ]
          reports "let y =" [ "2:8-2:8 DEQ0101 expected an expression, found the end of the line" ]
          reports "state" [ "2:6-2:6 DEQ0101 expected a name, found the end of the line" ]
          reports "state x : R[" [ "2:12-2:13 DEQ0104 `[` is never closed: `]` is missing" ]
          reports
              "param k : R = 0.04 in 0, 1"
              [ "2:23-2:24 DEQ0101 expected `(` or `[`, found `0` (an interval is written `in (0, 1)`)" ]
          reports "let y = a $ b" [ "2:11-2:12 DEQ0102 unexpected character `$`" ]
          reports "let y = a − b" [ "2:11-2:12 DEQ0102 unexpected character `−` (write `-`)" ]
          reports "let if = 3" [ "2:5-2:7 DEQ0101 expected a name, found `if`" ]
          reports
              "let y = if a then b"
              [ "2:20-2:20 DEQ0101 expected an operator or `else`, found the end of the line (a choice is an expression: `if c then a else b`)" ]
          reports "net f : R[2] = tanh" [ "2:14-2:15 DEQ0101 expected `->`, found `=`" ]
          reports
              "jumps N : rat(3)"
              [ "2:11-2:14 DEQ0103 a Poisson process is declared by its intensity, `rate(...)` (did you mean `rate`?)" ]
          reports
              "wiener W : R[2], corelation = C"
              [ "2:18-2:28 DEQ0103 a Brownian motion has no `corelation`, only a `correlation` (did you mean `correlation`?)" ]
          reports "let y = A.U" [ "2:9-2:12 DEQ0101 nothing has a part `.U` (the transpose is `.T`)" ]
          reports
              "let y = f(a + 1 = 3)"
              [ "2:11-2:16 DEQ0101 the name of an argument is one word, as in `axis = 0`" ]
          reports ") state x" [ "2:1-2:2 DEQ0105 `)` closes nothing (leave it out, or open it above)" ]
          reports "= 3" [ "2:1-2:2 DEQ0101 expected a declaration or an equation, found `=`" ]
          reports "let y = \"abc" [ "2:9-2:13 DEQ0121 this text is never closed (add `\"` at its end)" ]
          reports "calculus" [ "2:9-2:9 DEQ0101 expected a name, found the end of the line" ]
          reports "let y = [ ]" [ "2:11-2:12 DEQ0101 expected an expression, found `]`" ]
          reports "model B { state x }" [ "2:1-2:6 DEQ0130 `model` cannot stand inside a model" ]
          reports "implicit { state x }" [ "2:12-2:17 DEQ0101 expected `}`, found `state`" ]
          reports "solve" [ "2:6-2:6 DEQ0108 expected `{`, found the end of the line" ]
          reports "when rising(x" [ "2:12-2:13 DEQ0104 `(` is never closed: `)` is missing" ]
          reports
              "model B(3)"
              [ "2:1-2:6 DEQ0130 `model` cannot stand inside a model"
                "2:8-2:9 DEQ0108 expected `{`, found `(`" ]
          reports
              "let y = a\n  + b"
              [ "3:3-3:4 DEQ0124 a line does not begin with `+` (end the line above with `+`)" ]
          reportsInFile "" [ "1:1-1:1 DEQ0109 the file declares nothing (a model is `model Name { ... }`)" ]
          reportsInFile
              "# only\n"
              [ "1:1-1:1 DEQ0109 the file declares nothing (a model is `model Name { ... }`)" ]
          reportsInFile
              "import layers.deq"
              [ "1:1-1:18 DEQ0120 a path stands in quotation marks (write `import \"layers.deq\"`)" ]
          reportsInFile "model M {\n state x\n" [ "1:9-1:10 DEQ0104 `{` is never closed: `}` is missing" ]
          reportsInFile
              "model M {\n state x\nmodel B {\n state y\n}"
              [ "1:9-1:10 DEQ0104 `{` is never closed: `}` is missing" ]
          reportsInFile "model M\n state x\n}" [ "1:8-1:8 DEQ0108 `{` is missing behind `model M`" ]
          reportsInFile
              "state x"
              [ "1:1-1:6 DEQ0130 `state` stands outside a model (a model is `model Name { ... }`)" ]
          reportsInFile
              "model M {\n let y = (a +\n dx/dt = 2x\n let z = 3 3\n state q r\n}"
              [ "2:10-2:11 DEQ0104 `(` is never closed: `)` is missing"
                "3:10-3:12 DEQ0123 `2x` is no number and no name (write `2*x`)"
                "4:12-4:13 DEQ0101 expected an operator or the end of the line, found `3` (a product is written `a*b`, a call `f(x)`)"
                "5:10-5:11 DEQ0107 a comma is missing before `r`" ] ]

let tests = testList "SyntaxErrors" [ slips ]
