/// Did-you-mean: the known name that an unknown one was probably meant to be.
module internal DiffEqLang.Compiler.Checking.Spelling

open System
open DiffEqLang.Grammar

let private greek =
    Map.ofList
        [ 'α', "alpha"
          'β', "beta"
          'γ', "gamma"
          'δ', "delta"
          'ε', "epsilon"
          'ϵ', "epsilon"
          'ζ', "zeta"
          'η', "eta"
          'θ', "theta"
          'ϑ', "theta"
          'ι', "iota"
          'κ', "kappa"
          'λ', "lambda"
          'μ', "mu"
          'µ', "mu"
          'ν', "nu"
          'ξ', "xi"
          'ο', "omicron"
          'π', "pi"
          'ρ', "rho"
          'ϱ', "rho"
          'σ', "sigma"
          'ς', "sigma"
          'τ', "tau"
          'υ', "upsilon"
          'φ', "phi"
          'ϕ', "phi"
          'χ', "chi"
          'ψ', "psi"
          'ω', "omega" ]

/// Lower case, with Greek letters spelled out: `Θ`, `θ`, `Theta` and `theta` are near each other.
let private spelledOut (name: string) =
    name
    |> String.collect (fun c ->
        let lower = Char.ToLowerInvariant c
        Map.tryFind lower greek |> Option.defaultValue (string lower))

/// The nearest of `known`, where it is near enough to be a slip. Names of one letter are never a slip of each other,
/// unless in case or alphabet.
let suggest (name: string) (known: string seq) =
    let written = spelledOut name

    let candidates =
        known
        |> Seq.filter (fun k -> k <> name)
        |> Seq.map (fun k -> spelledOut k, k)
        |> Seq.filter (fun (meant, _) -> meant = written || min meant.Length written.Length > 1)
        |> Seq.sort
        |> Seq.distinctBy fst
        |> Map.ofSeq

    Spelling.Nearest(written, candidates.Keys)
    |> Option.ofObj
    |> Option.map (fun meant -> candidates[meant])
