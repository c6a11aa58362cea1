module DiffEqLang.Tests.Compiler.DifferentiateTests

open Expecto

let tests = testList "Differentiate" []
