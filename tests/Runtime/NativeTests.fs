module DiffEqLang.Tests.Runtime.NativeTests

open Expecto

let tests = testList "Native" []
