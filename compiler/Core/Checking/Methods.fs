/// The methods, their options and the other choices of a solve block: the runtime's names, as the language spells
/// them. A test holds this file against the runtime.
module internal DiffEqLang.Compiler.Checking.Methods

open DiffEqLang.Tableaux
open DiffEqLang.Compiler.Ir.Typed

/// What a method can take of a model's noise.
type NoiseRule =
    /// Ordinary equations only.
    | Deterministic
    /// Any structure of noise.
    | AnyNoise
    /// All but general noise: the method needs L^i g^j = L^j g^i.
    | CommutativeNoise

type Method =
    {
        Name: string
        Noise: NoiseRule
        /// Whether it estimates its error, and so takes tolerances.
        IsAdaptive: bool
        /// The highest order of a method of variable order.
        MostOrder: int option
        /// Whether its steps can be undone.
        IsReversible: bool
    }

let private fixedStep name =
    { Name = name
      Noise = Deterministic
      IsAdaptive = false
      MostOrder = None
      IsReversible = false }

let private adaptive name = { fixedStep name with IsAdaptive = true }
let private multistep most name = { adaptive name with MostOrder = Some most }
let private reversible name = { fixedStep name with IsReversible = true }
let private stochastic rule name = { fixedStep name with Noise = rule }

/// Explicit where the equations are not stiff, and implicit where they are.
let switching = "auto"

let all =
    [ fixedStep "euler"
      fixedStep "midpoint"
      fixedStep "heun"
      fixedStep "ralston"
      fixedStep "rk4"
      fixedStep "rk38"
      adaptive "bosh3"
      adaptive "dopri5"
      adaptive "tsit5"
      adaptive "vern6"
      adaptive "vern7"
      adaptive "dopri8"
      adaptive "vern9"
      adaptive "implicit_euler"
      fixedStep "implicit_midpoint"
      fixedStep "gauss4"
      adaptive "trbdf2"
      adaptive "kvaerno3"
      adaptive "kvaerno4"
      adaptive "kvaerno5"
      adaptive "radau"
      adaptive "rosenbrock23"
      adaptive "rodas4"
      adaptive "rodas5p"
      multistep 5 "bdf"
      multistep 12 "adams"
      adaptive switching
      fixedStep "imex_euler"
      adaptive "kencarp3"
      adaptive "kencarp4"
      adaptive "kencarp5"
      fixedStep "etd1"
      fixedStep "etdrk4"
      fixedStep "symplectic_euler"
      fixedStep "leapfrog"
      fixedStep "yoshida4"
      fixedStep "mclachlan"
      reversible "reversible_heun"
      reversible "asynchronous_leapfrog"
      stochastic AnyNoise "euler_maruyama"
      stochastic AnyNoise "euler_heun"
      stochastic CommutativeNoise "milstein" ]

let tryFind name = all |> List.tryFind (fun m -> m.Name = name)

/// How a method takes its steps, from which follows what it can be asked for.
[<RequireQualifiedAccess>]
type Family =
    /// By a tableau, of the catalogue or of a file.
    | Tableau of RungeKuttaTableau
    /// By past values.
    | Multistep
    /// By functions of a matrix.
    | Exponential
    /// So that they can be undone.
    | Reversible
    /// By two methods, one of them for stiff equations.
    | Switching
    /// Those of stochastic equations.
    | Stochastic

/// The family of a method that there is.
let familyOf (choice: MethodChoice) : Family =
    match choice.Tableau, Option.ofObj (Catalogue.Find choice.Name), tryFind choice.Name with
    | Some tableau, _, _
    | None, Some tableau, _ -> Family.Tableau tableau
    | None, None, Some m when m.MostOrder.IsSome -> Family.Multistep
    | None, None, Some m when m.IsReversible -> Family.Reversible
    | None, None, _ when not (isNull (Catalogue.FindExponential choice.Name)) -> Family.Exponential
    | None, None, _ when choice.Name = switching -> Family.Switching
    | None, None, _ -> Family.Stochastic

/// Whether a method treats a part of the equations, the stiff one, otherwise than the rest.
let splits (choice: MethodChoice) =
    match familyOf choice with
    | Family.Tableau tableau -> tableau.IsSplit
    | Family.Exponential -> true
    | Family.Multistep
    | Family.Switching
    | Family.Reversible
    | Family.Stochastic -> false

/// A method whose tableau stands in a file: `rk("file.json")`.
let ofFile (isAdaptive: bool) name = { fixedStep name with IsAdaptive = isAdaptive }

let deterministic = all |> List.filter (fun m -> m.Noise = Deterministic) |> List.map _.Name
let forGeneralNoise = all |> List.filter (fun m -> m.Noise = AnyNoise) |> List.map _.Name

let stochasticNames =
    all |> List.filter (fun m -> m.Noise <> Deterministic) |> List.map _.Name

/// What a solve block without a method has.
let byDefault = "tsit5"

let reversibleNames = all |> List.filter _.IsReversible |> List.map _.Name

/// The options of a method: every one a positive number, the order a whole one.
let options (m: Method) =
    [ if m.IsAdaptive then
          "rtol"
          "atol"
      "dt"
      if m.MostOrder.IsSome then
          "order" ]

/// Methods that the language has and the runtime does not have yet.
let later =
    set
        [ "revnet"
          "ab2"
          "ab3"
          "lm_resnet"
          "polynet"
          "fractal"
          "momentum"
          "fused"
          "ddim"
          "dpm_solver_1"
          "dpm_solver_2"
          "dpm_solver_3"
          "sri"
          "srk"
          "sra"
          "platen"
          "rsde"
          "log_ode"
          "slowrk" ]

/// The words that a setting takes: now, and later.
type Words = { Now: string list; Later: string list }

let gradient =
    { Now = [ "discrete"; "backsolve"; "interpolated"; "forward"; "reversible" ]
      Later = [] }

let target = { Now = [ "auto"; "torch"; "simd" ]; Later = [ "cuda" ] }
let dtype = { Now = [ "float32"; "float64" ]; Later = [] }

/// Devices without a number; `cuda:1` is checked apart.
let device = { Now = [ "auto"; "cpu"; "cuda"; "mps" ]; Later = [] }
