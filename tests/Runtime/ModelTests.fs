module DiffEqLang.Tests.Runtime.ModelTests

open Expecto

let tests = testList "Model" []
