/// What is refused, by the words that say why.
module DiffEqLang.Tests.Support.Refusals

open System
open System.IO
open Expecto

let message (action: unit -> unit) =
    try
        action ()
        "nothing was thrown"
    with
    | :? ArgumentException
    | :? InvalidOperationException
    | :? InvalidDataException as e -> e.Message

/// As an argument that does not fit, with these words.
let ofArgument (words: string) (action: unit -> unit) =
    let error = Expect.throwsC action id
    Expect.isTrue (error :? ArgumentException) $"{error}"
    Expect.stringContains error.Message words "message"

let says words action = Expect.stringContains (message action) words "message"
