module DiffEqLang.Tests.Runtime.BrownianTests

open System
open System.Numerics
open Expecto
open FsCheck
open DiffEqLang.Runtime
open DiffEqLang.Runtime.Noise
open DiffEqLang.Runtime.Simd
open DiffEqLang.Tests.Support.StochasticModels
open TorchSharp

let private lanes (word: uint64) = Lanes<float>(Vector.AsVectorDouble(Vector<uint64> word))

let private permute (a: uint32, b: uint32, c: uint32, d: uint32) key =
    let word (x: uint32) = lanes (uint64 x)
    let mutable w0, w1, w2, w3 = word a, word b, word c, word d
    Philox.Permute(&w0, &w1, &w2, &w3, key)

    [ for w in [ w0; w1; w2; w3 ] ->
          let words = Vector.AsVectorUInt64 w.Value
          [ for lane in 0 .. Vector<uint64>.Count - 1 -> words[lane] ] ]

let private driver seed batch size = BrownianDriver(seed, batch, size, 0L, false, null, torch.CPU, float64)

/// All increments, [steps, B, M].
let private increments (driver: BrownianDriver) grid =
    use _ = torch.NewDisposeScope()
    let source = BrownianIncrements(driver, grid)
    torch.cat([| for chunk in 0 .. source.Chunks - 1 -> source.Chunk chunk |], 0L).MoveToOuterDisposeScope()

let private grid (step: float) (steps: int) =
    StepGrid(0.0, step * float steps, step, ReadOnlySpan<float>.Empty)

/// The largest distance between the empirical distribution and the standard normal one (Kolmogorov-Smirnov), times
/// sqrt n: above 1.95 with probability 0.001.
let private kolmogorovSmirnov (sample: float[]) =
    let n = float sample.Length
    let sorted = Array.sort sample
    let cdf = values (torch.special.ndtr (vector sorted))

    let distance =
        Seq.max (Seq.mapi (fun i p -> max (p - float i / n) (float (i + 1) / n - p)) cdf)

    sqrt n * distance

let private closeTo tolerance (a: torch.Tensor) (b: torch.Tensor) message =
    Expect.isLessThan ((a - b).abs().max().item<float>()) tolerance message

