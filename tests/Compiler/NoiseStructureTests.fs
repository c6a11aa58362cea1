module DiffEqLang.Tests.Compiler.NoiseStructureTests

open Expecto

let tests = testList "NoiseStructure" []
