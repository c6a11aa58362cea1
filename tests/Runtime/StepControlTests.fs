module DiffEqLang.Tests.Runtime.StepControlTests

open Expecto

let tests = testList "StepControl" []
