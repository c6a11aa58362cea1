/// Forward-mode differentiation: tangents from the inputs to the results, one sweep over the DAG.
///
///     f = W2 @ tanh(W1 @ x), seed dx = I        becomes        W2 @ ((1 - h^2) * W1)
///
/// A tangent has the shape of its node followed by the seeds' axes (`Ir/Tangent`), so a whole Jacobian is one tensor expression.
module internal DiffEqLang.Compiler.Passes.ForwardMode

open System.Collections.Generic
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Shape
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Build
open DiffEqLang.Compiler.Builtins
open DiffEqLang.Compiler.Builtins.Builtin

/// x^p: by x p*x^(p-1), never by logarithms; by p h*log(x). Where p is 0 or x is 0 the limits are put in, as torch does.
let private powerPartials (x: Expr) (p: Expr) (h: Expr) =
    let zero = number 0.0

    let byBase =
        match p with
        | Uniform _ -> mul p (pow x (sub p (number 1.0)))
        | _ -> select (compare Equal p zero) zero (mul p (pow x (sub p (number 1.0))))

    let logarithm = elementwise "log" [ x ]

    match x with
    | Uniform c when c > 0.0 -> [ byBase; mul (number (log c)) h ]
    | _ -> [ byBase; select (compare Equal x zero) zero (mul h logarithm) ]

/// The partial derivatives of an elementwise node by each operand; None for other nodes.
let partials (node: Expr) : Expr list option =
    match node.Op, node.Args with
    | Add, _ -> Some [ number 1.0; number 1.0 ]
    | Subtract, _ -> Some [ number 1.0; number -1.0 ]
    | Negate, _ -> Some [ number -1.0 ]
    | Multiply, [ a; b ] -> Some [ b; a ]
    | Divide, [ _; b ] -> Some [ div (number 1.0) b; neg (div node b) ]
    | Power, [ x; p ] -> Some(powerPartials x p node)
    | Call(name, _), args ->
        match (Catalogue.findPrimitive name).Derivative with
        | Elementwise rule -> Some(rule args node)
        | General _ -> None
    | (Multiply | Divide | Power), _
    | (Number _ | Input _ | Identity _ | Compare _ | And | Or | Not | Select | Contract _ | Permute _ | Reduce _ | Broadcast _),
      _
    | (Index _ | Slice _ | Pad _ | Stack | Concat | Reshape _ | Diagonal | DiagonalMatrix | Derivative _ | BatchSum),
      _ -> None

/// The product of all other elements along the axes: exact where elements are 0. A matrix with the elements in each
/// row and ones on the diagonal is multiplied up row by row.
let private productOfOthers axes (x: Expr) =
    let kept = List.except axes (allAxes x)
    let order = kept @ axes
    let outerShape = kept |> List.map (fun i -> x.Shape[i])
    let m = axes |> List.map (fun i -> x.Shape[i]) |> size
    let rank = kept.Length
    let square: Shape = outerShape @ [ m; m ]

    let rows =
        broadcast square ([ 0 .. rank - 1 ] @ [ rank + 1 ]) (reshape (outerShape @ [ m ]) (permute order x))

    let unit = broadcast square [ rank; rank + 1 ] (Build.identity m)
    let others = prod [ rank + 1 ] (add (mul rows (sub (number 1.0) unit)) unit)
    let inverse = [ 0 .. order.Length - 1 ] |> List.map (fun i -> List.findIndex ((=) i) order)
    permute inverse (reshape (order |> List.map (fun i -> x.Shape[i])) others)

/// The weights w of a reduction, d result = sum of w * dx over the axes. Ties of an extremum share evenly.
let reductionWeights reduction axes (node: Expr) (x: Expr) =
    match reduction with
    | Sum -> ones x.Shape
    | Product -> productOfOthers axes x
    | Maximum
    | Minimum ->
        let attained =
            select (compare Equal x (Tangent.restore x axes node)) (ones x.Shape) (zeros x.Shape)

        div attained (Tangent.restore x axes (sum axes attained))

/// The tangent of a scaled operand: the sign of -1 stays a sign.
let private weighted (partial: Expr) (tangent: Expr) =
    match partial with
    | Uniform -1.0 -> neg tangent
    | _ -> Tangent.times partial tangent

let private elementwiseTangent (node: Expr) (partials: Expr list) (tangents: Expr option list) =
    let term (operand: Expr) partial tangent =
        weighted partial (Tangent.spread node.Shape operand.Shape tangent)

    List.zip3 node.Args partials tangents
    |> List.choose (fun (operand, partial, tangent) -> tangent |> Option.map (term operand partial))
    |> List.reduce add

/// The tangents of operands of one shape, with zeros for those that do not vary.
let private filledIn (seeds: Shape) (args: Expr list) tangents =
    List.map2 (fun (a: Expr) t -> t |> Option.defaultValue (zeros (a.Shape @ seeds))) args tangents

