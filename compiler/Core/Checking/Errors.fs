/// What can be wrong with a model that parses, as data: a case for each kind of error with what its message
/// needs. `Messages/` puts them into words; nothing else does.
module internal DiffEqLang.Compiler.Checking.Errors

open DiffEqLang.Contracts
open DiffEqLang.Compiler.Ir.Shape

/// What a name stands for.
type NameKind =
    | DimName
    | StateName
    /// `algebraic y`
    | AlgebraicName
    | ParameterName
    | ConstantName
    | WienerName
    /// `dW`, which comes with `wiener W`.
    | IncrementName
    | LetName
    | OutputName
    | FunctionName
    | NetworkName
    /// `f_W1`, which comes with `net f`.
    | NetworkParameterName
    /// The argument of a `fn`.
    | ArgumentName
    /// `t`, `pi`, `inf`
    | BuiltinName
    /// A declaration that the compiler answers with "not supported yet".
    | UnsupportedName

/// A declaration that explains an error: `W1 : R[50, 2]`.
type Declared = { Label: string; At: SourceSpan }

/// An operand as the user wrote it, with the declarations that its shape comes from.
type Operand = { Shape: Shape; Text: string; At: SourceSpan; Declarations: Declared list }

type NameError =
    | UnknownName of name: string * suggestion: string option
    /// In the shape of a declaration.
    | UnknownSize of name: string
    | UnknownFunction of name: string * suggestion: string option
    | Redeclared of name: string * first: SourceSpan
    | Reserved of name: string * meaning: string
    | NotAFunction of name: string * kind: NameKind
    | NotAValue of name: string * kind: NameKind
    | Unused of name: string * kind: NameKind
    /// The names in the order in which each uses the next; the last uses the first.
    | Cycle of names: string list
    | RecursiveFunction of names: string list
    | ArgumentCount of callee: string * least: int * most: int * given: int
    | UnknownArgument of callee: string * name: string * suggestion: string option
    /// A call of a network with several arguments.
    | NetworkArguments of network: string * arguments: string list
    /// `dH/dp`
    | QuotientOfDifferentials of above: string * below: string
    | UnknownModel of name: string * suggestion: string option
    /// A caller's value for a dim that no model declares.
    | UnknownDim of name: string * suggestion: string option

type ShapeError =
    | ElementwiseShapes of operator: string * left: Operand * right: Operand
    /// `*` between a matrix and a vector.
    | ProductMeansContract of left: Operand * right: Operand
    | ContractShapes of left: Operand * right: Operand
    | ContractScalar of left: Operand * right: Operand
    | BranchShapes of thenBranch: Operand * elseBranch: Operand
    | StackShapes of first: Operand * other: Operand
    | EmptyStack
    | EquationShape of left: string * state: Declared * stateShape: Shape * right: Operand
    | ValueShape of target: Declared * targetShape: Shape * value: Operand
    | TooManySubscripts of target: Operand * given: int
    | IndexOutOfBounds of index: int64 * length: string * target: Operand
    | SliceOutOfBounds of from: string * upTo: string * length: string * target: Operand
    | IndexNotConstant of text: string
    | TransposeRank of target: Operand
    /// What a builtin's shape rule says about these operands.
    | FunctionShapes of name: string * reason: string * operands: Operand list
    | ConditionIsNumber of construct: string * text: string
    | NumberIsCondition of construct: string * text: string
    | SizeNotInteger of text: string
    | SizeNotPositive of text: string * value: string
    | UnknownType of name: string
    | DerivativeShape of operator: string * rule: string * operand: Operand
    | NetworkResult of network: string * declared: Shape * given: Shape
    | NetworkVectorOnly of what: string * shape: Shape
    | CorrelationShape of wiener: string * expected: Shape * given: Shape
    | CorrelationNeedsVector of wiener: string * shape: Shape

type StructureError =
    | NoStates of model: string
    | MissingEquation of state: string
    | DuplicateEquation of state: string * first: SourceSpan
    | EquationForUndeclared of name: string * suggestion: string option
    | EquationForOther of name: string * kind: NameKind * declared: SourceSpan
    /// With the states that it was meant for.
    | NotAnEquation of text: string * hint: string * states: string list
    /// `x'` of a state that is not of second order.
    | PrimeOfFirstOrder of state: string
    | PrimeOfOther of name: string * kind: NameKind
    | DuplicateInitial of state: string * first: SourceSpan
    | InitialOfOther of name: string * kind: NameKind
    | InitialTarget of text: string
    | JumpOfOther of name: string * kind: NameKind
    | JumpTarget of text: string
    /// What an initial value, a constant or another value fixed before the solve may not depend on.
    | DependsOn of what: string * allowed: string * names: (string * NameKind) list
    | RepeatedSection of section: string * first: SourceSpan
    | ParameterWithoutValue of name: string
    | ParameterWithTwoValues of name: string
    | UnknownDistribution of name: string * suggestion: string option * known: string list
    | DistributionArguments of name: string * signature: string
    | DistributionNeedsMatrix of name: string * shape: Shape
    | EmptyInterval of low: float * high: float
    | ClosedInterval of text: string
    | OutsideInterval of name: string * value: float * interval: string
    | NotANumber of what: string * text: string
    | DerivativeVariable of operator: string * text: string
    | UnknownStage of name: string * suggestion: string option
    | StageArguments of stage: string * signature: string
    | StageChangesShape of stage: string * reason: string
    /// `f("text")`
    | TextAsValue of text: string
    /// `implicit { ... }` that is no term of an ordinary equation's right side.
    | MisplacedMark
    /// Constraints and algebraic unknowns, counted by their elements, with the states that have no equation.
    | ConstraintCount of constraints: string * unknowns: string * undetermined: string list
    /// A constraint for which no algebraic unknown is left, the unknowns for which no constraint is, and what could stand in its place: the
    /// constraint differentiated so many times along the equations.
    | SingularConstraint of
        text: string *
        isFree: bool *
        unknowns: string list *
        replacement: (int * string) option

