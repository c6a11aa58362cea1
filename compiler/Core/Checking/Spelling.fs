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

    let lookAlike = known |> Seq.tryFind (fun k -> Scripts.LookAlike(name, k))

    let candidates =
        known
        |> Seq.filter (fun k -> k <> name)
        |> Seq.map (fun k -> spelledOut k, k)
        |> Seq.filter (fun (meant, _) -> meant = written || min meant.Length written.Length > 1)
        |> Seq.sort
        |> Seq.distinctBy fst
        |> Map.ofSeq

    lookAlike
    |> Option.orElseWith (fun () ->
        Spelling.Nearest(written, candidates.Keys)
        |> Option.ofObj
        |> Option.map (fun meant -> candidates[meant]))

/// What other languages call our functions.
let private functionSynonyms =
    Map.ofList
        [ "ln", "log"
          "arcsin", "asin"
          "arccos", "acos"
          "arctan", "atan"
          "arctan2", "atan2"
          "arcsinh", "asinh"
          "arccosh", "acosh"
          "arctanh", "atanh"
          "sgn", "sign"
          "fabs", "abs"
          "power", "pow"
          "logistic", "sigmoid"
          "swish", "silu"
          "inverse", "inv"
          "linsolve", "solve"
          "chol", "cholesky"
          "cat", "concat"
          "concatenate", "concat"
          "product", "prod"
          "average", "mean"
          "gradient", "grad"
          "jacobian", "jac"
          "divergence", "div"
          "hessian", "hess" ]

/// What other languages call our values.
let private valueSynonyms = Map.ofList [ "time", "t"; "infinity", "inf"; "oo", "inf" ]

let private orSynonym (synonyms: Map<string, string>) (name: string) (known: string seq) =
    match Map.tryFind (name.ToLowerInvariant()) synonyms with
    | Some meant when Seq.contains meant known -> Some meant
    | Some _
    | None -> suggest name known

/// What other languages call our stages.
let private stageSynonyms =
    Map.ofList
        [ "linear", "dense"
          "affine", "dense"
          "fc", "dense"
          "swish", "silu"
          "logistic", "sigmoid" ]

let suggestStage name known = orSynonym stageSynonyms name known
let suggestFunction name known = orSynonym functionSynonyms name known
let suggestValue name known = orSynonym valueSynonyms name known
