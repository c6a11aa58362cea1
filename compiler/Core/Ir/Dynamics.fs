/// A model as mathematics wants it: a first-order system with its parts told apart, no derivative operators left.
///
///     d2q/dt2 = -q        becomes        dq = q' dt,  dq' = -q dt
module internal DiffEqLang.Compiler.Ir.Dynamics

open DiffEqLang.Contracts
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Typed

/// One component of the packed state vector, which holds the components one after another, each row-major.
type Component =
    {
        Symbol: Symbol
        /// Where it starts in the packed vector.
        Offset: Dim
        /// Of an algebraic unknown the residual that stands in its place.
        Drift: Expr
        /// The drift as a sum, where one of its terms is stiff; what is stiff is none of it elsewhere.
        Parts: Parts option
        /// Whether it has no derivative, and constraints determine it.
        IsAlgebraic: bool
        /// Linear in the increments; the number 0 broadcast to the shape where there is no noise.
        Diffusion: Expr
        Initial: Expr option
        Doc: string
        Span: SourceSpan
    }

/// What `Passes/NoiseStructure` found; from most to least special.
type NoiseStructure =
    /// The diffusion does not depend on the state.
    | Additive
    /// One Wiener process for every element of the packed state, element i of the diffusion being
    /// g_i(t, x_i) dW_i, with g_i of its own element alone.
    | Diagonal
    /// One scalar Wiener process.
    | Scalar
    /// The L^i g^j = L^j g^i condition holds symbolically.
    | Commutative
    | General

type Noise =
    {
        Wiener: WienerDecl list
        /// Elements of all increments together: the packed increment vector.
        Size: Dim
        Calculus: Calculus
        Structure: NoiseStructure
        /// Why it is no more special than that, for `explain` and for the message that refuses a method.
        Reason: string
    }

/// `0 = Residual`
type Constraint = { Text: string; Residual: Expr; Span: SourceSpan }

/// An event of the system.
type Event =
    {
        Decl: EventDecl
        /// What passes zero, unless it happens at given times.
        Watched: Expr option
        /// The state after it, one value for each component; empty where it changes none.
        After: Expr list
    }

/// A delay, and the delayed states that are asked for by it: behind the state, they are what the equations take.
type Delay =
    {
        Value: Expr
        /// The states now, each with its symbol of then.
        States: (Component * Symbol) list
    }

/// What `Passes/Partition` found.
type Partition =
    /// The derivatives of positions depend on time and momenta alone, those of momenta on time and positions: the packed entries that
    /// are positions, as offsets and lengths.
    | Separable of positions: (Dim * Dim) list
    /// Why the system does not fall into such.
    | Inseparable of reason: string

/// What methods that split take implicitly.
type Splitting =
    /// The terms that the model marks.
    | Marked
    /// The terms that are linear in the states with constant coefficients.
    | LinearTerms
    /// Nothing, and why.
    | Unsplit of reason: string

/// Of what form the matrix of a linear part is.
[<RequireQualifiedAccess>]
type LinearForm =
    | General
    | Diagonal

type Model =
    {
        Typed: Typed.Model
        /// The states, behind them the algebraic unknowns.
        Components: Component list
        /// As written; the components have their residuals too.
        Constraints: Constraint list
        /// The sum of all sizes.
        Size: Dim
        Noise: Noise option
        Events: Event list
        /// Empty where the equations have none.
        Delays: Delay list
        /// The past of every component before the solve; empty where no state has a history of its own.
        History: Expr list
        Partition: Partition
        Splitting: Splitting
        Outputs: OutputDecl list
    }

/// The delayed states, in the order in which they follow the state in what the equations take.
let delayed (model: Model) : Symbol list = model.Delays |> List.collect _.States |> List.map snd

/// The parts of a component's drift.
let partsOf (c: Component) : Parts =
    c.Parts
    |> Option.defaultValue { Explicit = c.Drift; Implicit = Build.zeros c.Symbol.Shape }

/// The size of what the equations take: of the state and the delayed ones.
let argumentSize (model: Model) : Dim =
    delayed model |> List.fold (fun size s -> Dim.add size (Shape.size s.Shape)) model.Size
