/// Which back end a model runs on, and why: `target = auto` takes registers for small systems on the CPU and torch for
/// the rest.
module internal DiffEqLang.Compiler.Backends.Simd.Target

open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Backends.Simd.Registers
open DiffEqLang.Compiler.Backends.Simd.Elements
open DiffEqLang.Compiler.Backends.Simd.Kernel

/// Multiplications of one evaluation from which matrix products of a library pay: measured as the crossover of the two
/// targets over batches of 64 to 4096 samples.
let mostProducts = 20_000

type Choice =
    /// With the reason.
    | Torch of string
    | Simd of Kernel

/// Multiplications that one evaluation spends in contractions.
let private products (drift: Expr.Expr list) =
    topological drift
    |> List.sumBy (fun e ->
        match e.Op with
        | Contract(left, _) ->
            let inner = left |> List.map (fun axis -> (sizesOf e.Args.Head)[axis]) |> List.fold (*) 1
            inner * (sizesOf e |> List.fold (*) 1)
        | _ -> 0)

let private onlyOnDevice (model: Dynamics.Model) =
    match model.Typed.Solve.Device with
    | Some device when device <> "auto" && device <> "cpu" -> Some(sprintf "its device is %s" device)
    | _ -> None

/// `asked` comes before the model's solve block.
let choose (asked: string option) (model: Dynamics.Model) : Choice =
    match asked |> Option.orElse model.Typed.Solve.Target |> Option.defaultValue "auto" with
    | "torch" -> Torch "the target is torch"
    | target ->
        match onlyOnDevice model, Kernel.ofModel model with
        | Some reason, _ -> Torch reason
        | None, Error reason -> Torch reason
        | None, Ok kernel ->
            let count = products kernel.Drift

            if target = "auto" && count > mostProducts then
                Torch(sprintf "one evaluation takes %d multiplications in matrix products" count)
            else
                Simd kernel

/// What registers hold.
let precision (asked: string option) (model: Dynamics.Model) =
    match asked |> Option.orElse model.Typed.Solve.Dtype |> Option.map _.ToLowerInvariant() with
    | Some "float64" -> Double
    | _ -> Single
