module DiffEqLang.Tests.Compiler.PrintingTests

open Expecto

let tests = testList "Printing" []
