/// The activations of networks, with PyTorch's definitions and defaults.
module internal DiffEqLang.Compiler.Builtins.Activations

open System
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Build
open DiffEqLang.Compiler.Builtins.Builtin
open DiffEqLang.Compiler.Builtins.Elementary
open DiffEqLang.Compiler.Printing

let private onePlus x = add (number 1.0) x
let private oneMinus x = sub (number 1.0) x
let private sigmoidOf x = elementwise "sigmoid" [ x ]
let private logistic x = 1.0 / (1.0 + exp -x)

let private methodOf name target = CSharp.invokeMethod target name []

let private functional name extra target =
    CSharp.Invoke(
        CSharp.Member(CSharp.Member(CSharp.Name "nn", "functional"), name),
        CSharp.argument target :: extra
    )

let private labelled label literal : CSharp.Argument = { Label = Some label; Value = CSharp.Literal literal }

/// The normal distribution function and density, in the error function's terms.
let private normalDistribution x = scale 0.5 (onePlus (elementwise "erf" [ scale (1.0 / sqrt 2.0) x ]))
let private normalDensity x = scale (1.0 / sqrt (2.0 * Math.PI)) (elementwise "exp" [ scale -0.5 (square x) ])

/// A leaky_relu's slope below zero.
let private slope = 0.01

let private pointwise =
    [ unary
          "sigmoid"
          "1/(1 + exp(-x))."
          (fun x -> sprintf @"\sigma\left(%s\right)" x.Head)
          logistic
          (fun _ r -> mul r (oneMinus r))
          (methodOf "sigmoid")
          (-3.0, 3.0)
      unary
          "softplus"
          "log(1 + exp(x)), without overflow."
          (latexName "softplus")
          (fun x -> Math.Max(x, 0.0) + log1p (exp -(abs x)))
          (fun x _ -> sigmoidOf x)
          (pointwise "softplus")
          (-3.0, 3.0)
      unary
          "relu"
          "max(x, 0); its derivative at 0 is 0."
          (latexName "relu")
          (fun x -> if x < 0.0 then 0.0 else x)
          (fun _ r -> elementwise "sign" [ r ])
          (methodOf "relu")
          (0.2, 3.0)
      unary
          "leaky_relu"
          "x above 0, 0.01*x below; its derivative at 0 is 0.01."
          (latexName "leaky\\_relu")
          (fun x -> if x > 0.0 then x else slope * x)
          (fun x _ -> select (compare Greater x (number 0.0)) (number 1.0) (number slope))
          (functional "leaky_relu" [ labelled "negative_slope" "0.01" ])
          (-3.0, -0.2)
      unary
          "elu"
          "x above 0, exp(x) - 1 below."
          (latexName "elu")
          (fun x -> if x > 0.0 then x else expm1 x)
          (fun x r -> select (compare Greater x (number 0.0)) (number 1.0) (onePlus r))
          (pointwise "elu")
          (-3.0, -0.2)
      unary
          "gelu"
          "x times the normal distribution function of x, by the error function."
          (latexName "gelu")
          (fun x -> 0.5 * x * (1.0 + erf (x / sqrt 2.0)))
          (fun x _ -> add (normalDistribution x) (mul x (normalDensity x)))
          (functional "gelu" [])
          (-3.0, 3.0)
      unary
          "silu"
          "x*sigmoid(x)."
          (latexName "silu")
          (fun x -> x * logistic x)
          (fun x r -> let s = sigmoidOf x in add s (mul r (oneMinus s)))
          (functional "silu" [])
          (-3.0, 3.0) ]

let private notScalar name (shape: Shape.Shape) =
    if shape.IsEmpty then
        Error(sprintf "%s needs a vector or more, not a scalar." name)
    else
        Ok()

let private maximum axes (t: Tensor.Tensor) =
    Tensor.reduce (fun a b -> Math.Max(a, b)) Double.NegativeInfinity axes t

let private restored axes (t: Tensor.Tensor) reduced =
    Tensor.broadcast t.Shape (Array.except axes [| 0 .. t.Shape.Length - 1 |]) reduced

