module DiffEqLang.Tests.EndToEnd.CommandLineTests

open Expecto

let tests = testList "CommandLine" []
