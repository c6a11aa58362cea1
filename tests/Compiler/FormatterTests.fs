module DiffEqLang.Tests.Compiler.FormatterTests

open Expecto

let tests = testList "Formatter" []
