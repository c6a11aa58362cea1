/// A model after Checking: every expression has its shape, every name is resolved, nets and functions are
/// expanded. Equations are still as the user grouped them (second order, terms of an SDE in one expression).
module internal DiffEqLang.Compiler.Ir.Typed

open DiffEqLang.Tableaux
open DiffEqLang.Contracts
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Shape
open DiffEqLang.Compiler.Ir.Expr

/// `dim n`: Value None is left to the caller.
type DimDecl = { Name: string; Value: int64 option; Doc: string; Span: SourceSpan }

/// How a parameter starts.
type Initializer =
    /// An expression of constants and dims; a scalar fills the shape.
    | Value of Expr
    | Normal of mean: float * standardDeviation: float
    | Uniform of low: float * high: float
    | XavierUniform
    | XavierNormal
    | KaimingUniform
    | KaimingNormal
    | Orthogonal
    /// Uniform in +-1/sqrt(fanIn), what torch.nn.Linear does for weight and bias.
    | LinearDefault of fanIn: Dim

/// The open interval that a parameter is kept in; infinite ends allowed.
type Bounds = { Low: float; High: float }

type ParameterDecl =
    {
        Symbol: Symbol
        Initializer: Initializer
        Bounds: Bounds option
        /// The net it belongs to, where a net literal made it.
        Net: string option
        Doc: string
        Span: SourceSpan
    }

type ConstantDecl =
    {
        Symbol: Symbol
        /// Of other constants and dims.
        Value: Expr
        Doc: string
        Span: SourceSpan
    }

type StateDecl = { Symbol: Symbol; Doc: string; Span: SourceSpan }

/// `wiener W : R[m]`. The increment's symbol is named `dW`, of role Increment.
type WienerDecl =
    {
        Name: string
        Increment: Symbol
        /// The covariance of dW/sqrt(dt) where it is not the identity.
        Correlation: Expr option
        Span: SourceSpan
    }

type Calculus =
    | Ito
    | Stratonovich

/// A right side in two parts, each of the state's shape, of which methods that split take the second implicitly.
type Parts = { Explicit: Expr; Implicit: Expr }

type Equation =
    /// d^order state/dt^order = Right, with the parts of Right where some of its terms are marked. A second-order state's derivative is an
    /// Input of role State named `q'`.
    | Ordinary of state: Symbol * order: int * right: Expr * marked: Parts option * SourceSpan
    /// dX = Drift dt + Diffusion, where Diffusion is linear in the increments (0 where there is none).
    | Stochastic of state: Symbol * drift: Expr * diffusion: Expr * SourceSpan
    /// 0 = Residual, with its text; it says of no unknown that it determines it.
    | Constraint of text: string * residual: Expr * SourceSpan

/// Which way an event's value has to pass zero, seen in the direction in which the solve goes.
type Direction =
    | Rising
    | Falling
    | Crossing

/// What makes an event happen.
type Trigger =
    /// The value passes zero.
    | Root of Direction * value: Expr
    /// At all multiples of the period.
    | Every of period: float
    /// At one time.
    | Once of time: float

/// `when falling(h) { v := -0.8*v, stop }`
type EventDecl =
    {
        /// `falling(h)`
        Name: string
        Trigger: Trigger
        /// What states become, at once; each value is of those before the event.
        Jumps: (Symbol * Expr) list
        /// Whether the solve ends there.
        Stops: bool
        Span: SourceSpan
    }

/// A state at an earlier time, as expressions ask for it.
type DelayDecl =
    {
        /// Of role Delayed, named `x(t - tau)`.
        Symbol: Symbol
        State: Symbol
        /// A scalar of parameters, constants and numbers.
        Delay: Expr
        Span: SourceSpan
    }

type OutputDecl = { Name: string; Value: Expr; Doc: string; Span: SourceSpan }

/// A value as the solve block gave it.
type OptionValue =
    | Real of float
    | Word of string

/// `dopri5(rtol = 1e-7)`
type MethodChoice =
    {
        Name: string
        Options: (string * OptionValue) list
        /// Where the method stands in a file: `rk("mine.json")`.
        Tableau: RungeKuttaTableau option
        Span: SourceSpan
    }

/// `backsolve`, `discrete(checkpoints = 50)` or `discrete(order = 2)`.
type GradientChoice =
    {
        Mode: string
        /// How many states the discrete gradient keeps at most.
        Checkpoints: int option
        /// Of the derivatives: 2 where gradients are differentiated again.
        Order: int
        Span: SourceSpan
    }

    /// Whether it keeps all states and the steps between them: what looks a step up can ask for no other.
    member gradient.KeepsAllStates = gradient.Mode = "discrete" && gradient.Checkpoints.IsNone

    /// As it is written.
    member gradient.Written =
        match gradient.Checkpoints, gradient.Order with
        | Some n, _ -> sprintf "%s(checkpoints = %d)" gradient.Mode n
        | None, 1 -> gradient.Mode
        | None, order -> sprintf "%s(order = %d)" gradient.Mode order

type SolveBlock =
    {
        Start: float option
        End: float option
        Method: MethodChoice option
        Gradient: GradientChoice option
        /// auto, torch ...
        Target: (string * SourceSpan) option
        /// auto, cpu, cuda, cuda:1, mps
        Device: string option
        /// float32, float64
        Dtype: string option
    }

type Model =
    {
        Name: string
        Doc: string
        Span: SourceSpan
        Source: SourceFile
        Dims: DimDecl list
        Constants: ConstantDecl list
        States: StateDecl list
        /// What constraints determine.
        Algebraic: StateDecl list
        Parameters: ParameterDecl list
        Wiener: WienerDecl list
        Calculus: Calculus
        Equations: Equation list
        /// In the order of the file, in which those of one time act.
        Events: EventDecl list
        /// Of those that are asked for; expressions hold their symbols.
        Delays: DelayDecl list
        /// By state, of time, parameters, constants, dims: what it was before the solve.
        Histories: (Symbol * Expr) list
        Outputs: OutputDecl list
        /// By state (`q'` for a derivative's); of parameters, constants, dims.
        Initials: (Symbol * Expr) list
        Solve: SolveBlock
    }
