module DiffEqLang.Tests.Runtime.TableauTests

open Expecto

let tests = testList "Tableau" []
