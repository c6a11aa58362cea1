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

let says words action = Expect.stringContains (message action) words "message"
