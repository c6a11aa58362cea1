/// Linear algebra on single matrices and vectors; the batch stays implicit.
///
/// The derivatives follow Giles (2008), "An extended collection of matrix derivative results for forward and reverse
/// mode algorithmic differentiation". In forward mode the tangents carry trailing seed axes.
module internal DiffEqLang.Compiler.Builtins.LinearAlgebra

open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Shape
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Build
open DiffEqLang.Compiler.Builtins.Builtin
open DiffEqLang.Compiler.Printing

let private linalg name operands =
    CSharp.Invoke(CSharp.Member(CSharp.Name "linalg", name), List.map CSharp.argument operands)

/// A function of the runtime that, unlike torch's own, does not throw where a matrix is singular.
let private factorization name operands =
    CSharp.Invoke(CSharp.Member(CSharp.Name "Factorizations", name), List.map CSharp.argument operands)

let private square' name (shape: Shape) =
    match shape with
    | [ m; n ] when m = n -> Ok()
    | _ -> Error(sprintf "%s needs a square matrix, not %s." name (print shape))

let private primitive value derivative torch =
    Primitive
        { Value = (fun _ operands -> value operands)
          Derivative = derivative
          Torch = torch }

let private ofMatrix name doc shape value derivative torch latex domain : Builtin =
    { Name = name
      Doc = doc
      Arity = 1, 1
      TakesAxis = false
      Shape = fun _ shapes -> square' name shapes.Head |> Result.map (fun () -> shape shapes.Head)
      Definition =
        primitive (fun operands -> value operands.Head) derivative (fun _ operands ->
            torch (fst operands.Head))
      Latex = latex
      Samples = [ [ { Shape = [ 3; 3 ]; Domain = domain } ] ] }

let private invNode (a: Expr) = make (Call("inv", [])) [ a ] a.Shape false
let private solveNode (a: Expr) (b: Expr) = make (Call("solve", [])) [ a; b ] b.Shape false
let private trilNode (a: Expr) = make (Call("tril", [])) [ a ] a.Shape false
let private only (tangents: Expr option list) = List.pick id tangents

/// a⁻¹ b for b of any rank from one on: its trailing axes are columns.
let private solveColumns (a: Expr) (b: Expr) =
    match b.Shape with
    | [ _ ]
    | [ _; _ ] -> solveNode a b
    | n :: rest -> reshape b.Shape (solveNode a (reshape [ n; size rest ] b))
    | [] -> internalError "solve with a scalar right-hand side."

/// a (rank 2) applied to axis `axis` of t; the result axis stays in place.
let private applyTo axis (a: Expr) (t: Expr) =
    let product = contract [ 1 ] [ axis ] a t
    let others = [ 1 .. t.Shape.Length - 1 ]
    permute (List.insertAt axis 0 others) product

/// d det = det tr(A⁻¹ dA).
let private det =
    let forward (node: Expr) tangents =
        Tangent.times node (contract [ 0; 1 ] [ 1; 0 ] (invNode node.Args.Head) (only tangents))

    let reverse (node: Expr) cotangent =
        [ Some(mul (mul cotangent node) (transpose (invNode node.Args.Head))) ]

    ofMatrix
        "det"
        "The determinant of a square matrix; its derivative needs the matrix to be invertible."
        (fun _ -> scalar)
        Tensor.determinant
        (General(forward, reverse))
        (fun a -> linalg "det" [ a ])
        (latexCommand "det")
        WellConditioned

/// dX = -X dA X for X = A⁻¹.
let private inv =
    let forward (node: Expr) tangents = neg (applyTo 1 (transpose node) (applyTo 0 node (only tangents)))

    let reverse (node: Expr) cotangent =
        let x = transpose node
        [ Some(neg (matmul x (matmul cotangent x))) ]

    ofMatrix
        "inv"
        "The inverse of a square matrix; infinite or NaN where it is singular. Prefer solve(A, b) to inv(A) @ b."
        id
        Tensor.inverse
        (General(forward, reverse))
        (fun a -> factorization "Inverse" [ a ])
        (fun a -> sprintf "%s^{-1}" a.Head)
        WellConditioned

