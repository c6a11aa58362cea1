module DiffEqLang.Tests.Compiler.SyntaxTests

open Expecto

let tests = testList "Syntax" []
