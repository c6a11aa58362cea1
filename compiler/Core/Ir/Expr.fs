/// The tensor DAG that everything after parsing works on. Nodes are hash-consed: two equal expressions are the
/// same object, so common subexpressions are shared from the start and equality is reference equality.
/// Tensors stay whole; shapes are those of one sample (the batch is implicit).
module internal DiffEqLang.Compiler.Ir.Expr

open System
open System.Collections.Generic
open System.Runtime.CompilerServices
open System.Threading
open DiffEqLang.Contracts
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Shape

/// What an input of a model's equations stands for.
type Role =
    | Time
    | State
    /// A state at an earlier time, `x(t - tau)`: independent of the state now.
    | Delayed
    | Parameter
    /// `const`, whose value a caller may still set.
    | Constant
    /// An external signal (`control u`).
    | Control
    /// The increment of a Wiener process over a step, `dW`: the diffusion is linear in it.
    | Increment
    /// Drawn once per solve (`sample`).
    | Sample
    /// The step size h, in corrections such as Milstein's.
    | Step
    /// The vector that a vector-Jacobian product starts from: one per result.
    | Cotangent
    /// The vector that a Jacobian-vector product starts from.
    | Tangent

[<CustomEquality; NoComparison>]
type Symbol =
    { Name: string
      Role: Role
      Shape: Shape }

    override this.Equals other =
        match other with
        | :? Symbol as s -> this.Name = s.Name && this.Role = s.Role && this.Shape = s.Shape
        | _ -> false

    override this.GetHashCode() = HashCode.Combine(this.Name, this.Role)

type Comparison =
    | Less
    | LessOrEqual
    | Greater
    | GreaterOrEqual
    | Equal
    | NotEqual

type Reduction =
    | Sum
    | Product
    | Maximum
    | Minimum

/// The operators that only the compiler evaluates; `Passes/Differentiate` removes them.
type DerivativeOperator =
    /// grad(f, x): f scalar; the shape of x.
    | Gradient
    /// jac(f, x): shape of f followed by shape of x.
    | Jacobian
    /// div(f, x): trace of the Jacobian; f and x of one shape.
    | Divergence
    /// hess(f, x): f scalar; shape of x twice.
    | Hessian
    /// laplacian(f, x): trace of the Hessian.
    | Laplacian
    /// jvp(f, x, v): v of the shape of x; the shape of f.
    | Jvp
    /// vjp(f, x, w): w of the shape of f; the shape of x.
    | Vjp

/// One operation. Elementwise operations take operands of one shape, or scalars beside it (strict otherwise).
type Op =
    /// A scalar number.
    | Number of float
    | Input of Symbol
    | Add
    | Subtract
    | Multiply
    | Divide
    | Power
    | Negate
    /// A function of `Builtins`, by name: elementwise (exp, atan2, relu ...) or over axes (softmax, det ...).
    /// The attributes are numbers that are not operands, such as an axis.
    | Call of name: string * attributes: int list
    | Compare of Comparison
    | And
    | Or
    | Not
    /// [condition; then; else], elementwise; the condition boolean, of the branches' shape or scalar.
    | Select
    /// Sum of products over paired axes (tensordot). Result: the left's other axes, then the right's.
    /// No pairs: the outer product. `@` pairs the left's last axis with the right's first.
    | Contract of left: int list * right: int list
    /// Result axis i is argument axis `axes[i]`.
    | Permute of axes: int list
    /// Over the given axes, which disappear.
    | Reduce of Reduction * axes: int list
    /// Argument axis i becomes result axis `axes[i]` (ascending); the other axes of the shape are repeated.
    | Broadcast of Shape * axes: int list
    /// One position of an axis, which disappears.
    | Index of axis: int * position: int
    /// Positions from (inclusive) to (exclusive) of an axis.
    | Slice of axis: int * from: Dim * upTo: Dim
    /// Zeros of size `size` along an axis with the argument put at `from`: the adjoint of Slice.
    | Pad of axis: int * from: Dim * size: Dim
    /// Operands of one shape on a new first axis.
    | Stack
    /// Along the first axis; scalars count as length one.
    | Concat
    | Reshape of Shape
    /// The diagonal of the last two axes, as one last axis.
    | Diagonal
    /// The last axis put on the diagonal of two, zeros elsewhere: the adjoint of Diagonal.
    | DiagonalMatrix
    /// The identity matrix of a size; no operands.
    | Identity of Dim
    /// [f; x] or [f; x; v]. x is any node of f's DAG and counts as independent.
    | Derivative of DerivativeOperator
    /// The sum over the batch: only at the top of a parameter's gradient.
    | BatchSum

/// Which inputs a node is reached by.
[<Flags>]
type Dependence =
    | Nothing = 0
    | Time = 1
    | State = 2
    | Parameter = 4
    | Control = 8
    | Noise = 16
    | Sample = 32
    | Cotangent = 64
    /// Beside Cotangent, which is what other vectors have alone.
    | Tangent = 128

module Dependence =
    let ofRole role =
        match role with
        | Time
        | Step -> Dependence.Time
        | State
        | Delayed -> Dependence.State
        | Parameter -> Dependence.Parameter
        | Constant -> Dependence.Nothing
        | Control -> Dependence.Control
        | Increment -> Dependence.Noise
        | Sample -> Dependence.Sample
        | Cotangent -> Dependence.Cotangent
        | Tangent -> Dependence.Cotangent ||| Dependence.Tangent

