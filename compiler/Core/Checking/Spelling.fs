/// Did-you-mean: the known name that an unknown one was probably meant to be.
module internal DiffEqLang.Compiler.Checking.Spelling

open System

let private greek =
    Map.ofList
        [ 'α', "alpha"; 'β', "beta"; 'γ', "gamma"; 'δ', "delta"; 'ε', "epsilon"; 'ϵ', "epsilon"; 'ζ', "zeta"
          'η', "eta"; 'θ', "theta"; 'ϑ', "theta"; 'ι', "iota"; 'κ', "kappa"; 'λ', "lambda"; 'μ', "mu"
          'µ', "mu"; 'ν', "nu"; 'ξ', "xi"; 'ο', "omicron"; 'π', "pi"; 'ρ', "rho"; 'ϱ', "rho"; 'σ', "sigma"
          'ς', "sigma"; 'τ', "tau"; 'υ', "upsilon"; 'φ', "phi"; 'ϕ', "phi"; 'χ', "chi"; 'ψ', "psi"; 'ω', "omega" ]

/// Lower case, with Greek letters spelled out: `Θ`, `θ`, `Theta` and `theta` are near each other.
let private spelledOut (name: string) =
    name
    |> String.collect (fun c ->
        let lower = Char.ToLowerInvariant c
        Map.tryFind lower greek |> Option.defaultValue (string lower))

/// The number of insertions, deletions, substitutions and swaps of neighbours between two names
/// (Damerau 1964, restricted to non-overlapping edits).
let distance (a: string) (b: string) =
    let d = Array2D.init (a.Length + 1) (b.Length + 1) (fun i j -> if i = 0 then j elif j = 0 then i else 0)

    for i in 1 .. a.Length do
        for j in 1 .. b.Length do
            let substitution = if a[i - 1] = b[j - 1] then 0 else 1
            let edits = min (min (d[i - 1, j] + 1) (d[i, j - 1] + 1)) (d[i - 1, j - 1] + substitution)

            let isSwap = i > 1 && j > 1 && a[i - 1] = b[j - 2] && a[i - 2] = b[j - 1]
            d[i, j] <- if isSwap then min edits (d[i - 2, j - 2] + 1) else edits

    d[a.Length, b.Length]

/// The nearest of `known`, where it is near enough to be a slip: one edit in a short name, a third of a long one.
/// Names of one letter are never a slip of each other, unless in case or alphabet.
let suggest (name: string) (known: string seq) =
    let written = spelledOut name

    let near candidate =
        let meant = spelledOut candidate
        let length = max written.Length meant.Length
        let allowed = if min written.Length meant.Length = 1 then 0 else max 1 (length / 3)

        if abs (written.Length - meant.Length) > allowed then
            None
        else
            let edits = distance written meant
            if edits <= allowed then Some(edits, candidate) else None

    known
    |> Seq.filter (fun k -> k <> name)
    |> Seq.distinct
    |> Seq.choose near
    |> Seq.sort
    |> Seq.tryHead
    |> Option.map snd
