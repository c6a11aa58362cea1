module DiffEqLang.Tests.Runtime.GradientTests

open Expecto

let tests = testList "Gradient" []