/// What can be wrong with a `when`; the states that it names are part of the structure.
type EventError =
    | TriggerIsCondition of trigger: string * text: string
    | TriggerNotScalar of trigger: string * value: Operand
    /// What passes zero depends on neither state nor time.
    | FixedTrigger of text: string
    | PeriodNotPositive of period: float
    | RepeatedJump of state: string * first: SourceSpan
    | GradientThroughEvents of gradient: string
    | MethodThroughEvents of method: string

/// What can be wrong with a delay or a history.
type DelayError =
    /// A state called at something that is not `t` less a delay.
    | DelayArgument of state: string * text: string
    | DelayNotScalar of delay: Operand
    /// It depends on the time or on states.
    | DelayVaries of text: string * names: (string * NameKind) list
    | NegativeDelay of delay: float
    /// One that the declared parameters make negative.
    | DelayTurnsNegative of delay: float
    /// A delayed state where the past is not known: in an output, an event, a history.
    | DelayOutside of delayed: string * where: string
    | HistoryOfOther of name: string * kind: NameKind
    | DuplicateHistory of state: string * first: SourceSpan
    | GradientThroughDelays of gradient: string
    | MethodRefusesDelays of method: string * what: string * alternatives: string list

type NoiseError =
    | TermWithoutDifferential of text: string
    | ProductOfDifferentials of text: string
    | NonlinearDifferential of differential: string * within: string
    | DifferentialOutside of differential: string
    | UnknownDifferential of differential: string * suggestion: string option
    | UnknownCalculus of name: string * suggestion: string option
    /// A deterministic method for a model with noise.
    | MethodIgnoresNoise of method: string * wiener: string * stochastic: string list
    /// A stochastic method for a model without noise.
    | MethodNeedsNoise of method: string * deterministic: string list
    | MethodRefusesStructure of
        method: string *
        structure: string *
        reason: string *
        alternatives: string list

type SolveError =
    | UnknownSetting of name: string * suggestion: string option
    | RepeatedSetting of name: string * first: SourceSpan
    | UnknownMethod of name: string * suggestion: string option
    | UnknownOption of method: string * option: string * suggestion: string option * known: string list
    | SettingValue of setting: string * expected: string * suggestion: string option
    | OptionValue of option: string * expected: string
    | EmptyTimeSpan of at: float
    | TargetRefusesModel of target: string * reason: string
    /// A symplectic method, and why the equations do not fall into positions and momenta.
    | MethodRefusesEquations of method: string * reason: string
    /// A method that splits, and why the equations have no part for it to take implicitly.
    | MethodNeedsParts of method: string * reason: string
    /// An exponential method, and why the equations have no linear part for it.
    | MethodNeedsLinearPart of method: string * reason: string
    /// A method whose steps do not end on constraints, why, and the methods that do.
    | MethodRefusesConstraints of method: string * reason: string * alternatives: string list
    /// `rk("file.json")`, and what is wrong with the file.
    | TableauFile of path: string * reason: string
    /// A gradient, what of the model it does not go with, and why.
    | GradientRefuses of gradient: string * what: string * reason: string

/// What the language has and the compiler does not have yet.
type Unsupported =
    /// `control u`, `jumps N`, `param W(t)` ...
    | Declaration of construct: string
    /// Delays, controlled equations, algebraic constraints in a model with noise ...
    | EquationForm of construct: string
    | NetworkStage of name: string
    | FileItem of construct: string
    | SolveFeature of setting: string * value: string * now: string list
    /// `when` in a model with noise.
    | EventsWithNoise
    | Function of name: string

type ErrorKind =
    | Name of NameError
    | Shape of ShapeError
    | Structure of StructureError
    | Noise of NoiseError
    | Event of EventError
    | Delay of DelayError
    | Solve of SolveError
    | NotSupportedYet of Unsupported

type Error =
    {
        Kind: ErrorKind
        Span: SourceSpan
        /// Where the functions were called whose body this is in, innermost first.
        Calls: SourceSpan list
    }

let error span kind = { Kind = kind; Span = span; Calls = [] }
