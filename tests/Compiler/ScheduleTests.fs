module DiffEqLang.Tests.Compiler.ScheduleTests

open Expecto

let tests = testList "Schedule" []
