module DiffEqLang.Tests.Runtime.BrownianTests

open Expecto

let tests = testList "Brownian" []
