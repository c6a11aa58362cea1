module DiffEqLang.Tests.Runtime.DetestTests

open Expecto

let tests = testList "Detest" []
