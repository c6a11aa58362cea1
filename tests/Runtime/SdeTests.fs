module DiffEqLang.Tests.Runtime.SdeTests

open Expecto

let tests = testList "Sde" []
