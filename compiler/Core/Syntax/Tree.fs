/// The tree as written: what the parser saw, with the place of every part and nothing resolved.
/// `dX`, `dt` and `dx/dt` are still plain names and quotients in an equation's right side; the left side is
/// already told apart (it is a matter of form), what the names mean is Checking's business.
module internal DiffEqLang.Compiler.Syntax.Tree

open DiffEqLang.Contracts

/// A name and where it stands. NFC-normalised.
type Ident = { Name: string; Span: SourceSpan }

type UnaryOperator =
    | Plus
    | Minus
    | Not

type BinaryOperator =
    | Add
    | Subtract
    | Multiply
    | Divide
    | Power
    | Contract // @
    | Less
    | LessOrEqual
    | Greater
    | GreaterOrEqual
    | Equal
    | NotEqual
    | And
    | Or

type Expr = { Kind: ExprKind; Span: SourceSpan }

and ExprKind =
    /// The value, and the text as written (the formatter keeps `1_000` and `1e-3`).
    | Number of value: float * text: string
    | Name of string
    /// `x'`, `q''`: a state's derivative.
    | Prime of name: Ident * order: int
    | Unary of UnaryOperator * operand: Expr
    | Binary of BinaryOperator * left: Expr * operator: SourceSpan * right: Expr
    /// `f(a, axis = 0)`; the callee is a name: functions are not values.
    | Call of callee: Ident * Argument list
    /// `x[0]`, `x[1..3]`, `A[0, 1..]`
    | Index of target: Expr * Subscript list
    /// `A.T`
    | Transpose of Expr
    /// `[a, b]`
    | Stack of Expr list
    | If of condition: Expr * thenBranch: Expr * elseBranch: Expr
    /// Kept so that the formatter gives back what was written; means the expression inside.
    | Parenthesized of Expr
    /// `implicit { e }`: a term that methods which split take implicitly.
    | ImplicitPart of Expr
    /// `"file.json"`, an argument of `rk`; without the quotation marks.
    | Quoted of text: string
    /// Where the parser recovered; Checking passes over it in silence (the error is already reported).
    | Missing

and Argument = { Name: Ident option; Value: Expr }

and Subscript =
    | At of Expr
    /// Half-open; either end may be left out.
    | Range of from: Expr option * upTo: Expr option * SourceSpan

/// `R`, `R[n, 2]`; a name other than R is an error that Checking reports.
type TypeExpr = { Base: Ident; Dims: Expr list; Span: SourceSpan }

/// `x, y : R[n]`: a type covers the names since the one before it; names without type are scalars.
type Declarator = { Name: Ident; Type: TypeExpr option }

/// `normal(0, 0.1)`, `xavier_uniform`
type Distribution = { Name: Ident; Arguments: Argument list; Span: SourceSpan }

/// `(0, inf)`: the ends are not part of the interval; `[0, 1]` parses too.
type Interval = { Low: Expr; High: Expr; LowClosed: bool; HighClosed: bool; Span: SourceSpan }

/// One declared parameter, with its name(s): `param a, b : R = 1 in (0, inf)`.
type ParamDecl =
    {
        Names: Declarator list
        /// `param W(t)`: the argument of a depth-varying parameter.
        Depth: Ident option
        Distribution: Distribution option
        /// A value, or `steps(10)` where depth-varying.
        Value: Expr option
        Interval: Interval option
    }

/// A stage of a network: `dense(50)`, `tanh`, `residual(net)`.
type Stage = { Name: Ident; Arguments: Argument list; HasArguments: bool; Span: SourceSpan }

type Domain = { Name: string; Dims: Expr list; Span: SourceSpan }

type NetDecl = { Name: Ident; From: TypeExpr; To: TypeExpr; Stages: Stage list }

type FnDecl = { Name: Ident; Parameters: Ident list; Body: Expr }

/// The left side of an equation, told apart by form.
type EquationTarget =
    /// `dx/dt`, `d2q/dt2`, `x'`, `q''`
    | Derivative of state: Ident * order: int
    /// `dX`
    | Differential of state: Ident
    /// `0`: an algebraic constraint
    | Zero of SourceSpan
    /// Anything else that stands before `=`: Checking says what is wrong with it.
    | Other of Expr

type EventKind =
    | Rising
    | Falling
    | Crossing
    /// `every(0.5)`
    | Every
    /// `at(2)`
    | Once

type EventAction =
    | Assign of target: Expr * value: Expr * SourceSpan // v := -0.8*v
    | Stop of SourceSpan

/// `name = value` in a solve block; a value such as `0 .. 25` is a Span of time.
type Setting = { Name: Ident; Value: SettingValue; Span: SourceSpan }

and SettingValue =
    | Single of Expr
    | TimeSpan of from: Expr * upTo: Expr

/// Text of the `##` lines above a declaration, without the marks, or empty.
type Documentation = string

type Declaration = { Doc: Documentation; Kind: DeclarationKind; Span: SourceSpan }

and DeclarationKind =
    | Dim of name: Ident * value: Expr option
    | State of Declarator list
    | Algebraic of Declarator list
    | Param of ParamDecl
    | Const of name: Declarator * value: Expr
    | Control of Declarator list
    | Wiener of Declarator list * correlation: Expr option
    | Jumps of name: Ident * rate: Expr
    | Sample of Declarator list * Distribution
    | Let of name: Ident * value: Expr
    | Fn of FnDecl
    | Net of NetDecl
    | Output of name: Ident * value: Expr
    /// The left side is a name or a Prime (`init q' = 0`).
    | Init of target: Expr * value: Expr
    | History of name: Ident * value: Expr
    | Calculus of Ident
    | Equation of EquationTarget * value: Expr
    /// `implicit { ... }`: equations whose whole right sides are stiff.
    | Implicit of Declaration list
    | Event of EventKind * condition: Expr * actions: EventAction list
    | Solve of Setting list

type Model =
    { Doc: Documentation
      Name: Ident
      Declarations: Declaration list
      Span: SourceSpan }

type TopLevel =
    | Model of Model
    /// `model Reverse = time_reversal(Forward, score = s)`
    | Derived of doc: Documentation * name: Ident * operation: Ident * Argument list * SourceSpan
    | Import of path: string * SourceSpan
    /// `fn`, `net`, `const` and `dim` outside a model: shared by the models below.
    | Shared of Declaration

/// A comment (not a documentation comment), for the formatter.
type Comment = { Text: string; Span: SourceSpan; OwnLine: bool }

/// What the reader has reported, and the statements that the tree does not hold as they were written: nothing follows from
/// what is missing there.
type Unread = { Reported: SourceSpan list; Statements: SourceSpan list; Names: Set<string> }

/// Of a file without a syntax error.
let nothingUnread: Unread = { Reported = []; Statements = []; Names = Set.empty }

type File =
    { Source: SourceFile
      Items: TopLevel list
      Comments: Comment list
      Unread: Unread }
