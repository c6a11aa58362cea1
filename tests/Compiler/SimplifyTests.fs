module DiffEqLang.Tests.Compiler.SimplifyTests

open Expecto

let tests = testList "Simplify" []
