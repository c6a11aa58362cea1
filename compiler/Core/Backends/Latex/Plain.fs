/// Expressions in the language's own spelling, for a terminal.
module internal DiffEqLang.Compiler.Backends.Latex.Plain

open System.Globalization
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr

type private Level =
    | Condition = 0
    | Sum = 1
    | Product = 2
    | Unary = 3
    | Power = 4
    | Atom = 5

/// In the shortest form that reads back the same: `1e-7`, `0.5`.
let number (x: float) =
    let text = x.ToString("R", CultureInfo.InvariantCulture)

    match text.IndexOf 'E' with
    | -1 -> text
    | at -> sprintf "%se%d" (text.Substring(0, at)) (int (text.Substring(at + 1)))

let private relation c =
    match c with
    | Less -> "<"
    | LessOrEqual -> "<="
    | Greater -> ">"
    | GreaterOrEqual -> ">="
    | Equal -> "=="
    | NotEqual -> "!="

let private reduction kind =
    match kind with
    | Reduction.Sum -> "sum"
    | Product -> "prod"
    | Maximum -> "max"
    | Minimum -> "min"

let private derivative kind =
    match kind with
    | Gradient -> "grad"
    | Jacobian -> "jac"
    | Divergence -> "div"
    | Hessian -> "hess"
    | Laplacian -> "laplacian"
    | Jvp -> "jvp"
    | Vjp -> "vjp"

let rec private write (named: Expr -> string option) (e: Expr) : string * Level =
    let any a = fst (write named a)

    let at level (a: Expr) =
        let text, own = write named a
        if own < level then sprintf "(%s)" text else text

    let call name (arguments: string list) = sprintf "%s(%s)" name (String.concat ", " arguments), Level.Atom

    let over (axes: int list) (a: Expr) =
        if axes.Length = a.Shape.Length then
            []
        else
            axes |> List.map (sprintf "axis = %d")

    match named e with
    | Some text -> text, Level.Atom
    | None ->
        match e.Op, e.Args with
        | Number x, _ -> number x, (if x < 0.0 then Level.Unary else Level.Atom)
        | Input s, _ -> s.Name, Level.Atom
        | Add, [ a; b ] -> sprintf "%s + %s" (at Level.Sum a) (at Level.Product b), Level.Sum
        | Subtract, [ a; b ] -> sprintf "%s - %s" (at Level.Sum a) (at Level.Product b), Level.Sum
        | Multiply, [ a; b ] -> sprintf "%s*%s" (at Level.Product a) (at Level.Unary b), Level.Product
        | Divide, [ a; b ] -> sprintf "%s/%s" (at Level.Product a) (at Level.Unary b), Level.Product
        | Power, [ a; b ] -> sprintf "%s^%s" (at Level.Atom a) (at Level.Power b), Level.Power
        | Negate, [ a ] -> sprintf "-%s" (at Level.Power a), Level.Unary
        | Call(name, attributes), args ->
            call name (List.map any args @ List.map (sprintf "axis = %d") attributes)
        | Compare c, [ a; b ] ->
            sprintf "%s %s %s" (at Level.Sum a) (relation c) (at Level.Sum b), Level.Condition
        | And, [ a; b ] -> sprintf "%s and %s" (at Level.Sum a) (at Level.Sum b), Level.Condition
        | Or, [ a; b ] -> sprintf "%s or %s" (at Level.Sum a) (at Level.Sum b), Level.Condition
        | Not, [ a ] -> sprintf "not %s" (at Level.Sum a), Level.Condition
        | Select, [ c; a; b ] -> sprintf "if %s then %s else %s" (any c) (any a) (any b), Level.Condition
        | Contract([], []), [ a; b ] -> call "outer" [ any a; any b ]
        | Contract([ left ], [ 0 ]), [ a; b ] when left = a.Shape.Length - 1 ->
            sprintf "%s @ %s" (at Level.Product a) (at Level.Unary b), Level.Product
        | Contract([ 0 ], [ 0 ]), [ a; b ] when a.Shape.Length = 2 ->
            sprintf "%s.T @ %s" (at Level.Atom a) (at Level.Unary b), Level.Product
        | Contract([ left ], [ 1 ]), [ a; b ] when b.Shape.Length = 2 && left = a.Shape.Length - 1 ->
            if a.Shape.Length = 1 then
                sprintf "%s @ %s" (at Level.Product b) (at Level.Unary a), Level.Product
            else
                sprintf "%s @ %s.T" (at Level.Product a) (at Level.Atom b), Level.Product
        | Contract([ 0 ], [ 1 ]), [ a; b ] when a.Shape.Length = 2 && b.Shape.Length = 2 ->
            sprintf "%s.T @ %s.T" (at Level.Atom a) (at Level.Atom b), Level.Product
        | Contract(left, right), [ a; b ] -> call "contract" [ any a; any b; sprintf "%A with %A" left right ]
        | Permute [ 1; 0 ], [ a ] -> at Level.Atom a + ".T", Level.Atom
        | Permute axes, [ a ] -> call "permute" (any a :: List.map string axes)
        | Op.Reduce(Sum, _), [ { Op = Op.Diagonal; Args = [ a ] } as diagonal ] when
            a.Shape.Length = 2 && (named diagonal).IsNone
            ->
            call "trace" [ any a ]
        | Op.Reduce(kind, axes), [ a ] -> call (reduction kind) (any a :: over axes a)
        | Reshape shape, [ { Op = Identity _ } as a ] when (named a).IsNone && shape.Length % 2 = 0 ->
            call "identity" [ Shape.print (List.take (shape.Length / 2) shape) ]
        | Broadcast _, [ a ]
        | Reshape _, [ a ]
        | BatchSum, [ a ] -> write named a
        | Op.Index(0, position), [ a ] -> sprintf "%s[%d]" (at Level.Atom a) position, Level.Atom
        | Op.Index(axis, position), [ a ] -> call "index" [ any a; string axis; string position ]
        | Op.Slice(0, from, upTo), [ a ] -> sprintf "%s[%O..%O]" (at Level.Atom a) from upTo, Level.Atom
        | Op.Slice(axis, from, upTo), [ a ] -> call "slice" [ any a; string axis; string from; string upTo ]
        | Pad(_, from, size), [ a ] -> call "pad" [ any a; string from; string size ]
        | Stack, args -> sprintf "[%s]" (args |> List.map any |> String.concat ", "), Level.Atom
        | Concat, args -> call "concat" (List.map any args)
        | DiagonalMatrix, [ { Op = Broadcast([ n ], _); Args = [ a ] } as repeated ] when
            a.Shape.IsEmpty && (named repeated).IsNone
            ->
            match a.Op with
            | Number -1.0 -> sprintf "-identity(%O)" n, Level.Unary
            | _ -> sprintf "%s*identity(%O)" (at Level.Product a) n, Level.Product
        | Op.Diagonal, [ a ]
        | DiagonalMatrix, [ a ] -> call "diag" [ any a ]
        | Identity n, _ -> call "identity" [ string n ]
        | Derivative kind, args -> call (derivative kind) (List.map any args)
        | op, args -> Build.internalError "The plain printer met %A with %d operands." op args.Length

/// A formula in which some nodes go by names.
let plainWith (named: Expr -> string option) (e: Expr) = fst (write named e)
