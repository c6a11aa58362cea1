module DiffEqLang.Tests.Runtime.SafetensorsTests

open System
open System.Collections.Generic
open System.IO
open System.Text
open Expecto
open FsCheck
open DiffEqLang.Runtime
open DiffEqLang.Tests.Support.StochasticModels
open TorchSharp

let private inFolder (action: string -> 'a) =
    let folder = Directory.CreateTempSubdirectory("deq-safetensors-").FullName

    try
        action folder
    finally
        Directory.Delete(folder, true)

let private written (header: string) (dataBytes: int) =
    let text = Encoding.UTF8.GetBytes header
    Array.concat [ BitConverter.GetBytes(int64 text.Length); text; Array.zeroCreate dataBytes ]

let private rejects name (content: byte[]) (words: string) =
    test name {
        inFolder (fun folder ->
            let path = Path.Combine(folder, "bad.safetensors")
            File.WriteAllBytes(path, content)

            let problem =
                try
                    Safetensors.Read path |> ignore
                    None
                with :? InvalidDataException as e ->
                    Some e.Message

            Expect.stringContains
                (defaultArg problem "nothing was thrown")
                words
                "the message says what is wrong")
    }

let private entry name dtype shape first last =
    sprintf "\"%s\":{\"dtype\":\"%s\",\"shape\":[%s],\"data_offsets\":[%d,%d]}" name dtype shape first last

let private roundTrip (tensors: (string * torch.Tensor) list) =
    inFolder (fun folder ->
        let path = Path.Combine(folder, "weights.safetensors")
        Safetensors.Write(path, dict tensors |> Dictionary, Dictionary(dict [ "format", "pt" ]))
        let again = Safetensors.Read path
        Expect.equal (List.ofSeq (Directory.GetFiles folder)) [ path ] "no unfinished file is left"
        Expect.equal again.Metadata["format"] "pt" "metadata"
        Expect.equal (Seq.sort again.Tensors.Keys |> List.ofSeq) (List.sort (List.map fst tensors)) "names"

        tensors
        |> List.forall (fun (name, t) ->
            let read = again.Tensors[name]
            read.dtype = t.dtype && read.shape = t.shape && same read t))

let tests =
    testList
        "Safetensors"
        [ testProperty
              "what was written is read back"
              (fun (rows: (NonEmptyString * NormalFloat list) list) ->
                  use _ = torch.NewDisposeScope()

                  let dtypes =
                      [| torch.ScalarType.Float64
                         torch.ScalarType.Float32
                         torch.ScalarType.Int64
                         torch.ScalarType.Float16
                         torch.ScalarType.Int8
                         torch.ScalarType.Bool |]

                  rows
                  |> List.distinctBy (fun (name, _) -> name.Get)
                  // Half of a surrogate pair has no UTF-8 form.
                  |> List.filter (fun (name, _) -> not (Seq.exists Char.IsSurrogate name.Get))
                  |> List.mapi (fun i (name, numbers) ->
                      let t = vector [| for x in numbers -> max -100.0 (min 100.0 x.Get) |]
                      let shaped = if i % 2 = 0 then t.reshape (1L, -1L, 1L) else t
                      name.Get, shaped.``to`` dtypes[i % dtypes.Length])
                  |> roundTrip)

          test "scalars, empty tensors and views" {
              use _ = torch.NewDisposeScope()
              let matrix = torch.arange(6L, dtype = float64).reshape(2L, 3L)

              Expect.isTrue
                  (roundTrip [ "s", torch.tensor 3.5; "none", torch.zeros [| 0L; 4L |]; "T", matrix.t () ])
                  "equal"
          }

          test "the bytes are the format's" {
              inFolder (fun folder ->
                  let path = Path.Combine(folder, "one.safetensors")
                  Safetensors.Write(path, Dictionary(dict [ "b", torch.tensor ([| 1.0f; -2.0f |]) ]))
                  let bytes = File.ReadAllBytes path
                  let length = int (BitConverter.ToInt64(bytes, 0))
                  let header = Encoding.UTF8.GetString(bytes, 8, length)
                  Expect.equal (header.TrimEnd ' ') ("{" + entry "b" "F32" "2" 0 8 + "}") "header"
                  Expect.equal (length % 8) 0 "the data is aligned"

                  Expect.equal
                      (bytes[8 + length ..])
                      (Array.append (BitConverter.GetBytes 1.0f) (BitConverter.GetBytes -2.0f))
                      "data")
          }

          test "a failed write leaves the old file" {
              inFolder (fun folder ->
                  let path = Path.Combine(folder, "kept.safetensors")
                  File.WriteAllText(path, "old")
                  let complex = torch.zeros ([| 2L |], torch.ScalarType.ComplexFloat64)

                  Expect.throwsT<NotSupportedException>
                      (fun () -> Safetensors.Write(path, Dictionary(dict [ "c", complex ])))
                      "dtype"

                  Expect.equal (File.ReadAllText path) "old" "content"
                  Expect.hasLength (Directory.GetFiles folder) 1 "no unfinished file")
          }

          rejects "empty" [||] "ends before"
          rejects
              "header longer than the file"
              (Array.append (BitConverter.GetBytes 1000L) [| 123uy |])
              "1000 bytes"
          rejects "negative length" (Array.append (BitConverter.GetBytes -1L) [| 123uy |]) "does not hold"
          rejects "not JSON" (written "{oops" 0) "invalid start of a property name"
          rejects "not an object" (written "[1]" 0) "not a JSON object"
          rejects
              "same name twice"
              (written ("{" + entry "a" "F32" "1" 0 4 + "," + entry "a" "F32" "1" 0 4 + "}") 4)
              "'a'"
          rejects "fields missing" (written "{\"a\":{\"dtype\":\"F32\"}}" 0) "lacks its dtype"
          rejects "unknown dtype" (written ("{" + entry "a" "F7" "1" 0 4 + "}") 4) "'F7'"
          rejects "negative size" (written ("{" + entry "a" "F32" "-1" 0 4 + "}") 4) "whole numbers"
          rejects "fractional size" (written ("{" + entry "a" "F32" "1.5" 0 4 + "}") 4) "whole numbers"
          rejects
              "three offsets"
              (written "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]}}" 8)
              "a start and an end"
          rejects "shape and bytes differ" (written ("{" + entry "a" "F32" "2" 0 4 + "}") 4) "do not fit"
          rejects
              "sizes whose product overflows"
              (written ("{" + entry "a" "F32" "4294967296,4294967296,4" 0 4 + "}") 4)
              "do not fit"
          rejects
              "overlap"
              (written ("{" + entry "a" "F32" "1" 0 4 + "," + entry "b" "F32" "1" 2 6 + "}") 6)
              "'b' begins at byte 2"
          rejects "gap" (written ("{" + entry "a" "F32" "1" 4 8 + "}") 8) "byte 0 was due"
          rejects
              "file too short"
              (written ("{" + entry "a" "F32" "2" 0 8 + "}") 4)
              "take 8 bytes; the file holds 4"
          rejects
              "file too long"
              (written ("{" + entry "a" "F32" "1" 0 4 + "}") 5)
              "take 4 bytes; the file holds 5"
          rejects "metadata that is not text" (written "{\"__metadata__\":{\"a\":1}}" 0) "map from text" ]
