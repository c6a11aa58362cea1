/// Which entries of the drift's Jacobian can be other than zero, element by element, from the operations alone:
///
///     concat(c[1..n], 0) - 2*c        row i reads columns i and i + 1, the last row its own
///
/// Products with matrices that do not depend on the state count as full ones.
module internal DiffEqLang.Compiler.Passes.Sparsity

open System.Collections.Generic
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Shape
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Dynamics
open DiffEqLang.Compiler.Builtins

/// Rows that read the same neighbours: how many, and the columns of their entries, counted from each row's own and ascending.
type Run = { Count: int; Offsets: int[] }

type Pattern =
    {
        /// N: rows and columns.
        Size: int
        /// How many entries there are.
        Entries: int
        Runs: Run list
    }

/// The packed entries of the state that an element reads, ascending.
type private Columns = int[]

let private none: Columns = [||]
/// More than are worth counting: the row is full.
let private all: Columns = [| -1 |]
let private mostInRow = 256

let private isAll (columns: Columns) = LanguagePrimitives.PhysicalEquality columns all

let private merged (a: Columns) (b: Columns) : Columns =
    let result = List(a.Length + b.Length)
    let mutable i, j = 0, 0

    while i < a.Length || j < b.Length do
        let next = if j = b.Length || (i < a.Length && a[i] <= b[j]) then a[i] else b[j]

        if i < a.Length && a[i] = next then
            i <- i + 1

        if j < b.Length && b[j] = next then
            j <- j + 1

        result.Add next

    if result.Count > mostInRow then all else result.ToArray()

let private union (a: Columns) (b: Columns) : Columns =
    if LanguagePrimitives.PhysicalEquality a b || b.Length = 0 || isAll a then a
    elif a.Length = 0 || isAll b then b
    else merged a b

/// Elementwise, with scalars standing for every element of the other operands.
let private elementwise (operands: Columns[] list) : Columns[] =
    let both (a: Columns[]) (b: Columns[]) =
        if a.Length = b.Length then Array.map2 union a b
        elif a.Length = 1 then Array.map (union a[0]) b
        else Array.map (fun columns -> union columns b[0]) a

    List.reduce both operands

/// What an operation that only moves elements makes of an operand: it is asked to move their numbers, from one on; zero is what it adds.
let private moved (shape: int[]) (move: Tensor.Tensor -> Tensor.Tensor) (operand: Columns[]) : Columns[] =
    let numbers = Tensor.ofArray shape (Array.init operand.Length (fun i -> float (i + 1)))

    (move numbers).Data
    |> Array.map (fun number -> if number = 0.0 then none else operand[int number - 1])

/// Unions over some axes, row-major in the others.
let private over (axes: int list) (shape: int[]) (operand: Columns[]) : Columns[] =
    let kept = [ 0 .. shape.Length - 1 ] |> List.except axes
    let rows = moved shape (Tensor.permute (List.toArray (kept @ axes))) operand
    let width = axes |> List.fold (fun product axis -> product * shape[axis]) 1
    rows |> Array.chunkBySize (max width 1) |> Array.map (Array.reduce union)

let private operation
    (offsets: IReadOnlyDictionary<Symbol, int>)
    (node: Expr)
    (operands: Columns[] list)
    : Columns[] =
    let sizes (shape: Shape) = shape |> List.map (Dim.evaluate Map.empty >> int) |> List.toArray
    let size dim = int (Dim.evaluate Map.empty dim)
    let shapes = node.Args |> List.map (fun a -> sizes a.Shape)
    let count = Tensor.sizeOf (sizes node.Shape)
    let moving move = moved shapes.Head move operands.Head

    match node.Op with
    | Input symbol ->
        match offsets.TryGetValue symbol with
        | true, offset -> Array.init count (fun i -> [| offset + i |])
        | _ -> Array.create count none
    | Number _
    | Identity _ -> Array.create count none
    | Add
    | Subtract
    | Multiply
    | Divide
    | Power
    | Negate
    | Compare _
    | And
    | Or
    | Not
    | Select -> elementwise operands
    | Call(name, _) when Catalogue.tryFind name |> Option.exists Builtin.isElementwise -> elementwise operands
    | Call _ -> Array.create count (operands |> Seq.collect id |> Seq.fold union none)
    | Contract(left, right) ->
        let rows, columns = over left shapes[0] operands[0], over right shapes[1] operands[1]
        Array.allPairs rows columns |> Array.map (fun (row, column) -> union row column)
    | Permute axes -> moving (Tensor.permute (List.toArray axes))
    | Reduce(_, axes) -> over axes shapes.Head operands.Head
    | Broadcast(shape, axes) -> moving (Tensor.broadcast (sizes shape) (List.toArray axes))
    | Index(axis, position) -> moving (Tensor.index axis position)
    | Slice(axis, from, upTo) -> moving (Tensor.slice axis (size from) (size upTo))
    | Pad(axis, from, length) -> moving (Tensor.pad axis (size from) (size length))
    | Stack
    | Concat -> Array.concat operands
    | Reshape _
    | BatchSum -> operands.Head
    | Op.Diagonal -> moving Tensor.diagonal
    | DiagonalMatrix -> moving Tensor.diagonalMatrix
    | Derivative _ -> Build.internalError "A derivative operator reached the sparsity pattern."

/// Neighbouring rows that read the same neighbours as one.
let private runs (rows: Columns[]) : Run list =
    let found = List()

    rows
    |> Array.iteri (fun row columns ->
        let offsets = columns |> Array.map (fun column -> column - row)

        if found.Count > 0 && found[found.Count - 1].Offsets = offsets then
            found[found.Count - 1] <-
                { found[found.Count - 1] with Count = found[found.Count - 1].Count + 1 }
        else
            found.Add { Count = 1; Offsets = offsets })

    List.ofSeq found

/// The pattern of values that stand in the places of the components; none where a size is open, or where some row is full.
let ofValues (components: Component list) (roots: Expr list) : Pattern option =
    let isOpen (e: Expr) = e.Shape |> List.exists (fun dim -> Dim.tryConstant dim |> Option.isNone)

    if topological roots |> Seq.exists isOpen then
        None
    else
        let offsets =
            components
            |> List.map (fun c -> KeyValuePair(c.Symbol, int (Dim.evaluate Map.empty c.Offset)))
            |> Dictionary

        let patterns = Dictionary<Expr, Columns[]>(HashIdentity.Reference)

        for node in topological roots do
            patterns[node] <- operation offsets node (node.Args |> List.map (fun a -> patterns[a]))

        let rows = roots |> List.map (fun root -> patterns[root]) |> Array.concat

        if Array.exists isAll rows then
            None
        else
            Some { Size = rows.Length; Entries = rows |> Array.sumBy _.Length; Runs = runs rows }

/// That of the drift.
let analyse (model: Model) : Pattern option =
    model.Components |> List.map _.Drift |> ofValues model.Components

/// Smaller matrices, and those with more entries than one in so many, are not worth sparse factors; nor is a pattern without order worth
/// its length in generated code. The runtime decides by the first two (`NewtonMatrices`).
let private leastSize, leastSparsity, mostRuns = 48, 8L, 2048

/// Whether solvers gain by knowing a pattern.
let isWorthwhile (pattern: Pattern) =
    pattern.Size >= leastSize
    && int64 pattern.Entries * leastSparsity <= int64 pattern.Size * int64 pattern.Size
    && pattern.Runs.Length <= mostRuns
