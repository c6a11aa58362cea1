/// The verb that differentiates: grad.
module DiffEqLang.Tests.EndToEnd.GradVerbTests

open System
open System.IO
open System.Text.Json
open Expecto
open DiffEqLang.Compiler.Checking
open DiffEqLang.Tests.EndToEnd.Deqc

let tests =
    testList
        "GradVerb"
        [ testCase "grad warns where the state cannot be solved backwards, and keeps its output clean"
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

              for mode in
                  [ for m in [ "discrete"; "backsolve"; "interpolated"; "forward" ] do
                        [ "--gradient"; m ]
                    [ "--checkpoints"; "3" ]
                    [ "--gradient"; "reversible"; "--method"; "reversible_heun"; "--dt"; "1e-4" ] ] do
                  let result = jsonOf (deqc ([ "grad"; path; "--loss"; "x^2"; "--json" ] @ mode))
                  // x(1)^2 = exp(-2k) x0^2
                  Expect.floatClose close (result |> at "loss" |> number) (exp -1.0) "loss"
                  let gradients = result |> at "gradients"
                  Expect.floatClose close (gradients |> at "k" |> number) (-2.0 * exp -1.0) $"by k, {mode}"

                  Expect.floatClose
                      close
                      (gradients |> at "init(x)" |> number)
                      (2.0 * exp -1.0)
                      $"by init(x), {mode}"

              deqc [ "grad"; path; "--loss"; "x^2"; "--checkpoints"; "0" ]
              |> expectRefusal 2 "a whole number"

              let hessian =
                  jsonOf (deqc [ "grad"; path; "--loss"; "x^2"; "--hessian"; "--json" ]) |> at "hessian"

              let variables = [ for v in (hessian |> at "variables").EnumerateArray() -> v.GetString() ]
              Expect.equal variables [ "k"; "init(x)" ] "rows"

              let rows =
                  [ for row in (hessian |> at "values").EnumerateArray() ->
                        [ for v in row.EnumerateArray() -> number v ] ]

              for found, expected in List.zip (List.concat rows) [ 4.0; -4.0; -4.0; 2.0 ] do
                  Expect.floatClose
                      close
                      found
                      (expected * exp -1.0)
                      "second derivatives by the values themselves"

              Expect.isLessThan (hessian |> at "difference" |> number) 1e-5 "differences of the gradient"

              let one = jsonOf (deqc [ "grad"; path; "--loss"; "x^2"; "--wrt"; "k"; "--json" ])
              Expect.equal [ for g in (one |> at "gradients").EnumerateObject() -> g.Name ] [ "k" ] "--wrt"

              deqc [ "grad"; path; "--loss"; "x^2"; "--wrt"; "kk" ]
              |> expectRefusal 2 "did you mean 'k'?")
          testCase "grad compares the ways to a gradient, and says which are closed and why"
          <| inFolder (fun folder ->
              let path = write folder "decay.deq" (decay.Replace("target = torch", "target = auto"))
              let result = jsonOf (deqc [ "grad"; path; "--loss"; "x^2"; "--compare"; "--json" ])
              let ways = [ for way in (result |> at "ways").EnumerateArray() -> way ]

              let nameOf way = (way |> at "gradient").GetString() + " " + (way |> at "target").GetString()

              Expect.equal
                  (List.map nameOf ways)
                  [ for mode in Methods.gradient.Now do
                        for target in [ "torch"; "simd" ] -> mode + " " + target ]
                  "all ways"

              let isClosed way =
                  nameOf way = "reversible torch"
                  || (nameOf way <> "discrete simd" && (nameOf way).EndsWith "simd")

              for way in List.filter (not << isClosed) ways do
                  Expect.floatClose
                      close
                      (way |> at "gradients" |> at "k" |> number)
                      (-2.0 * exp -1.0)
                      (nameOf way)

                  Expect.isGreaterThan (way |> at "seconds" |> number) 0.0 "seconds"
                  Expect.isLessThan (way |> at "difference" |> number) 1e-4 "difference"

              for way in List.filter isClosed ways do
                  let why = if nameOf way = "reversible torch" then "cannot be undone" else "torch"
                  Expect.stringContains ((way |> at "obstacle").GetString()) why "why"

              let table = deqc [ "grad"; path; "--loss"; "x^2"; "--compare" ]
              Expect.equal table.Code 0 table.Error
              Expect.stringContains table.Output "difference" "the table"

              deqc [ "grad"; path; "--loss"; "x^2"; "--compare"; "--wrt"; "kk" ]
              |> expectRefusal 2 "did you mean 'k'?") ]
