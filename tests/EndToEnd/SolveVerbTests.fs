/// The verbs that compute: run, eval, doctor.
module DiffEqLang.Tests.EndToEnd.SolveVerbTests

open System
open System.IO
open System.Text.Json
open Expecto
open DiffEqLang.Compiler.Checking
open DiffEqLang.Tests.EndToEnd.Deqc

/// A parameter of each kind of distribution, and outputs that are they.
let private drawn =
    """model Drawn {
  dim n = 3
  state x : R[n]
  param w ~ uniform(-1, 1)
  param A : R[n, n] ~ xavier_normal
  param v : R[n] ~ normal(0, 2)
  net f : R[n] -> R[n] = dense(4) |> tanh |> dense(n)
  dx/dt = f(x) + w*(A @ x) + v
  output the_w = w
  output the_A = A
  output the_v = v
  init x = 1
}
"""

let private later =
    testList
        "run goes on later"
        [ testCase "with the steps of one solve"
          <| inFolder (fun folder ->
              let path = write folder "decay.deq" decay
              let kept, then' = Path.Combine(folder, "a.state"), Path.Combine(folder, "b.state")
              let solved arguments = jsonOf (deqc ([ "run"; path; "--json" ] @ arguments))

              let last (run: JsonElement) =
                  (run |> at "states" |> at "x").EnumerateArray() |> Seq.last |> number

              let whole = solved [ "--t"; "0..3" ]
              solved [ "--t"; "0..1"; "--checkpoint"; kept ] |> ignore
              solved [ "--t"; "0..2"; "--resume"; kept; "--checkpoint"; then' ] |> ignore
              let rest = solved [ "--t"; "0..3"; "--resume"; then'; "--points"; "3" ]
              Expect.equal (last rest) (last whole) "the last bit"
              Expect.equal ((rest |> at "t").GetRawText()) "[2,2.5,3]" "from where it had come"

              let accepted (run: JsonElement) = (run |> at "statistics" |> at "accepted").GetInt64()
              Expect.isLessThanOrEqual (accepted rest) (accepted whole) "steps"
              let told = deqc [ "run"; path; "--t"; "0..1"; "--checkpoint"; kept ]
              Expect.stringContains told.Output $"{kept} written" "said")

          testCase "or says why not"
          <| inFolder (fun folder ->
              let path = write folder "decay.deq" decay
              let kept = Path.Combine(folder, "a.state")
              let run arguments = deqc ([ "run"; path ] @ arguments)
              run [ "--t"; "0..1"; "--checkpoint"; kept ] |> ignore
              run [ "--resume"; kept + "s" ] |> expectRefusal 4 "there is no such file"
              run [ "--resume"; path ] |> expectRefusal 4 "safetensors"

              run [ "--resume"; kept; "--init"; "x=2" ]
              |> expectRefusal 2 "leave --paths and --init out"

              run [ "--t"; "0..0.5"; "--resume"; kept ] |> expectRefusal 2 "lies ahead"

              run [ "--t"; "0..2"; "--method"; "rk4"; "--dt"; "0.1"; "--resume"; kept ]
              |> expectRefusal 2 "the method"

              run [ "--checkpoint"; Path.Combine(folder, "no", "a.state") ]
              |> expectRefusal 4 "cannot be written") ]

let private solving =
    testList
        "run, eval"
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
              Expect.isGreaterThan ((run |> at "statistics" |> at "accepted").GetInt64()) 0L "steps"

              let stiff =
                  jsonOf (
                      deqc [ "run"; path; "--json"; "--at"; "0,2"; "--method"; "radau"; "--target"; "torch" ]
                  )

              for what in [ "jacobians"; "factorizations" ] do
                  Expect.isGreaterThan ((stiff |> at "statistics" |> at what).GetInt64()) 0L what

              let chosen = jsonOf (deqc [ "run"; path; "--json"; "--method"; "auto"; "--target"; "torch" ])

              Expect.equal
                  ((chosen |> at "methods").GetRawText())
                  "[{\"t\":0,\"method\":\"tsit5\"}]"
                  "which method solved it")
          testCase "run lists the events, grad goes through them"
          <| inFolder (fun folder ->
              let path =
                  write
                      folder
                      "ball.deq"
                      "model Ball {\n  state h\n  param e = 0.8\n  d2h/dt2 = -9.8\n  when falling(h) { h' := -e*h' }\n  when at(0.9) { stop }\n  init h = 1\n  init h' = 0\n  solve { t = 0 .. 5, method = dopri5(rtol = 1e-10, atol = 1e-10) }\n}\n"

              let run = jsonOf (deqc [ "run"; path; "--json" ])
              Expect.equal ((run |> at "status").GetString()) "Stopped" "status"
              let events = (run |> at "events").EnumerateArray() |> List.ofSeq

              Expect.equal
                  [ for e in events -> (e |> at "event").GetString() ]
                  [ "falling(h)"; "at(0.9)" ]
                  "which"

              let hit = sqrt (2.0 / 9.8)
              Expect.floatClose close (events[0] |> at "t" |> number) hit "when"
              Expect.floatClose close (events[0] |> at "before" |> at "h'" |> number) (-9.8 * hit) "before"

              Expect.floatClose
                  close
                  (events[0] |> at "after" |> at "h'" |> number)
                  (0.8 * 9.8 * hit)
                  "after"

              let summary = (deqc [ "run"; path ]).Output
              Expect.stringContains summary "falling(h) at t = 0.451754" "for a person"
              let grad = jsonOf (deqc [ "grad"; path; "--loss"; "h'"; "--json" ])
              Expect.floatClose close (grad |> at "gradients" |> at "e" |> number) (9.8 * hit) "d h' / d e")
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
          testCase "a symplectic method keeps the energy of what the compiler has found to be separable"
          <| inFolder (fun folder ->
              let kepler =
                  """model Kepler {
  state y : R[4]
  let r = sqrt(y[0]^2 + y[1]^2)
  dy/dt = [y[2], y[3], -y[0]/r^3, -y[1]/r^3]
  output energy = (y[2]^2 + y[3]^2)/2 - 1/r
  init y = [0.4, 0, 0, 2]
  solve { t = 0 .. 100, method = yoshida4(dt = 0.02) }
}
"""

              let path = write folder "kepler.deq" kepler

              let largestError arguments =
                  (jsonOf (deqc ([ "run"; path; "--json"; "--points"; "51" ] @ arguments))
                   |> at "outputs"
                   |> at "energy")
                      .EnumerateArray()
                  |> Seq.map (fun e -> abs (number e + 0.5))
                  |> Seq.max

              Expect.isLessThan (largestError []) 1e-4 "bounded"

              let nystrom = [ "--method"; "dprkn12"; "--rtol"; "1e-12"; "--atol"; "1e-12" ]
              Expect.isLessThan (largestError nystrom) 1e-10 "of the second order, as it finds, too"

              Expect.isGreaterThan
                  (largestError [ "--method"; "rk4"; "--dt"; "0.06" ])
                  1e-3
                  "that of rk4 is not"

              let damped =
                  write folder "damped.deq" (kepler.Replace("y[2], y[3], -y[0]", "y[2], y[3] - y[1], -y[0]"))

              let refused = deqc [ "check"; damped ]

              Expect.stringContains
                  (refused.Output + refused.Error)
                  "`y[1]` depends on `y[1]` itself"
                  "the place"

              write folder "damped.deq" ((File.ReadAllText damped).Replace("yoshida4", "rk4")) |> ignore

              deqc [ "run"; damped; "--method"; "leapfrog"; "--dt"; "0.1" ]
              |> expectRefusal 2 "positions and momenta")
          testCase "a method of a file, in the solve block and on the command line"
          <| inFolder (fun folder ->
              let heun =
                  """{ "name": "mine", "order": 2, "a": [[], [1]], "b": [0.5, "1/2"], "b_hat": [1, 0] }"""

              let file = write folder "mine.json" heun
              let solve = "solve { t = 0 .. 1, method = rk(\"mine.json\", rtol = 1e-8), target = simd }"

              let path =
                  write
                      folder
                      "growth.deq"
                      $"model Growth {{\n  state x\n  dx/dt = x\n  init x = 1\n  {solve}\n}}"

              let last arguments =
                  (jsonOf (deqc ([ "run"; path; "--json"; "--at"; "1" ] @ arguments))
                   |> at "states"
                   |> at "x").[0]
                  |> number

              Expect.floatClose { absolute = 1e-7; relative = 0.0 } (last []) (exp 1.0) "its own step"

              Expect.floatClose
                  { absolute = 1e-2; relative = 0.0 }
                  (last [ "--method"; $"rk(\"{file}\")"; "--rtol"; "1e-2" ])
                  (exp 1.0)
                  "of the command line"

              write folder "mine.json" (heun.Replace("\"order\": 2", "\"order\": 3")) |> ignore
              let refused = deqc [ "check"; path ]
              Expect.equal refused.Code 1 "refused"
              Expect.stringContains (refused.Output + refused.Error) "DEQ0610" "by its code"
              let other = write folder "decay.deq" decay
              deqc [ "run"; other; "--method"; $"rk({file})" ] |> expectRefusal 2 "not of the order 3")
          testCase "the generated class holds the tableau, and its fused step is for that alone"
          <| inFolder (fun folder ->
              write folder "mine.json" """{ "name": "mine", "order": 1, "a": [[]], "b": [1] }"""
              |> ignore

              let path =
                  write
                      folder
                      "m.deq"
                      "model M {\n  state x\n  dx/dt = x\n  solve { method = rk(\"mine.json\", dt = 0.1) }\n}"

              Expect.equal (deqc [ "build"; path ]).Code 0 "built"
              let generated name = File.ReadAllText(Path.Combine(folder, "Generated", name))
              Expect.stringContains (generated "M.g.cs") "\"mine\"" "its name"
              Expect.stringContains (generated "M.g.cs") "Tableau = Tableau" "in the method"
              Expect.stringContains (generated "M.Simd.g.cs") "FusedAdvance => \"mine " "name and hash")
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
          testCase "eval draws the random parameters that run draws"
          <| inFolder (fun folder ->
              let path = write folder "drawn.deq" drawn
              let run = jsonOf (deqc [ "run"; path; "--json"; "--seed"; "7"; "--at"; "0,1" ])

              let eval name =
                  jsonOf (deqc [ "eval"; path; "--expr"; name; "--seed"; "7"; "--json" ]) |> at "value"

              // The outputs of run are the parameters themselves.
              for name in [ "w"; "A"; "v" ] do
                  let output = (run |> at "outputs" |> at ("the_" + name)).[0]
                  Expect.equal ((eval name).GetRawText()) (output.GetRawText()) name

              let byDefault seed = deqc ([ "eval"; path; "--expr"; "w"; "--json" ] @ seed)
              Expect.equal (byDefault []).Output (byDefault [ "--seed"; "0" ]).Output "0 where left out"
              Expect.notEqual (byDefault []).Output (byDefault [ "--seed"; "7" ]).Output "another seed"

              let set = jsonOf (deqc [ "eval"; path; "--expr"; "w"; "--set"; "w=3"; "--json" ])
              Expect.equal (set |> at "value" |> number) 3.0 "what is set is not drawn")
          testCase "doctor solves its test"
          <| fun () ->
              let answer = deqc [ "doctor" ]
              Expect.equal answer.Code 0 answer.Error
              Expect.stringContains answer.Output "as it should be" "the self-test" ]

let tests = testList "SolveVerbs" [ solving; later ]
