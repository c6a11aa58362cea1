/// The IR as text, a line a node, for `--dump-after` and for messages.
///
///     %1 = x : R[2]
///     %2 = tanh(%1) : R[2]
module internal DiffEqLang.Compiler.Ir.Print

open System.Collections.Generic
open System.Globalization
open DiffEqLang.Compiler.Ir.Expr

let private axes (numbers: int list) = numbers |> List.map string |> String.concat ","
let private float' (x: float) = x.ToString("R", CultureInfo.InvariantCulture)

let private comparison c =
    match c with
    | Less -> "<"
    | LessOrEqual -> "<="
    | Greater -> ">"
    | GreaterOrEqual -> ">="
    | Equal -> "=="
    | NotEqual -> "!="

let private reduction r =
    match r with
    | Sum -> "sum"
    | Product -> "prod"
    | Maximum -> "max"
    | Minimum -> "min"

let private derivative operator =
    match operator with
    | Gradient -> "grad"
    | Jacobian -> "jac"
    | Divergence -> "div"
    | Hessian -> "hess"
    | Laplacian -> "laplacian"
    | Jvp -> "jvp"
    | Vjp -> "vjp"

let private infix symbol args = String.concat (sprintf " %s " symbol) args
let private applied name args = sprintf "%s(%s)" name (String.concat ", " args)

let private operation op (args: string list) =
    match op with
    | Number x -> float' x
    | Input symbol -> symbol.Name
    | Add -> infix "+" args
    | Subtract -> infix "-" args
    | Multiply -> infix "*" args
    | Divide -> infix "/" args
    | Power -> infix "^" args
    | Negate -> "-" + args.Head
    | Call(name, []) -> applied name args
    | Call(name, attributes) -> applied (sprintf "%s[%s]" name (axes attributes)) args
    | Compare c -> infix (comparison c) args
    | And -> infix "and" args
    | Or -> infix "or" args
    | Not -> "not " + args.Head
    | Select -> sprintf "if %s then %s else %s" args[0] args[1] args[2]
    | Contract([], []) -> applied "outer" args
    | Contract(left, right) -> applied (sprintf "contract[%s; %s]" (axes left) (axes right)) args
    | Permute order -> applied (sprintf "permute[%s]" (axes order)) args
    | Reduce(r, over) -> applied (sprintf "%s[%s]" (reduction r) (axes over)) args
    | Broadcast(shape, along) ->
        applied (sprintf "broadcast[%s along %s]" (Shape.print shape) (axes along)) args
    | Index(0, position) -> sprintf "%s[%d]" args.Head position
    | Index(axis, position) -> applied (sprintf "index[%d at %d]" axis position) args
    | Slice(axis, from, upTo) -> applied (sprintf "slice[%d: %O..%O]" axis from upTo) args
    | Pad(axis, from, size) -> applied (sprintf "pad[%d: %O of %O]" axis from size) args
    | Stack -> sprintf "[%s]" (String.concat ", " args)
    | Concat -> applied "concat" args
    | Reshape shape -> applied (sprintf "reshape[%s]" (Shape.print shape)) args
    | Diagonal -> applied "diagonal" args
    | DiagonalMatrix -> applied "diagonal_matrix" args
    | Identity n -> sprintf "identity[%O]" n
    | Derivative operator -> applied (derivative operator) args
    | BatchSum -> applied "batch_sum" args

/// A line a node; roots are named after the colon at the end. Numbers count from 1 in the dump, whatever the nodes' own.
let program (roots: (string * Expr) list) : string =
    let names = Dictionary<Expr, string>(HashIdentity.Reference)

    let line (node: Expr) =
        let text = operation node.Op (node.Args |> List.map (fun a -> names[a]))
        names[node] <- sprintf "%%%d" (names.Count + 1)
        sprintf "%s = %s : %s" names[node] text (Shape.print node.Shape)

    let lines = roots |> List.map snd |> topological |> List.map line
    let results = roots |> List.map (fun (name, root) -> sprintf "%s: %s" name names[root])
    String.concat "\n" (lines @ results) + "\n"

/// One expression written out on one line, shared parts repeated: for small expressions in messages and tests.
let rec inlined (e: Expr) : string =
    let isInfix op =
        match op with
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
        | Select
        | Index(0, _) -> true
        | Number _
        | Input _
        | Call _
        | Contract _
        | Permute _
        | Reduce _
        | Broadcast _
        | Index _
        | Slice _
        | Pad _
        | Stack
        | Concat
        | Reshape _
        | Diagonal
        | DiagonalMatrix
        | Identity _
        | Derivative _
        | BatchSum -> false

    let argument (a: Expr) =
        match a.Op with
        | Index(0, _) -> inlined a
        | op when isInfix op && isInfix e.Op -> sprintf "(%s)" (inlined a)
        | _ -> inlined a

    operation e.Op (List.map argument e.Args)
