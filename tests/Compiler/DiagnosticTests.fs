module DiffEqLang.Tests.Compiler.DiagnosticTests

open Expecto

let tests = testList "Diagnostic" []