let private contractTangent (left: int list) (right: int list) (a: Expr) (b: Expr) tangents =
    let ofLeft (da: Expr) =
        let free = a.Shape.Length - left.Length
        let seeds = da.Shape.Length - a.Shape.Length
        let product = contract left right da b
        // free of a, seeds, free of b: the seeds belong last.
        permute
            ([ 0 .. free - 1 ]
             @ [ free + seeds .. product.Shape.Length - 1 ]
             @ [ free .. free + seeds - 1 ])
            product

    match tangents with
    | [ Some da; None ] -> ofLeft da
    | [ None; Some db ] -> contract left right a db
    | [ Some da; Some db ] -> add (ofLeft da) (contract left right a db)
    | _ -> internalError "A contraction without a tangent."

/// The tangent of a node, at least one of whose operands has one.
let private tangentOf (seeds: Shape) (node: Expr) (tangents: Expr option list) : Expr option =
    let rank = node.Shape.Length
    let seedAxes from = [ from .. from + seeds.Length - 1 ]
    let filledIn () = filledIn seeds node.Args tangents

    match node.Op, node.Args, tangents with
    | (Number _ | Input _ | Identity _ | Compare _ | And | Or | Not), _, _ -> None
    | (Add | Subtract | Multiply | Divide | Power | Negate), _, _ ->
        partials node |> Option.map (fun p -> elementwiseTangent node p tangents)
    | Call(name, _), args, _ ->
        match (Catalogue.findPrimitive name).Derivative with
        | Elementwise rule -> Some(elementwiseTangent node (rule args node) tangents)
        | General(forward, _) -> Some(forward node tangents)
    | Select, [ condition; _; _ ], _ ->
        let branches = (filledIn ()).Tail
        let whole: Shape = node.Shape @ seeds

        let condition =
            if isScalar condition.Shape then
                condition
            else
                broadcast whole [ 0 .. rank - 1 ] condition

        Some(select condition branches[0] branches[1])
    | Contract(left, right), [ a; b ], _ -> Some(contractTangent left right a b tangents)
    | Permute axes, [ a ], [ Some da ] -> Some(permute (axes @ seedAxes a.Shape.Length) da)
    | Reduce(Sum, axes), _, [ Some da ] -> Some(sum axes da)
    | Reduce(reduction, axes), [ a ], [ Some da ] ->
        Some(sum axes (Tangent.times (reductionWeights reduction axes node a) da))
    | Broadcast(shape, axes), _, [ Some da ] ->
        Some(broadcast (shape @ seeds) (axes @ seedAxes shape.Length) da)
    | Index(axis, position), _, [ Some da ] -> Some(index axis position da)
    | Slice(axis, from, upTo), _, [ Some da ] -> Some(slice axis from upTo da)
    | Pad(axis, from, length), _, [ Some da ] -> Some(pad axis from length da)
    | Stack, _, _ -> Some(stack (filledIn ()))
    | Concat, args, _ ->
        let line (a: Expr) tangent = if isScalar a.Shape then stack [ tangent ] else tangent
        Some(concat (List.map2 line args (filledIn ())))
    | Reshape shape, _, [ Some da ] -> Some(reshape (shape @ seeds) da)
    | Diagonal, [ a ], [ Some da ] ->
        Some(Tangent.seedsLast rank (diagonal (Tangent.seedsFirst a.Shape.Length da)))
    | DiagonalMatrix, [ a ], [ Some da ] ->
        Some(Tangent.seedsLast rank (diagonalMatrix (Tangent.seedsFirst a.Shape.Length da)))
    | BatchSum, _, [ Some da ] -> Some(batchSum da)
    | Derivative _, _, _ -> internalError "A derivative operator inside of what is differentiated."
    | (Select | Contract _ | Permute _ | Reduce _ | Broadcast _ | Index _ | Slice _ | Pad _ | Reshape _), _, _
    | (Diagonal | DiagonalMatrix | BatchSum), _, _ ->
        internalError "%A with %d operands." node.Op node.Args.Length

/// The tangents of `results`, None where no seed is reached. Seeds: a node, taken as independent, with its tangent.
let tryJvp (results: Expr list) (seeds: (Expr * Expr) list) : Expr option list =
    let shape =
        seeds |> List.map (fun (x, tangent) -> Tangent.seedShape x.Shape tangent) |> List.head

    let tangents = Dictionary<Expr, Expr option>(HashIdentity.Reference)

    for x, tangent in seeds do
        tangents[x] <- Some tangent

    for node in topologicalBy (fun e -> if tangents.ContainsKey e then [] else e.Args) results do
        if not (tangents.ContainsKey node) then
            let own = node.Args |> List.map (fun a -> tangents[a])
            tangents[node] <- if List.forall Option.isNone own then None else tangentOf shape node own

    results |> List.map (fun r -> tangents[r])

/// The tangents of `results`: each has the shape of its result followed by the seeds' axes.
let jvp (results: Expr list) (seeds: (Expr * Expr) list) : Expr list =
    let x, tangent = seeds.Head
    let seedShape = Tangent.seedShape x.Shape tangent

    List.map2
        (fun (r: Expr) t -> t |> Option.defaultValue (zeros (r.Shape @ seedShape)))
        results
        (tryJvp results seeds)
