module DiffEqLang.Tests.Compiler.GoldenTests

open Expecto

let tests = testList "Golden" []
