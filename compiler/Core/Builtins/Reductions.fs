/// Functions that fold axes away: all of them, or the one named by `axis = k`.
module internal DiffEqLang.Compiler.Builtins.Reductions

open System
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Shape
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Build
open DiffEqLang.Compiler.Builtins.Builtin
open DiffEqLang.Compiler.Printing

let private axes attributes (shape: Shape) = axesOf attributes shape [ 0 .. shape.Length - 1 ]

let private foldedShape attributes (shapes: Shape list) =
    axes attributes shapes.Head
    |> Result.map (fun axes ->
        shapes.Head
        |> List.indexed
        |> List.filter (fun (i, _) -> not (List.contains i axes))
        |> List.map snd)

let private samples domain =
    [ [ { Shape = [ 4 ]; Domain = Interval domain } ]
      [ { Shape = [ 3; 4 ]; Domain = Interval domain } ] ]

let private reduction name doc latex reduce : Builtin =
    { Name = name
      Doc = doc
      Arity = 1, 1
      TakesAxis = true
      Shape = foldedShape
      Definition =
        Expansion(fun attributes operands ->
            reduce (knownAxes attributes operands.Head.Shape (allAxes operands.Head)) operands.Head)
      Latex = latex
      Samples = samples (-2.0, 2.0) }

/// `max(x)` and `max(x, axis = k)` reduce; `max(a, b)` compares element by element.
let private extremum name doc reduce pairwise : Builtin =
    { Name = name
      Doc = doc
      Arity = 1, 2
      TakesAxis = true
      Shape =
        fun attributes shapes ->
            match attributes, shapes with
            | _, [ _ ] -> foldedShape attributes shapes
            | [], _ -> Build.elementwiseShape shapes
            | _ -> Error(sprintf "%s of two operands takes no axis." name)
      Definition =
        Expansion(fun attributes operands ->
            match operands with
            | [ x ] -> reduce (knownAxes attributes x.Shape (allAxes x)) x
            | _ -> elementwise pairwise operands)
      Latex = latexCommand name
      Samples =
        [ { Shape = [ 3; 4 ]; Domain = Interval(-2.0, 0.0) }
          { Shape = [ 3; 4 ]; Domain = Interval(0.2, 2.0) } ]
        :: samples (-2.0, 2.0) }

let private foldedAxes (node: Expr) =
    match node.Op with
    | Call(_, attributes) -> knownAxes attributes node.Args.Head.Shape (allAxes node.Args.Head)
    | _ -> internalError "norm's rule was given another node."

/// d |x| = sum(x/|x| dx), 0 where the norm is 0.
let private norm: Builtin =
    let weights x result = select (compare Equal result (number 0.0)) (number 0.0) (div x result)

    { Name = "norm"
      Doc = "The Euclidean norm over an axis, or of all elements; its derivative at 0 is 0."
      Arity = 1, 1
      TakesAxis = true
      Shape = foldedShape
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

                    x |> Tensor.map (fun v -> v * v) |> Tensor.sum axes |> Tensor.map sqrt
              Derivative = weightedSum foldedAxes weights
              Torch =
                fun attributes operands ->
                    let x, rank = operands.Head
                    let axes = if attributes.IsEmpty then [ 0 .. rank - 1 ] else attributes

                    let dims: CSharp.Argument =
                        { Label = Some "dims"
                          Value = CSharp.Collection(axes |> List.map (fromEnd rank)) }

                    match axes with
                    | [] -> CSharp.invokeMethod x "abs" []
                    | _ ->
                        CSharp.Invoke(
                            CSharp.Member(CSharp.Name "linalg", "vector_norm"),
                            [ CSharp.argument x; dims ]
                        ) }
      Latex = fun operands -> sprintf @"\left\|%s\right\|" operands.Head
      Samples = samples (-2.0, 2.0) }

let all =
    [ reduction "sum" "The sum over an axis, or of all elements." (fun x -> sprintf @"\sum %s" x.Head) sum
      reduction "mean" "The mean over an axis, or of all elements." (latexName "mean") mean
      reduction
          "prod"
          "The product over an axis, or of all elements; its derivative is exact where factors are 0."
          (fun x -> sprintf @"\prod %s" x.Head)
          prod
      extremum
          "max"
          "The largest element over an axis, or of all; or the larger of two operands. The derivative of ties is shared evenly."
          Build.max
          "maximum"
      extremum
          "min"
          "The smallest element over an axis, or of all; or the smaller of two operands. The derivative of ties is shared evenly."
          Build.min
          "minimum"
      norm ]
