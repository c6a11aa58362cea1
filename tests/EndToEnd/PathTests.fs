module DiffEqLang.Tests.EndToEnd.PathTests

open Expecto

let tests = testList "Path" []