/// softmax along one axis, the last where none is named. d s = s (dx - sum(s dx)).
let private softmax: Builtin =
    let axisOf attributes (shape: Shape.Shape) = knownAxes attributes shape [ shape.Length - 1 ] |> List.head

    let axisOfNode (node: Expr) =
        match node.Op with
        | Call(_, attributes) -> axisOf attributes node.Shape
        | _ -> internalError "softmax's rule was given another node."

    let forward (node: Expr) (tangents: Expr option list) =
        let weighted = Tangent.times node (tangents |> List.pick id)
        let axis = axisOfNode node
        let total = sum [ axis ] weighted
        sub weighted (Tangent.times node (Tangent.restore weighted [ axis ] total))

    let reverse (node: Expr) cotangent =
        let weighted = mul node cotangent
        let axis = axisOfNode node
        [ Some(sub weighted (mul node (Tangent.restore node [ axis ] (sum [ axis ] weighted)))) ]

    { Name = "softmax"
      Doc = "exp(x) over its sum along an axis, the last where none is named; without overflow."
      Arity = 1, 1
      TakesAxis = true
      Shape =
        fun attributes shapes ->
            notScalar "softmax" shapes.Head
            |> Result.bind (fun () -> axesOf attributes shapes.Head [])
            |> Result.map (fun _ -> shapes.Head)
      Definition =
        Primitive
            { Value =
                fun attributes operands ->
                    let x = operands.Head
                    let axes = [| (if attributes.IsEmpty then Tensor.rank x - 1 else attributes.Head) |]
                    let raised = Tensor.map2 (fun x top -> exp (x - top)) x (restored axes x (maximum axes x))
                    Tensor.map2 (/) raised (restored axes x (Tensor.sum axes raised))
              Derivative = General(forward, reverse)
              Torch =
                fun attributes operands ->
                    let x, rank = operands.Head
                    let axis = if attributes.IsEmpty then rank - 1 else attributes.Head
                    CSharp.invokeMethod x "softmax" [ fromEnd rank axis ] }
      Latex = latexName "softmax"
      Samples =
        [ [ { Shape = [ 4 ]; Domain = Interval(-2.0, 2.0) } ]
          [ { Shape = [ 3; 4 ]; Domain = Interval(-2.0, 2.0) } ] ] }

/// The axes that a node such as logsumexp folds away.
let private foldedAxes (node: Expr) =
    match node.Op with
    | Call(_, attributes) -> knownAxes attributes node.Args.Head.Shape (allAxes node.Args.Head)
    | _ -> internalError "A reduction's rule was given another node."

/// d lse = sum(exp(x - lse) dx): the weights are the softmax.
let private logSumExp: Builtin =
    { Name = "logsumexp"
      Doc = "log(sum(exp(x))) over an axis, or all of them; without overflow."
      Arity = 1, 1
      TakesAxis = true
      Shape =
        fun attributes shapes ->
            axesOf attributes shapes.Head [ 0 .. shapes.Head.Length - 1 ]
            |> Result.map (fun axes ->
                shapes.Head
                |> List.indexed
                |> List.filter (fun (i, _) -> not (List.contains i axes))
                |> List.map snd)
      Definition =
        Primitive
            { Value =
                fun attributes operands ->
                    let x = operands.Head

                    let axes =
                        if attributes.IsEmpty then
                            [| 0 .. Tensor.rank x - 1 |]
                        else
                            List.toArray attributes

                    let top = maximum axes x
                    let finite = top |> Tensor.map (fun m -> if Double.IsInfinity m then 0.0 else m)
                    let raised = Tensor.map2 (fun x m -> exp (x - m)) x (restored axes x finite)
                    Tensor.map2 (fun total m -> log total + m) (Tensor.sum axes raised) finite
              Derivative = weightedSum foldedAxes (fun x result -> elementwise "exp" [ sub x result ])
              Torch =
                fun attributes operands ->
                    let x, rank = operands.Head

                    match attributes with
                    | [ axis ] -> CSharp.invokeMethod x "logsumexp" [ fromEnd rank axis ]
                    | _ ->
                        List.fold
                            (fun e _ -> CSharp.invokeMethod e "logsumexp" [ CSharp.Literal "-1" ])
                            x
                            [ 1..rank ] }
      Latex = latexName "logsumexp"
      Samples =
        [ [ { Shape = [ 4 ]; Domain = Interval(-2.0, 2.0) } ]
          [ { Shape = [ 3; 4 ]; Domain = Interval(-2.0, 2.0) } ] ] }

let all = pointwise @ [ softmax; logSumExp ]
