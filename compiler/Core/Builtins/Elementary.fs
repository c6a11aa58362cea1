/// Elementary functions, element by element.
module internal DiffEqLang.Compiler.Builtins.Elementary

open System
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Build
open DiffEqLang.Compiler.Builtins.Builtin
open DiffEqLang.Compiler.Printing

let private onePlus x = add (number 1.0) x
let private oneMinus x = sub (number 1.0) x

/// ln(1 + x) without loss for small x (Kahan).
let log1p x =
    let u = 1.0 + x

    if u = 1.0 || u = Double.PositiveInfinity then x else log u * (x / (u - 1.0))

/// exp(x) - 1 without loss for small x (Kahan).
let expm1 x =
    let u = exp x

    if u = 1.0 then x
    elif u - 1.0 = -1.0 then -1.0
    elif Double.IsInfinity u then u
    else (u - 1.0) * (x / log u)

/// The error function to rounding: its series of positive terms (Abramowitz and Stegun 7.1.6), beyond 3 the continued
/// fraction of erfc (7.1.14) by backward recurrence.
let erf x =
    let a = abs x

    if a < 3.0 then
        let mutable term, total, n = x, x, 0

        while abs term > 1e-18 * abs total do
            n <- n + 1
            term <- term * 2.0 * x * x / float (2 * n + 1)
            total <- total + term

        2.0 / sqrt Math.PI * exp (-x * x) * total
    elif a > 6.0 then
        Math.CopySign(1.0, x)
    else
        let fraction = Seq.foldBack (fun k tail -> float k / 2.0 / (a + tail)) (seq { 1..60 }) 0.0
        Math.CopySign(1.0, x) * (1.0 - exp (-a * a) / sqrt Math.PI / (a + fraction))

/// A function of one operand, called in torch as a method of its own name. `derivative` has the operand and the result.
let unary name doc latex value derivative torch domain : Builtin =
    { Name = name
      Doc = doc
      Arity = 1, 1
      TakesAxis = false
      Shape = elementwiseShape
      Definition =
        Primitive
            { Value = fun _ operands -> Tensor.map value operands.Head
              Derivative = Elementwise(fun operands result -> [ derivative operands.Head result ])
              Torch = fun _ operands -> torch (fst operands.Head) }
      Latex = latex
      Samples = [ [ { Shape = [ 3; 4 ]; Domain = Interval domain } ] ] }

let private methodOf name target = CSharp.invokeMethod target name []

/// A function that the runtime computes faster than torch on a CPU: `tanh` as `Pointwise.Tanh`.
let pointwise (name: string) target =
    CSharp.Invoke(
        CSharp.Member(CSharp.Name "Pointwise", string (Char.ToUpperInvariant name[0]) + name.Substring 1),
        [ CSharp.argument target ]
    )

let private elementary name doc value derivative domain =
    unary name doc (latexCommand name) value derivative (pointwise name) domain

let private named name doc value derivative domain =
    unary name doc (latexName name) value derivative (pointwise name) domain

let private reciprocal e = div (number 1.0) e
let private unknownZero (e: Expr) = zeros e.Shape

let private roundsAndRoots =
    [ unary
          "sqrt"
          "The square root; NaN below 0. Its derivative at 0 is infinite."
          (fun x -> sprintf @"\sqrt{%s}" x.Head)
          sqrt
          (fun _ r -> div (number 0.5) r)
          (methodOf "sqrt")
          (0.2, 4.0)
      unary
          "abs"
          "The absolute value; its derivative at 0 is 0."
          (fun x -> sprintf @"\left|%s\right|" x.Head)
          abs
          (fun x _ -> elementwise "sign" [ x ])
          (methodOf "abs")
          (0.2, 3.0)
      unary
          "sign"
          "-1, 0 or 1; its derivative is 0 everywhere."
          (latexName "sign")
          (fun x -> if Double.IsNaN x then x else float (sign x))
          (fun x _ -> unknownZero x)
          (methodOf "sign")
          (-3.0, -0.2)
      unary
          "floor"
          "The largest integer that is not above; its derivative is 0 everywhere."
          (fun x -> sprintf @"\left\lfloor %s \right\rfloor" x.Head)
          floor
          (fun x _ -> unknownZero x)
          (methodOf "floor")
          (0.1, 0.9) ]

let private exponentials =
    [ elementary "exp" "The exponential." exp (fun _ r -> r) (-2.0, 2.0)
      elementary
          "log"
          "The natural logarithm; -infinity at 0, NaN below."
          log
          (fun x _ -> reciprocal x)
          (0.2, 4.0)
      named
          "log1p"
          "log(1 + x), exact for small x; -infinity at -1, NaN below."
          log1p
          (fun x _ -> reciprocal (onePlus x))
          (-0.7, 3.0)
      named "expm1" "exp(x) - 1, exact for small x." expm1 (fun _ r -> onePlus r) (-2.0, 2.0)
      unary
          "erf"
          "The error function."
          (latexName "erf")
          erf
          (fun x _ -> scale (2.0 / sqrt Math.PI) (elementwise "exp" [ neg (square x) ]))
          (methodOf "erf")
          (-2.5, 2.5) ]