let tests =
    testList
        "Brownian"
        [ test "Philox gives Random123's known answers in every lane" {
              let all x = (x, x, x, x)

              for counter, key, expected in
                  [ all 0u, 0UL, [ 0x6627e8d5u; 0xe169c58du; 0xbc57ac4cu; 0x9b00dbd8u ]
                    all UInt32.MaxValue,
                    UInt64.MaxValue,
                    [ 0x408f276du; 0x41c83b0eu; 0xa20bc7c6u; 0x6d5451fdu ]
                    (0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u),
                    0x299f31d0a4093822UL,
                    [ 0xd16cfe09u; 0x94fdccebu; 0x5001e420u; 0x24126ea1u ] ] do
                  for word, wanted in List.zip (permute counter key) expected do
                      Expect.allEqual word (uint64 wanted) "one word of equal counters, and no other bits"
          }

          test "Box-Muller agrees with the library's logarithm and sine" {
              let random = Random 1

              for _ in 1..10_000 do
                  let edge = random.Next 20

                  let draw () =
                      if edge = 0 then uint64 (random.Next 4)
                      elif edge = 1 then 0xFFFFFFFFUL - uint64 (random.Next 4)
                      elif edge = 2 then uint64 (random.Next 8) <<< 29
                      else uint64 (random.NextInt64(1L <<< 32))

                  let u, v = draw (), draw ()

                  let mutable first, second = Lanes<float>(), Lanes<float>()
                  let u', v' = lanes u, lanes v
                  NormalTransform.BoxMuller(&u', &v', &first, &second)

                  let unit (k: uint64) = (float k + 0.5) / 4294967296.0
                  let radius = sqrt (-2.0 * log (unit u))
                  let struct (s, c) = Math.SinCos(2.0 * Math.PI * unit v)
                  Expect.isLessThan (abs (first.Value[0] - radius * c)) 1e-14 $"cosine of {u}, {v}"
                  Expect.isLessThan (abs (second.Value[1] - radius * s)) 1e-14 $"sine of {u}, {v}"
          }

          test "registers of any width draw the same numbers" {
              for group in [ 0L; 1L; 123_456_789L; 1L <<< 40 ] do
                  for domain in [ 0; 7; CounterDomain.BrownianRoot ] do
                      for index in [ 0UL; 99UL; UInt64.MaxValue ] do
                          let narrow, wide = Array.zeroCreate<float> 32, Array.zeroCreate<float> 32
                          CounterDomain.Normals<Lanes<float>>(5UL, group, domain, index, narrow.AsSpan())
                          CounterDomain.Normals<Lanes512<float>>(5UL, group, domain, index, wide.AsSpan())
                          let bits = Array.map BitConverter.DoubleToInt64Bits
                          Expect.equal (bits narrow) (bits wide) $"{group}, {domain}, {index}"
          }

          test "increments are normal, of variance h, independent in time, sample and element" {
              use _ = torch.NewDisposeScope()
              let h = 0.3
              let dW = increments (driver 11UL 500L 4L) (grid h 200) / torch.tensor (sqrt h)
              let n = float (dW.numel ())
              let flat = dW.reshape -1L

              Expect.isLessThan
                  (abs (flat.mean().item<float>()) * sqrt n)
                  4.0
                  "mean within four standard errors"

              Expect.isLessThan (abs (flat.var().item<float>() - 1.0) * sqrt (n / 2.0)) 4.0 "variance"
              Expect.isLessThan (kolmogorovSmirnov (values flat)) 1.95 "distribution"

              for axis, size in [ 0L, 200L; 1L, 500L; 2L, 4L ] do
                  let products = dW.narrow (axis, 0L, size - 1L) * dW.narrow (axis, 1L, size - 1L)
                  let count = float (products.numel ())

                  Expect.isLessThan
                      (abs (products.mean().item<float>()) * sqrt count)
                      4.0
                      $"neighbours on axis {axis}"
          }

          testList
              "refinement"
              [ for step, steps in [ 0.25, 13; 1e-3, 700; 3.7, 9; 1.5, 300 ] do
                    test $"an increment over {step} is the sum of the finer ones" {
                        use _ = torch.NewDisposeScope()
                        let d = driver 5UL 3L 2L
                        let coarse = increments d (grid step steps)

                        if step < 2.0 then
                            for factor in [ 2; 8 ] do
                                let fine = increments d (grid (step / float factor) (steps * factor))
                                let sums = fine.reshape(int64 steps, int64 factor, 3L, 2L).sum 1L
                                closeTo 1e-13 coarse sums $"{factor} to one"
                        else
                            // Roots of their own: still the right law and the same however many are asked for.
                            closeTo
                                1e-15
                                coarse
                                ((increments d (grid step (steps + 5))).narrow(0, 0L, int64 steps))
                                "prefix"
                    } ]

          test "a longer solve, cuts inside steps and a shorter last step see the same path" {
              use _ = torch.NewDisposeScope()
              let d = driver 9UL 40L 1L
              let whole = increments d (grid 0.1 1000)
              let path = torch.cumsum (whole, 0L)
              closeTo 1e-15 (whole.narrow (0, 0L, 300L)) (increments d (grid 0.1 300)) "prefix"

              let cut = StepGrid(0.0, 50.04, 0.1, ReadOnlySpan [| 0.05; 0.2; 10.01; 10.07; 25.0 |])
              let cutPath = torch.cumsum (increments d cut, 0L)
              Expect.equal cut.Steps 504 "four more steps and an unfinished one"

              for t, index in [ 0.2, 1L; 25.0, 249L; 50.0, 499L ] do
                  closeTo
                      1e-12
                      (cutPath.select (0, int64 (cut.StepsUntil t) - 1L))
                      (path.select (0, index))
                      $"W({t})"

              let fine = torch.cumsum (increments d (grid 0.05 10), 0L)
              closeTo 1e-12 (cutPath.select (0, 0L)) (fine.select (0, 0L)) "a cut agrees with the finer grid"
          }

          test "times inside a step have the bridge's law" {
              use _ = torch.NewDisposeScope()
              let stops = [| 0.3; 0.55; 0.9 |]
              let cut = StepGrid(0.0, 1.0, 1.0, ReadOnlySpan stops)
              let dW = increments (driver 21UL 40_000L 1L) cut
              let lengths = [ 0.3; 0.25; 0.35; 0.1 ]

              for i, h in List.indexed lengths do
                  let part = dW.select (0, int64 i)

                  Expect.isLessThan
                      (abs (part.var().item<float>() / h - 1.0) * sqrt 20_000.0)
                      4.0
                      $"variance of part {i}"

                  Expect.isLessThan
                      (kolmogorovSmirnov (values ((part / torch.tensor (sqrt h)).reshape -1L)))
                      1.95
                      $"law of part {i}"

              let correlation = torch.corrcoef (dW.squeeze (-1))
              closeTo (4.0 / sqrt 40_000.0) correlation (torch.eye (4L, dtype = float64)) "independent"
          }

          testProperty "a part of the batch sees what the whole batch sees"
          <| fun (seed: uint64) (PositiveInt first) (PositiveInt count) (PositiveInt size) (antithetic: bool) ->
              use _ = torch.NewDisposeScope()
              let first, count, size = int64 (first % 100), int64 (count % 50 + 1), int64 (size % 5 + 1)
              let d = BrownianDriver(seed, first + count, size, 0L, antithetic, null, torch.CPU, float64)
              let part = BrownianDriver(seed, count, size, first, antithetic, null, torch.CPU, float64)
              let all = increments d (grid 0.1 7)
              same (all.narrow (1, first, count)) (increments part (grid 0.1 7))

          test "chunks, threads and order of asking do not matter" {
              use _ = torch.NewDisposeScope()
              let d = driver 3UL 700L 16L
              let g = grid 0.01 900
              let source = BrownianIncrements(d, g)
              Expect.isGreaterThan source.Chunks 2 "several chunks"

              let backwards =
                  [ for chunk in source.Chunks - 1 .. -1 .. 0 -> source.Chunk chunk ] |> List.rev

              let few =
                  BrownianIncrements(BrownianDriver(3UL, 1L, 16L, 350L, false, null, torch.CPU, float64), g)

              let alone = torch.cat ([| for chunk in 0 .. few.Chunks - 1 -> few.Chunk chunk |], 0L)

              closeTo
                  1e-13
                  (torch.cat(Array.ofList backwards, 0L).narrow(1, 350L, 1L))
                  alone
                  "sample 350 alone"
          }

          test "float32 is float64 rounded" {
              use _ = torch.NewDisposeScope()

              let single =
                  BrownianDriver(8UL, 33L, 3L, 0L, false, null, torch.CPU, torch.ScalarType.Float32)

              let wide = increments (driver 8UL 33L 3L) (grid 0.1 20)

              Expect.isTrue
                  (same (increments single (grid 0.1 20)) (wide.``to`` torch.ScalarType.Float32))
                  "rounded"
          }

          test "mirrored pairs cancel; correlation is as asked" {
              use _ = torch.NewDisposeScope()
              let mirrored = BrownianDriver(8UL, 10L, 3L, 0L, true, null, torch.CPU, float64)
              let dW = increments mirrored (grid 0.1 20)
              let even, odd = dW.slice (1L, 0L, 10L, 2L), dW.slice (1L, 1L, 10L, 2L)
              closeTo 1e-300 (even + odd) (torch.zeros_like even) "pairs"

              let wanted = (vector [| 1.0; 0.8; 0.8; 1.0 |]).reshape(2L, 2L)
              let factor = torch.linalg.cholesky wanted
              let correlated = BrownianDriver(8UL, 20_000L, 2L, 0L, false, factor, torch.CPU, float64)
              let sample = (increments correlated (grid 1.0 1)).select(0, 0L)
              closeTo 0.03 (torch.corrcoef (sample.t ())) wanted "correlation"
          } ]
