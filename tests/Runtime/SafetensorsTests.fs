module DiffEqLang.Tests.Runtime.SafetensorsTests

open Expecto

let tests = testList "Safetensors" []
