/// Which tensors have the batch's axes before their own.
module internal DiffEqLang.Compiler.Backends.Torch.Batching

open DiffEqLang.Compiler.Ir.Expr

/// Whether a tensor has the batch axes before its own.
type Batching =
    /// Parameters, constants: never.
    | Single
    /// Of time alone: there where the caller's time has them.
    | PerTime
    /// Always.
    | PerSample

let batching (e: Expr) =
    let perSample =
        Dependence.State
        ||| Dependence.Control
        ||| Dependence.Noise
        ||| Dependence.Sample
        ||| Dependence.Cotangent

    if e.DependsOn &&& perSample <> Dependence.Nothing then PerSample
    elif e.DependsOn.HasFlag Dependence.Time then PerTime
    else Single

let mostBatched (args: Expr list) =
    match args |> List.map batching with
    | all when List.contains PerSample all -> PerSample
    | all when List.contains PerTime all -> PerTime
    | _ -> Single
