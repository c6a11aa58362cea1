module DiffEqLang.Tests.Runtime.NativeTests

open System
open System.IO
open System.Threading.Tasks
open DiffEqLang.Runtime
open DiffEqLang.Tests.Support.Odes
open Expecto
open TorchSharp

/// The binding as its package ships it, on Linux.
let binding =
    NativeLibraries.Report().Libraries
    |> Seq.tryFind (fun l -> l.Name = "libLibTorchSharp.so")
    |> Option.map _.Path

let inFreshFolder (check: string -> unit) =
    let folder = Directory.CreateTempSubdirectory "diffeqlang-test-"

    try
        check folder.FullName
    finally
        folder.Delete true

let onLinux name check = if binding.IsSome then test name { check binding.Value } else ptest name { () }

let tests =
    testList
        "Native"
        [ test "torch computes, and the report says so" {
              NativeLibraries.Require()
              Expect.isTrue (NativeLibraries.Report()).Usable "usable"
              use sum = (vector [ 1.0; 2.0 ]).sum()
              Expect.equal (sum.item<float>()) 3.0 "sum"
          }

          test "loading again, from many threads, gives the same report" {
              let reports =
                  Array.init 16 (fun _ ->
                      Task.Run(fun () ->
                          NativeLibraries.Load()
                          NativeLibraries.Report()))

              let first = NativeLibraries.Report()

              for report in reports do
                  Expect.isTrue (obj.ReferenceEquals(report.Result, first)) "one report"
          }

          test "CUDA is reported as torch sees it" {
              Expect.equal (NativeLibraries.Report()).CudaAvailable (torch.cuda.is_available ()) "CUDA"
          }

          onLinux "the binding asks libstdc++ for GLIBCXX_3.4.32, for one dispensable symbol" (fun path ->
              let elf = ElfVersionNeeds.Read(File.ReadAllBytes path)
              let need = elf.Needs() |> Seq.find (fun need -> need.Name = "GLIBCXX_3.4.32")
              Expect.isFalse need.IsWeak "strong as shipped"
              Expect.equal (List.ofSeq (elf.SymbolsOf need)) [ "_ZSt21ios_base_library_initv" ] "its symbols")

          onLinux "a patched copy differs in that flag alone" (fun path ->
              let original = File.ReadAllBytes path
              let patched = PatchedLibrary.Patch(original, "GLIBCXX_3.4.32")
              let changed = Array.indexed patched |> Array.filter (fun (i, b) -> original[i] <> b)

              Expect.equal
                  (changed |> Array.map (fun (i, b) -> b - original[i]))
                  [| 2uy |]
                  "VER_FLG_WEAK, one byte"

              let needs = (ElfVersionNeeds.Read patched).Needs()

              Expect.equal
                  [ for need in needs do
                        if need.IsWeak then
                            need.Name ]
                  [ "GLIBCXX_3.4.32" ]
                  "weak now")

          onLinux "a version that other symbols need is not touched" (fun path ->
              let original = File.ReadAllBytes path
              Expect.isNull (PatchedLibrary.Patch(original, "GLIBCXX_3.4.21")) "needed in earnest"
              Expect.isNull (PatchedLibrary.Patch(original, "GLIBCXX_9.9.99")) "not asked for")

          test "what is no 64-bit ELF file is not read" {
              for bytes in
                  [ [||]
                    [| 1uy |]
                    Array.zeroCreate 100
                    Array.append "\127ELF\002\001"B (Array.create 60 255uy) ] do
                  Expect.isNull (PatchedLibrary.Patch(bytes, "GLIBCXX_3.4.32")) $"{bytes.Length} bytes"
          }

          test "the missing version is read off the loader's message" {
              let message =
                  "/lib/libstdc++.so.6: version `GLIBCXX_3.4.32' not found (required by /x/libLibTorchSharp.so)"

              Expect.equal (PatchedLibrary.MissingVersion message) "GLIBCXX_3.4.32" "version"
              Expect.isNull (PatchedLibrary.MissingVersion "cannot open shared object file") "another reason"
          }

          test "the cache is written once, mended where damaged, and leaves no drafts" {
              inFreshFolder (fun folder ->
                  let original, patched = [| 1uy; 2uy |], [| 1uy; 3uy |]
                  let path = PatchedLibrary.TryCache(folder, original, patched, "lib.so")
                  let written = File.GetLastWriteTimeUtc path

                  Expect.equal
                      (PatchedLibrary.TryCache(folder, original, patched, "lib.so"))
                      path
                      "the same place"

                  Expect.equal (File.GetLastWriteTimeUtc path) written "not written again"
                  File.WriteAllBytes(path, [| 9uy |])
                  PatchedLibrary.TryCache(folder, original, patched, "lib.so") |> ignore
                  Expect.equal (File.ReadAllBytes path) patched "mended"
                  Expect.equal (Directory.GetFiles(Path.GetDirectoryName path)) [| path |] "nothing else")
          }

          test "many writers at once leave one whole file" {
              inFreshFolder (fun folder ->
                  let original, patched = [| 1uy |], Array.init 100_000 byte

                  let write _ =
                      Task.Run(fun () -> PatchedLibrary.TryCache(folder, original, patched, "lib.so"))

                  let paths = Array.init 12 write |> Array.map _.Result
                  Expect.equal (paths |> Array.distinct |> Array.length) 1 "one place"
                  Expect.equal (File.ReadAllBytes paths[0]) patched "whole")
          }

          test "a cache that cannot be written is no failure" {
              inFreshFolder (fun folder ->
                  let file = Path.Combine(folder, "file")
                  File.WriteAllText(file, "")
                  Expect.isNull (PatchedLibrary.TryCache(file, [| 1uy |], [| 2uy |], "lib.so")) "falls back")
          } ]
