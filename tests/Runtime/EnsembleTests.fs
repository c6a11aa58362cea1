/// Ensembles on registers: their samples, chunks, memory and failures.
module DiffEqLang.Tests.Runtime.EnsembleTests

open System
open DiffEqLang.Benchmarks.Models
open DiffEqLang.Runtime
open DiffEqLang.Runtime.Simd
open DiffEqLang.Tests.Support
open DiffEqLang.Tests.Support.Odes
open Expecto
open TorchSharp

let tests =
    testList
        "Ensemble"
        [ test "samples with their own start and parameter are those of single solves" {
              use model = new Lorenz()
              let count = 50
              let initial = [| for i in 0 .. 3 * count - 1 -> 1.0 + 0.01 * float i |]
              let rho = [| for i in 0 .. count - 1 -> 0.5 * float i |]
              let options = SolveOptions(Save = SaveAt.Grid 3)
              let found = Array.zeroCreate<float>(3 * count * 3)

              let ensemble =
                  Ensemble<float>(model).From(ReadOnlyMemory initial).Vary("rho", ReadOnlyMemory rho)

              let summary = ensemble.Solve(options, Memory found)
              Expect.equal summary.Succeeded count "all"

              for i in 0..7 .. count - 1 do
                  model.SetValue("rho", torch.tensor (rho[i], dtype = torch.float64))
                  let part k = torch.tensor (initial[3 * i + k], dtype = torch.float64)
                  use _ = torch.no_grad ()
                  let alone = model.Solve(part 0, part 1, part 2, options)

                  let ofEnsemble =
                      [| for time in 0..2 do
                             for c in 0..2 -> found[(time * count + i) * 3 + c] |]

                  Expect.sequenceEqual ofEnsemble (values alone.Packed) $"sample {i}"
          }
          test "chunks come in order, all of them" {
              use model = new Lorenz()
              let rho = [| for i in 0..40_000 -> 1e-3 * float i |]
              let mutable next, last = 0, 0.0

              let summary =
                  Ensemble<float>(model)
                      .Vary("rho", ReadOnlyMemory rho)
                      .Solve(
                          SolveOptions(End = Nullable 0.01),
                          EnsembleReceiver<float>(fun chunk ->
                              Expect.equal chunk.First next "first"
                              next <- next + chunk.Count
                              last <- chunk.Values[chunk.Values.Length - 1])
                      )

              Expect.equal (next, summary.Samples, summary.Succeeded) (40_001, 40_001, 40_001) "all"
              Expect.isTrue (Double.IsFinite last) "solved"
          }
          test "a sample that fails ends alone" {
              use model = new Lorenz()
              let count, failing = 75, [ 5, nan; 17, infinity; 41, 1e300; 42, nan ]
              let options = SolveOptions(Save = SaveAt.Grid 3)

              let solved (rho: float[]) =
                  let found = Array.zeroCreate<float>(3 * count * 3)
                  let status = Array.zeroCreate<SolveStatus> count

                  Ensemble<float>(model)
                      .From(ReadOnlyMemory [| 1.0; 0.5; 0.0 |])
                      .Vary("rho", ReadOnlyMemory rho)
                      .Solve(options, Memory found, Memory status)
                  |> ignore

                  found, status

              let sound = Array.init count (fun i -> 0.3 * float i)
              let mixed = Array.copy sound

              for i, rho in failing do
                  mixed[i] <- rho

              let (expected, _), (found, status) = solved sound, solved mixed

              for i in 0 .. count - 1 do
                  if List.exists (fun (j, _) -> i = j) failing then
                      Expect.equal status[i] SolveStatus.NonFinite $"sample {i}"
                  else
                      Expect.equal status[i] SolveStatus.Success $"sample {i}"

                      for time in 0..2 do
                          let place = (time * count + i) * 3

                          Expect.sequenceEqual
                              found[place .. place + 2]
                              expected[place .. place + 2]
                              $"sample {i}"
          }
          test "a longer ensemble takes no more memory" {
              use model = new Lorenz()

              let allocated samples =
                  let rho = Array.init samples (fun i -> 1e-3 * float i)
                  let ensemble = Ensemble<float>(model).Vary("rho", ReadOnlyMemory rho)
                  let options = SolveOptions(End = Nullable 0.01, Threads = Nullable 1)
                  let before = GC.GetAllocatedBytesForCurrentThread()
                  ensemble.Solve(options, EnsembleReceiver<float>(fun _ -> ())) |> ignore
                  GC.GetAllocatedBytesForCurrentThread() - before

              allocated 40_000 |> ignore
              let short, long = allocated 40_000, allocated (40_000 + 6 * 16_384)
              // The states of the hundred thousand samples more are 2.4 million bytes.
              Expect.isLessThan (long - short) 100_000L "bytes"
          }
          test "what does not fit is said" {
              use model = new Lorenz()
              let ensemble = Ensemble<float>(model).Vary("rho", ReadOnlyMemory [| 1.0; 2.0 |])

              Expect.throwsT<ArgumentException>
                  (fun () -> ensemble.Vary("beta", ReadOnlyMemory [| 1.0; 2.0; 3.0 |]) |> ignore)
                  "length"

              Expect.throwsT<ArgumentException>
                  (fun () -> ensemble.Vary("bta", ReadOnlyMemory [| 1.0; 2.0 |]) |> ignore)
                  "name"

              let own = SaveAt.Times(matrix [ [ 0.0; 0.0 ]; [ 1.0; 2.0 ] ])

              Refusals.ofArgument "Samples of an ensemble share their span of time" (fun () ->
                  ensemble.Solve(SolveOptions(Save = own), EnsembleReceiver<float>(fun _ -> ())) |> ignore)
          } ]