/// A node. Made by `Expr.make` alone, so that equal nodes are one object.
[<CustomEquality; CustomComparison; StructuredFormatDisplay("{Text}")>]
type Expr =
    {
        /// Later nodes have larger numbers: arguments come before what uses them.
        Id: int64
        Op: Op
        Args: Expr list
        Shape: Shape
        /// Whether the elements are truth values.
        IsBoolean: bool
        DependsOn: Dependence
    }

    override this.Equals other = Object.ReferenceEquals(this, other)
    override this.GetHashCode() = int this.Id

    interface IComparable with
        member this.CompareTo other = compare this.Id (other :?> Expr).Id

    member this.Text = sprintf "%%%d:%A" this.Id this.Op

    /// Whether its value can differ between the samples of a batch.
    member this.IsBatched =
        this.DependsOn
        &&& (Dependence.Time
             ||| Dependence.State
             ||| Dependence.Control
             ||| Dependence.Noise
             ||| Dependence.Sample
             ||| Dependence.Cotangent)
        <> Dependence.Nothing

/// Where a node came from: for comments in generated code and for names of shared terms.
type Origin =
    {
        Span: SourceSpan
        /// The source text, on one line.
        Text: string
        /// The user's name (`let h = ...`), where there is one.
        Name: string option
    }

[<Struct; CustomEquality; NoComparison>]
type private Key =
    { Op: Op
      Args: Expr list }

    override this.Equals other =
        match other with
        | :? Key as k ->
            this.Op.Equals k.Op
            && List.length this.Args = List.length k.Args
            && List.forall2 (=) this.Args k.Args
        | _ -> false

    override this.GetHashCode() =
        let mutable h = HashCode()
        h.Add(this.Op.GetHashCode())

        for a in this.Args do
            h.Add a.Id

        h.ToHashCode()

/// The nodes and origins of one compilation. A compilation runs on one thread and enters an arena of its own, so
/// node numbers, and with them everything that is generated, do not depend on what ran before.
[<AllowNullLiteral>]
type Arena() =
    static let mutable lastId = 0L

    [<ThreadStatic; DefaultValue>]
    static val mutable private current: Arena

    let nodes = Dictionary<Key, Expr>()
    let origins = ConditionalWeakTable<Expr, Origin>()

    /// The arena of this thread.
    static member Current =
        if isNull Arena.current then
            Arena.current <- Arena()

        Arena.current

    /// Runs `body` with a fresh arena on this thread.
    static member Run(body: unit -> 'T) =
        let outer = Arena.current
        Arena.current <- Arena()

        try
            body ()
        finally
            Arena.current <- outer

    member internal _.Intern(op: Op, args: Expr list, shape: Shape, isBoolean: bool) =
        let key = { Key.Op = op; Args = args }

        match nodes.TryGetValue key with
        | true, node -> node
        | _ ->
            let own =
                match op with
                | Input s -> Dependence.ofRole s.Role
                | _ -> Dependence.Nothing

            let node =
                { Id = Interlocked.Increment &lastId
                  Op = op
                  Args = args
                  Shape = shape
                  IsBoolean = isBoolean
                  DependsOn = args |> List.fold (fun d a -> d ||| a.DependsOn) own }

            nodes.Add(key, node)
            node

    member _.Origins = origins

/// Makes a node from an operation, its operands and its shape. Constructors that know the shape rules are in
/// `Ir/Build.fs` and `Builtins`; nothing else calls this.
let make op args shape isBoolean = Arena.Current.Intern(op, args, shape, isBoolean)

/// Notes where a node came from; the first note stays.
let recordOrigin (origin: Origin) (e: Expr) = Arena.Current.Origins.TryAdd(e, origin) |> ignore

let tryOrigin (e: Expr) =
    match Arena.Current.Origins.TryGetValue e with
    | true, o -> Some o
    | _ -> None

/// Gives `target` the origin of `source` where it has none of its own: what a rewrite calls.
let carryOrigin (source: Expr) (target: Expr) =
    match tryOrigin source with
    | Some o when not (Object.ReferenceEquals(source, target)) -> recordOrigin o target
    | _ -> ()

    target

/// The nodes that `children` reaches from `roots`, children before parents, each once, in an order that depends on
/// nothing but the DAG. Iterative: depth is no limit.
let topologicalBy (children: Expr -> Expr list) (roots: Expr seq) : Expr list =
    let seen = HashSet<Expr>(HashIdentity.Reference)
    let order = ResizeArray<Expr>()
    let stack = System.Collections.Generic.Stack<struct (Expr * bool)>()

    for root in roots do
        stack.Push(struct (root, false))

        while stack.Count > 0 do
            let struct (node, expanded) = stack.Pop()

            if expanded then
                order.Add node
            elif seen.Add node then
                stack.Push(struct (node, true))

                for a in List.rev (children node) do
                    if not (seen.Contains a) then
                        stack.Push(struct (a, false))

    List.ofSeq order

/// The nodes reachable from `roots`, arguments before users.
let topological (roots: Expr seq) : Expr list = topologicalBy _.Args roots

/// Rewrites a DAG bottom-up: `f node newArgs` gives the node's replacement. Each node is visited once.
let rewrite (f: Expr -> Expr list -> Expr) (roots: Expr list) : Expr list =
    let results = Dictionary<Expr, Expr>(HashIdentity.Reference)

    for node in topological roots do
        results[node] <- f node (node.Args |> List.map (fun a -> results[a])) |> carryOrigin node

    roots |> List.map (fun r -> results[r])

/// The inputs that `roots` reach, each once, in order of first appearance.
let inputs (roots: Expr seq) =
    topological roots
    |> List.choose (fun e ->
        match e.Op with
        | Input s -> Some s
        | _ -> None)
