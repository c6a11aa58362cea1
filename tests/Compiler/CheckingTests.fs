module DiffEqLang.Tests.Compiler.CheckingTests

open Expecto

let tests = testList "Checking" []
