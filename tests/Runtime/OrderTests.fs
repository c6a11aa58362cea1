module DiffEqLang.Tests.Runtime.OrderTests

open Expecto

let tests = testList "Order" []