let private trigonometric =
    [ elementary "sin" "The sine, of radians." sin (fun x _ -> elementwise "cos" [ x ]) (-3.0, 3.0)
      elementary "cos" "The cosine, of radians." cos (fun x _ -> neg (elementwise "sin" [ x ])) (-3.0, 3.0)
      unary
          "tan"
          "The tangent, of radians."
          (latexCommand "tan")
          tan
          (fun _ r -> onePlus (square r))
          (methodOf "tan")
          (-1.2, 1.2)
      unary
          "asin"
          "The inverse sine; NaN outside [-1, 1]. Its derivative at the ends is infinite."
          (latexCommand "arcsin")
          asin
          (fun x _ -> reciprocal (elementwise "sqrt" [ oneMinus (square x) ]))
          (pointwise "asin")
          (-0.9, 0.9)
      unary
          "acos"
          "The inverse cosine; NaN outside [-1, 1]. Its derivative at the ends is infinite."
          (latexCommand "arccos")
          acos
          (fun x _ -> neg (reciprocal (elementwise "sqrt" [ oneMinus (square x) ])))
          (pointwise "acos")
          (-0.9, 0.9)
      unary
          "atan"
          "The inverse tangent."
          (latexCommand "arctan")
          atan
          (fun x _ -> reciprocal (onePlus (square x)))
          (pointwise "atan")
          (-3.0, 3.0) ]

let private hyperbolic =
    [ elementary "sinh" "The hyperbolic sine." sinh (fun x _ -> elementwise "cosh" [ x ]) (-2.0, 2.0)
      elementary "cosh" "The hyperbolic cosine." cosh (fun x _ -> elementwise "sinh" [ x ]) (-2.0, 2.0)
      elementary "tanh" "The hyperbolic tangent." tanh (fun _ r -> oneMinus (square r)) (-2.0, 2.0)
      named
          "asinh"
          "The inverse hyperbolic sine."
          Math.Asinh
          (fun x _ -> reciprocal (elementwise "sqrt" [ onePlus (square x) ]))
          (-3.0, 3.0)
      named
          "acosh"
          "The inverse hyperbolic cosine; NaN below 1. Its derivative at 1 is infinite."
          Math.Acosh
          (fun x _ -> reciprocal (elementwise "sqrt" [ sub (square x) (number 1.0) ]))
          (1.2, 4.0)
      named
          "atanh"
          "The inverse hyperbolic tangent; infinite at -1 and 1, NaN beyond."
          Math.Atanh
          (fun x _ -> reciprocal (oneMinus (square x)))
          (-0.8, 0.8) ]

/// Gives a scalar operand [...] the axes of the other, [..., 1, 1], so that torch broadcasts them as meant.
let private aligned (operands: (CSharp.Expr * int) list) =
    let rank = operands |> List.map snd |> List.max
    let unsqueeze e _ = CSharp.invokeMethod e "unsqueeze" [ CSharp.Literal "-1" ]

    operands
    |> List.map (fun (e, own) -> if own = rank then e else List.fold unsqueeze e [ 1..rank ])

let private binary
    name
    doc
    latex
    (value: float -> float -> float)
    derivative
    (domains: (float * float) list)
    : Builtin =
    let samples (shapes: int list list) =
        List.map2 (fun shape domain -> { Shape = shape; Domain = Interval domain }) shapes domains

    { Name = name
      Doc = doc
      Arity = 2, 2
      TakesAxis = false
      Shape = elementwiseShape
      Definition =
        Primitive
            { Value = fun _ operands -> Tensor.map2 value operands[0] operands[1]
              Derivative = Elementwise(fun operands _ -> derivative operands[0] operands[1])
              Torch =
                fun _ operands ->
                    let operands = aligned operands
                    CSharp.invokeMethod operands[0] name [ operands[1] ] }
      Latex = latex
      Samples = [ samples [ [ 3; 4 ]; [ 3; 4 ] ]; samples [ []; [ 3 ] ]; samples [ [ 3 ]; [] ] ] }

/// 1 where a is above b, 1/2 where they are equal, 0 below.
let private share a b = scale 0.5 (onePlus (elementwise "sign" [ sub a b ]))

let private ofTwo =
    [ binary
          "atan2"
          "The angle of the point (x, y) for atan2(y, x), in (-pi, pi]; its derivative at the origin is NaN."
          (latexName "atan2")
          (fun y x -> Math.Atan2(y, x))
          (fun y x ->
              let radius = add (square y) (square x)
              [ div x radius; neg (div y radius) ])
          [ 0.3, 2.0; -2.0, 2.0 ]
      binary
          "maximum"
          "The larger of two, element by element; NaN where either is. The derivative of equal ones is shared evenly."
          (latexCommand "max")
          (fun a b -> Math.Max(a, b))
          (fun a b -> [ share a b; share b a ])
          [ -2.0, 0.0; 0.2, 2.0 ]
      binary
          "minimum"
          "The smaller of two, element by element; NaN where either is. The derivative of equal ones is shared evenly."
          (latexCommand "min")
          (fun a b -> Math.Min(a, b))
          (fun a b -> [ share b a; share a b ])
          [ -2.0, 0.0; 0.2, 2.0 ] ]

let private power: Builtin =
    { Name = "pow"
      Doc =
        "x^p. x^0 is 1 for every x, 0^0 too; NaN for a negative x and a p that is no integer. The derivative by x is p*x^(p-1), \
         0 where p is 0; by p it is x^p*log(x), 0 where x is 0."
      Arity = 2, 2
      TakesAxis = false
      Shape = elementwiseShape
      Definition = Expansion(fun _ operands -> pow operands[0] operands[1])
      Latex = fun operands -> sprintf "{%s}^{%s}" operands[0] operands[1]
      Samples =
        [ [ { Shape = [ 3 ]; Domain = Interval(0.3, 2.0) }
            { Shape = [ 3 ]; Domain = Interval(-2.0, 2.0) } ]
          [ { Shape = [ 3 ]; Domain = Interval(0.3, 2.0) }
            { Shape = []; Domain = Interval(-2.0, 2.0) } ] ] }

let all = roundsAndRoots @ exponentials @ trigonometric @ hyperbolic @ ofTwo @ [ power ]
