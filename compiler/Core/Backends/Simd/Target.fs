/// Which back end a model runs on, and why: `target = auto` takes registers for small systems on the CPU and torch for
/// the rest.
module internal DiffEqLang.Compiler.Backends.Simd.Target

open DiffEqLang.Contracts
open DiffEqLang.Compiler.Checking
open DiffEqLang.Compiler.Checking.Errors
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Backends.Simd.Registers
open DiffEqLang.Compiler.Backends.Simd.Unrolling
open DiffEqLang.Compiler.Backends.Simd.Kernel

/// Multiplications of one evaluation up to which `auto` takes registers. Measured on training steps of networks 8-h-h-8 (the
/// benchmark `crossover`), the two targets meet at 18,000 with 128 samples, at 270,000 with 16 and at 1,500 with 1024, which no
/// compiler knows: beyond 20,000 a library's products gain more on large batches than calls cost on small ones.
let mostProducts = 20_000

/// Registers that a method may keep on the stack: half a megabyte of the widest, of the megabyte and a half that a thread may
/// have at least.
let private mostOnStack = 8192

/// The kernel, unless its loops hand on more than a stack holds.
let private fitting (kernel: Kernel) : Result<Kernel, string> =
    let ofProduct (product: Derivatives.VectorJacobian) = product.States @ product.Parameters

    let values =
        kernel.Drift
        @ ofProduct kernel.Product
        @ [ for quantity, product in kernel.Noise do
                yield! quantity.Values
                yield! ofProduct product
            for event in kernel.Events do
                yield! Option.toList event.Watched
                yield! event.After ]

    let most = topological values |> List.filter hasLoops |> List.sumBy Unrolling.sizeOf

    // Most of that is never stored: only where it is much, the methods are written to see.
    match (if most > mostOnStack then KernelClass.mostOnStack kernel else most) with
    | n when n > mostOnStack ->
        Error(
            sprintf
                "its loops hand on %d numbers of a sample to each other, and a stack holds %d"
                n
                mostOnStack
        )
    | _ -> Ok kernel

type Choice =
    | Torch of reason: string
    | Simd of Kernel * reason: string

/// Multiplications that one evaluation of drift and diffusion spends in contractions and factorizations.
let private products (kernel: Kernel) =
    topological (kernel.Drift @ (kernel.Model.Components |> List.map _.Diffusion))
    |> List.sumBy (fun e ->
        match e.Op with
        | Contract(left, _) ->
            let inner = left |> List.map (fun axis -> (sizesOf e.Args.Head)[axis]) |> List.fold (*) 1
            inner * (sizesOf e |> List.fold (*) 1)
        | _ when Written.isOfMatrices e -> pown (sizesOf e.Args.Head).Head 3
        | _ -> 0)

let private hasSparseJacobian (model: Dynamics.Model) =
    Sparsity.analyse model |> Option.exists Sparsity.isWorthwhile

/// What a step of the method does that registers do not, where the solve block fixes one.
let private methodNeedsTorch (model: Dynamics.Model) =
    let obstacle (choice: Typed.MethodChoice) =
        match Methods.familyOf choice with
        | Methods.Family.Multistep -> Some "keeps past values"
        | Methods.Family.Exponential -> Some "steps by functions of a matrix"
        | Methods.Family.Reversible -> Some "steps back by itself"
        | Methods.Family.Switching -> Some "changes between two"
        | Methods.Family.Tableau tableau when tableau.IsPartitioned && not (Kernel.isSecondOrder model) ->
            Some "moves positions and momenta by turns, and the equations are not q'' = a(t, q)"
        | Methods.Family.Tableau tableau when not tableau.FitsRegisters ->
            Some "solves nonlinear equations in a step, as on registers radau alone does"
        | Methods.Family.Tableau _
        | Methods.Family.Stochastic -> None
        |> Option.map (sprintf "its method, %s, %s" choice.Name)

    model.Typed.Solve.Method |> Option.bind obstacle

let private differentiatesTwice (model: Dynamics.Model) =
    match model.Typed.Solve.Gradient with
    | Some { Order = 2 } -> Some "gradients are differentiated again, which torch does alone"
    | Some _
    | None -> None

let private onlyOnDevice (model: Dynamics.Model) =
    match model.Typed.Solve.Device with
    | Some device when device <> "auto" && device <> "cpu" -> Some(sprintf "its device is %s" device)
    | _ -> None

/// The target that a model is compiled for; `asked` comes before the model's solve block.
let private asked (option: string option) (model: Dynamics.Model) =
    option
    |> Option.orElse (Option.map fst model.Typed.Solve.Target)
    |> Option.defaultValue "auto"

let choose (option: string option) (model: Dynamics.Model) : Choice =
    match asked option model with
    | "torch" -> Torch "it was asked for"
    | target ->
        let obstacle =
            onlyOnDevice model
            |> Option.orElse (methodNeedsTorch model)
            |> Option.orElse (differentiatesTwice model)

        let kernel =
            match obstacle with
            | Some reason -> Error reason
            | None -> Result.bind fitting (Kernel.ofModel model)

        match kernel with
        | Error reason -> Torch reason
        | Ok kernel ->
            let count = products kernel

            if target = "simd" then
                Simd(kernel, "it was asked for")
            elif Jacobian.isNeeded kernel && hasSparseJacobian model then
                Torch "its method solves with a sparse Jacobian, and registers factorize full ones"
            elif Jacobian.isNeeded kernel && not (Jacobian.fits kernel) then
                Torch "its method solves with the Jacobian, which registers hold for small systems alone"
            elif count > mostProducts then
                Torch(
                    sprintf
                        "one evaluation takes %d multiplications in matrix products, and a library's are faster"
                        count
                )
            else
                Simd(kernel, "the system is small: calls would cost more than its arithmetic")

/// A model that cannot run where it was asked to.
let diagnostics (option: string option) (model: Dynamics.Model) : Diagnostic list =
    match asked option model, choose option model with
    | "simd", Torch reason ->
        let span =
            match option, model.Typed.Solve.Target with
            | None, Some(_, span) -> span
            | _ -> model.Typed.Span

        [ Messages.Render.diagnostic (error span (Solve(TargetRefusesModel("simd", reason)))) ]
    | _ -> []

/// What registers hold; `asked` comes before the model's solve block.
let precision (asked: string option) (model: Dynamics.Model) =
    match asked |> Option.orElse model.Typed.Solve.Dtype with
    | Some "float64" -> Double
    | Some _
    | None -> Single
