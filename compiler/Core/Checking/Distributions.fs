/// The distributions that a parameter may start from.
module internal DiffEqLang.Compiler.Checking.Distributions

open DiffEqLang.Compiler.Ir.Typed

/// A distribution of the language: how it is written, and what it makes of its arguments (None: not these).
type Distribution =
    { Name: string
      Signature: string
      NeedsMatrix: bool
      Make: float list -> Initializer option }

let private ofTwo name signature make =
    { Name = name
      Signature = signature
      NeedsMatrix = false
      Make =
        function
        | [ a; b ] -> make a b
        | _ -> None }

let private ofMatrix name initializer =
    { Name = name
      Signature = name
      NeedsMatrix = true
      Make =
        function
        | [] -> Some initializer
        | _ -> None }

let private all =
    [ ofTwo "normal" "normal(mean, standard deviation), the deviation not negative" (fun mean deviation ->
          if deviation >= 0.0 then Some(Normal(mean, deviation)) else None)
      ofTwo "uniform" "uniform(low, high), low less than high" (fun low high ->
          if low < high then Some(Uniform(low, high)) else None)
      ofMatrix "xavier_uniform" XavierUniform
      ofMatrix "xavier_normal" XavierNormal
      ofMatrix "kaiming_uniform" KaimingUniform
      ofMatrix "kaiming_normal" KaimingNormal
      ofMatrix "orthogonal" Orthogonal ]

let names = all |> List.map _.Name

let tryFind name = all |> List.tryFind (fun d -> d.Name = name)
