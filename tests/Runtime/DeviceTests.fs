/// The choice of a device by its name.
module DiffEqLang.Tests.Runtime.DeviceTests

open DiffEqLang.Runtime
open DiffEqLang.Tests.Support.Refusals
open Expecto

let private machine cudaDevices hasMps = DeviceAvailability((fun () -> cudaDevices), (fun () -> hasMps))

let private choose name available = Devices.Select(name, available).ToString()

let tests =
    testList
        "Devices"
        [ test "auto takes CUDA, then MPS, then the CPU" {
              Expect.equal (choose "auto" (machine 2 true)) "cuda:0" "cuda"
              Expect.equal (choose "auto" (machine 0 true)) "mps" "mps"
              Expect.equal (choose "auto" (machine 0 false)) "cpu" "cpu"
              Expect.equal (choose null (machine 0 false)) "cpu" "nothing said"
          }

          test "devices by name, in either case" {
              Expect.equal (choose "CPU" (machine 2 true)) "cpu" "cpu"
              Expect.equal (choose "cuda" (machine 2 false)) "cuda:0" "cuda"
              Expect.equal (choose "cuda:1" (machine 2 false)) "cuda:1" "second"
              Expect.equal (choose "mps" (machine 0 true)) "mps" "mps"
          }

          test "what is missing or misspelt is refused" {
              says "cuda is not available: libtorch sees no NVIDIA GPU" (fun () ->
                  choose "cuda" (machine 0 false) |> ignore)

              says "cuda:2 is not available: there are 2, cuda:0 to cuda:1" (fun () ->
                  choose "cuda:2" (machine 2 false) |> ignore)

              says "cuda:1 is not available: there is one" (fun () ->
                  choose "cuda:1" (machine 1 false) |> ignore)

              says "mps is not available" (fun () -> choose "mps" (machine 1 false) |> ignore)
              says "no device 'gpu'" (fun () -> choose "gpu" (machine 1 true) |> ignore)
              says "no device 'cpu:1'" (fun () -> choose "cpu:1" (machine 1 true) |> ignore)
              says "'cuda:x' does not number a device" (fun () -> choose "cuda:x" (machine 1 true) |> ignore)

              says "'cuda:-1' does not number a device" (fun () ->
                  choose "cuda:-1" (machine 1 true) |> ignore)
          } ]
