/// Which kernels have their method's whole step as one piece of straight-line code, and its members: systems so small that this fits
/// into registers. An engine that reads the tableau stage by stage takes four times as long.
module internal DiffEqLang.Compiler.Backends.Simd.Fused

open DiffEqLang.Tableaux
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp
open DiffEqLang.Compiler.Backends.Simd.Registers
open DiffEqLang.Compiler.Backends.Simd.Elements
open DiffEqLang.Compiler.Backends.Simd.Unrolling
open DiffEqLang.Compiler.Backends.Simd.Kernel
open DiffEqLang.Compiler.Backends.Simd.KernelWriter

/// States, and operations of the right-hand side, up to which a step is fused. The just-in-time compiler stops inlining in
/// a method of more than 512 variables, and a step has a stage's variables as often as it has stages.
let private most = {| States = 6; Operations = 60 |}

/// Those of methods with coupled stages, of which an iteration has three.
let private mostCoupled = {| States = 8; Operations = 100 |}

/// The tableau of the solve block's method, or of the default one.
let private tableauOf (kernel: Kernel) : RungeKuttaTableau option =
    let choice = kernel.Model.Typed.Solve.Method

    match choice |> Option.bind _.Tableau with
    | Some ofFile -> Some ofFile
    | None ->
        choice
        |> Option.map _.Name
        |> Option.defaultValue "tsit5"
        |> Catalogue.Find
        |> Option.ofObj

let private cost (e: Expr.Expr) =
    match e.Op with
    | Op.Number _
    | Input _
    | Op.Index _
    | Slice _
    | Permute _
    | Reshape _
    | Broadcast _
    | Op.Diagonal
    | Stack
    | Concat -> 0
    // Functions that are inlined have some thirty operations.
    | Op.Call(name, _) when isCheap name -> 2
    | Op.Call _ -> 30
    | Contract _
    | Reduce _ -> e.Args |> List.map (fun a -> sizesOf a |> List.fold (*) 1) |> List.max
    | _ -> sizesOf e |> List.fold (*) 1

/// Whether a whole step fits into registers.
let isFused (kernel: Kernel) =
    let isShort (e: Expr.Expr) = sizesOf e |> List.forall (fun n -> n <= longestUnrolled)
    let nodes = topological kernel.Drift

    let most =
        match tableauOf kernel with
        | Some tableau when not (isNull tableau.Spectrum) -> mostCoupled
        | _ -> most

    kernel.Weights.IsEmpty
    && not (List.exists Written.isOfMatrices nodes)
    && total kernel.States <= most.States
    && List.forall isShort nodes
    && List.sumBy cost nodes <= most.Operations

let private named name value : CSharp.Member =
    { Documentation = inherited
      Attributes = []
      Modifiers = [ "public"; "override" ]
      Kind = Property("string", name, Literals.text value) }

/// What a kernel has beside its drift for the method of the solve block, or the default one.
let members (kernel: Kernel) precision : CSharp.Member list =
    let isExplicit (tableau: RungeKuttaTableau) =
        not tableau.IsImplicit && (not tableau.IsPartitioned || tableau.IsNystrom)

    match tableauOf kernel with
    | Some tableau when isExplicit tableau ->
        let name = tableau.Identity

        match Option.ofObj tableau.Error with
        | Some error ->
            [ named "FusedStep" name
              Slope.slope kernel precision tableau.Evaluations
              Step.step kernel precision tableau error ]
        | None ->
            [ named "FusedAdvance" name
              Slope.slope kernel precision tableau.EndStage
              Advance.advance kernel precision tableau ]
    | Some tableau ->
        match CoupledStages.tryMembers kernel precision tableau with
        | [] -> [ Slope.slope kernel precision 1 ]
        | members ->
            named "FusedStages" tableau.Identity
            :: Slope.slope kernel precision (tableau.EndStage)
            :: members
    | None -> [ Slope.slope kernel precision 1 ]