/// dx = A⁻¹ (db - dA x).
let private solve: Builtin =
    let forward (node: Expr) (tangents: Expr option list) =
        let rank = node.Shape.Length

        let fromMatrix (dA: Expr) =
            // dA is [n, m] ++ K, so dA x is [n] ++ K ++ rest; the rest belongs before K.
            let product = contract [ 1 ] [ 0 ] dA node
            let seeds = dA.Shape.Length - 2
            permute ([ 0 ] @ [ seeds + 1 .. seeds + rank - 1 ] @ [ 1..seeds ]) product

        let right =
            match tangents with
            | [ None; Some db ] -> db
            | [ Some dA; None ] -> neg (fromMatrix dA)
            | [ Some dA; Some db ] -> sub db (fromMatrix dA)
            | _ -> internalError "solve without a tangent."

        solveColumns node.Args[0] right

    let reverse (node: Expr) cotangent =
        let u = solveNode (transpose node.Args[0]) cotangent
        let columns = [ 1 .. node.Shape.Length - 1 ]
        [ Some(neg (contract columns columns u node)); Some u ]

    // The solver that does not throw where A is singular.
    let solution operands = CSharp.Member(linalg "solve_ex" operands, "result")

    let torch _ (operands: (CSharp.Expr * int) list) =
        match operands with
        // Torch takes [batch, n] for a matrix where A has no batch: make the vector a column.
        | [ a, _; b, 1 ] ->
            let column = CSharp.invokeMethod b "unsqueeze" [ CSharp.Literal "-1" ]
            CSharp.invokeMethod (solution [ a; column ]) "squeeze" [ CSharp.Literal "-1" ]
        | _ -> solution (List.map fst operands)

    { Name = "solve"
      Doc =
        "The solution x of A @ x = b, for a vector b or the columns of a matrix; infinite or NaN where A is singular."
      Arity = 2, 2
      TakesAxis = false
      Shape =
        fun _ shapes ->
            square' "solve" shapes[0]
            |> Result.bind (fun () ->
                match shapes[1] with
                | n :: rest when n = shapes[0].Head && rest.Length <= 1 -> Ok shapes[1]
                | other ->
                    Error(sprintf "solve: %s does not fit the matrix, %s." (print other) (print shapes[0])))
      Definition =
        primitive (fun operands -> Tensor.solve operands[0] operands[1]) (General(forward, reverse)) torch
      Latex = fun operands -> sprintf "%s^{-1} %s" operands[0] operands[1]
      Samples =
        [ for shape in [ [ 3 ]; [ 3; 2 ] ] ->
              [ { Shape = [ 3; 3 ]; Domain = WellConditioned }
                { Shape = shape; Domain = Interval(-2.0, 2.0) } ] ] }

/// The lower triangle with half of the diagonal, of the last two axes: Φ in the derivative of Cholesky's factor.
let private halfTriangle (a: Expr) = sub (trilNode a) (scale 0.5 (diagonalMatrix (diagonal a)))

/// dL = L Φ(L⁻¹ dA L⁻ᵀ); the adjoint is made symmetric, as A is (Murray 2016, "Differentiation of the Cholesky decomposition").
let private cholesky =
    let symmetric axes (e: Expr) = scale 0.5 (add e (permute axes e))

    let forward (node: Expr) tangents =
        let inverse = invNode node
        let dA = only tangents
        let swapped = [ 1; 0 ] @ [ 2 .. dA.Shape.Length - 1 ]
        let inner = applyTo 1 inverse (applyTo 0 inverse (symmetric swapped dA))
        applyTo 0 node (Tangent.seedsLast 2 (halfTriangle (Tangent.seedsFirst 2 inner)))

    let reverse (node: Expr) cotangent =
        let inverse = invNode node
        let inner = halfTriangle (matmul (transpose node) cotangent)
        [ Some(symmetric [ 1; 0 ] (matmul (transpose inverse) (matmul inner inverse))) ]

    ofMatrix
        "cholesky"
        "The lower triangular factor L of a symmetric positive definite matrix A = L @ L.T, NaN where A is none; its derivative is symmetric in A."
        id
        Tensor.cholesky
        (General(forward, reverse))
        (fun a -> factorization "Cholesky" [ a ])
        (latexName "cholesky")
        PositiveDefinite

