module DiffEqLang.Tests.Compiler.BuiltinTests

open Expecto

let tests = testList "Builtin" []
