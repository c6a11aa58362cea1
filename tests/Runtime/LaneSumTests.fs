/// Weighted sums of stages over registers against the same sums number by number.
module DiffEqLang.Tests.Runtime.LaneSumTests

open System
open System.Numerics
open System.Runtime.InteropServices
open System.Runtime.Intrinsics
open DiffEqLang.Runtime.Simd
open Expecto

let private stages = 6

/// Some of so many numbers, in any order.
let private some (random: Random) size count =
    let all = Array.init size id
    random.Shuffle all
    Array.truncate count all

/// One sum on random numbers; every number of the results, those left as they were included, as its formula has it.
let private agrees<'R, 'T
    when 'R: struct
    and 'R: (new: unit -> 'R)
    and 'R :> ValueType
    and 'T: struct
    and 'T: (new: unit -> 'T)
    and 'T :> ValueType>
    (ofFloat: float -> 'T)
    (toFloat: 'T -> float)
    accuracy
    seed
    =
    let random = Random seed
    let lanes = sizeof<'R> / sizeof<'T>
    let size = random.Next(1, 23)
    let count = random.Next(1, size + 1)
    let components, targets = some random size count, some random size count

    let weights =
        [| for stage in 0 .. stages - 1 do
               if random.NextDouble() < 0.6 then
                   struct (stage, random.NextDouble() - 0.5) |]

    let part = if seed % 2 = 0 then 0.3 else 0.0
    let numbers n = Array.init (n * lanes) (fun _ -> ofFloat (random.NextDouble() - 0.5))
    let state, h, slopes = numbers size, numbers 1, numbers (stages * size)
    let result, onward = numbers size, numbers size
    let before, beforeOnward = Array.copy result, Array.copy onward
    let next = if part = 0.0 then Span<'R>.Empty else MemoryMarshal.Cast<'T, 'R>(Span onward)

    LaneSum<'R>
        .Of(size, components, targets, weights, part)
        .AddTo(
            MemoryMarshal.Cast<'T, 'R>(ReadOnlySpan state),
            MemoryMarshal.Read<'R>(MemoryMarshal.AsBytes(ReadOnlySpan h)),
            MemoryMarshal.Cast<'T, 'R>(ReadOnlySpan slopes),
            MemoryMarshal.Cast<'T, 'R>(Span result),
            next
        )

    let expected, expectedOnward = Array.map toFloat before, Array.map toFloat beforeOnward

    for number, target in Seq.zip components targets do
        for lane in 0 .. lanes - 1 do
            let at (array: 'T[]) n = toFloat array[n * lanes + lane]

            let sum =
                weights
                |> Array.sumBy (fun struct (stage, weight) -> weight * at slopes (stage * size + number))

            let value = at state number + at h 0 * sum
            expected[target * lanes + lane] <- value

            if part <> 0.0 then
                expectedOnward[target * lanes + lane] <- at state target + at h 0 * part * value

    for what, expected, found in [ "result", expected, result; "onward", expectedOnward, onward ] do
        for n, (expected, found) in Seq.indexed (Seq.zip expected (Seq.map toFloat found)) do
            Expect.floatClose accuracy found expected $"{what} {n} of {size} on {count}"

let tests =
    testList
        "LaneSum"
        [ let cases = [ 1..60 ]

          test "Vector of float64" { cases |> List.iter (agrees<Vector<float>, float> id id Accuracy.high) }

          test "Vector of float32" {
              cases |> List.iter (agrees<Vector<float32>, float32> float32 float Accuracy.medium)
          }

          test "512 bits of float64" {
              cases |> List.iter (agrees<Vector512<float>, float> id id Accuracy.high)
          }

          test "512 bits of float32" {
              cases |> List.iter (agrees<Vector512<float32>, float32> float32 float Accuracy.medium)
          } ]
