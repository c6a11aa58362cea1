module DiffEqLang.Tests.EndToEnd.LoweringTests

open Expecto

let tests = testList "Lowering" []
