/// Methods with options that suit a test, and two equations to try them on.
module DiffEqLang.Tests.Support.OdeMethods

open DiffEqLang.Runtime
open DiffEqLang.Tests.Support.Odes

let growth = ode (fun _ y -> y)
let allMethods = Methods.ExplicitNames |> List.ofSeq
let adaptiveMethods = [ "bosh3"; "dopri5"; "tsit5"; "vern6"; "vern7"; "dopri8"; "vern9" ]

/// A method with tolerances where it is adaptive, with a small step where it is not.
let methodWith (dt: float) (name: string) =
    if List.contains name adaptiveMethods then
        tolerances name 1e-7 1e-9
    else
        fixedStep name dt

let anyMethod = methodWith 1e-3

/// How far results may lie apart by rounding. Where a solution is calm the error estimates of vern6 and vern9, sums of terms a hundred times
/// as large, are rounding, and their steps follow them: a tenth of the tolerance.
let rounding name =
    match name with
    | "vern6"
    | "vern9" -> 1e-8
    | _ -> 1e-11

/// For long solves of gentle problems.
let coarseMethod = methodWith 0.02

/// y' = y^2: blows up at 1/y(0), each sample of a batch at its own time.
let blowUp = ode (fun _ y -> y.Squared())