let private tril: Builtin =
    let forward (node: Expr) tangents =
        let rank = node.Shape.Length
        Tangent.seedsLast rank (trilNode (Tangent.seedsFirst rank (only tangents)))

    { Name = "tril"
      Doc = "A matrix with zeros put above its diagonal; of more axes, the last two are matrices."
      Arity = 1, 1
      TakesAxis = false
      Shape =
        fun _ shapes ->
            if shapes.Head.Length >= 2 then
                Ok shapes.Head
            else
                Error(sprintf "tril needs a matrix, not %s." (print shapes.Head))
      Definition =
        primitive
            (fun operands -> Tensor.lowerTriangle operands.Head)
            (General(forward, (fun _ cotangent -> [ Some(trilNode cotangent) ])))
            (fun _ operands -> CSharp.invokeMethod (fst operands.Head) "tril" [])
      Latex = latexName "tril"
      Samples =
        [ for shape in [ [ 3; 4 ]; [ 2; 3; 3 ] ] -> [ { Shape = shape; Domain = Interval(-2.0, 2.0) } ] ] }

let private expanded name doc arity shape expansion latex samples : Builtin =
    { Name = name
      Doc = doc
      Arity = arity
      TakesAxis = false
      Shape = fun _ shapes -> shape shapes
      Definition = Expansion(fun _ operands -> expansion operands)
      Latex = latex
      Samples = [ samples |> List.map (fun shape -> { Shape = shape; Domain = Interval(-2.0, 2.0) }) ] }

let private dotShape (shapes: Shape list) =
    match shapes with
    | [ a; b ] when a = b && not a.IsEmpty -> Ok scalar
    | _ ->
        Error(
            sprintf
                "dot needs two operands of one shape, not %s."
                (shapes |> List.map print |> String.concat " and ")
        )

let private matrixShape name result (shapes: Shape list) =
    match shapes with
    | [ [ m; n ] ] -> result m n
    | _ ->
        Error(sprintf "%s needs a matrix, not %s." name (shapes |> List.map print |> String.concat " and "))

let private written =
    [ expanded
          "dot"
          "The sum of products of two operands of one shape."
          (2, 2)
          dotShape
          (fun operands -> contract (allAxes operands[0]) (allAxes operands[0]) operands[0] operands[1])
          (fun operands -> sprintf @"\left\langle %s, %s \right\rangle" operands[0] operands[1])
          [ [ 4 ]; [ 4 ] ]
      expanded
          "outer"
          "All products: the shape of the left followed by that of the right."
          (2, 2)
          (fun shapes -> Ok(shapes[0] @ shapes[1]))
          (fun operands -> outer operands[0] operands[1])
          (fun operands -> sprintf @"%s \otimes %s" operands[0] operands[1])
          [ [ 3 ]; [ 4 ] ]
      expanded
          "trace"
          "The sum of the diagonal of a square matrix."
          (1, 1)
          (matrixShape "trace" (fun m n ->
              if m = n then
                  Ok scalar
              else
                  square' "trace" [ m; n ] |> Result.map (fun () -> scalar)))
          (fun operands -> Build.trace operands.Head)
          (latexName "tr")
          [ [ 3; 3 ] ]
      expanded
          "transpose"
          "A matrix with its axes exchanged, `A.T`."
          (1, 1)
          (matrixShape "transpose" (fun m n -> Ok [ n; m ]))
          (fun operands -> Build.transpose operands.Head)
          (fun operands -> sprintf @"%s^{\top}" operands.Head)
          [ [ 3; 4 ] ] ]

let all = [ det; inv; solve; cholesky; tril ] @ written
