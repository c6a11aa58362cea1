/// Arithmetic on registers of lanes as C# text has it: `Lanes` is Vector<T> or Vector512<T>, whose operators are
/// spelled alike, and `Lane` the class of their functions.
///
/// A number stays a number as long as an operator takes it (`2 * x`); elsewhere it is spread over a register,
/// `Lane.Create(0.5)`, which the just-in-time compiler folds into a constant.
module internal DiffEqLang.Compiler.Backends.Simd.Registers

open System
open System.Globalization
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp

/// What one lane computes with.
type Precision =
    | Single
    | Double

/// The element type, as C# spells it.
let elementType precision =
    match precision with
    | Single -> "float"
    | Double -> "double"

type Value =
    | Number of float
    /// A number that all lanes share, read from memory: a weight.
    | Shared of CSharp.Expr
    | Register of CSharp.Expr

/// A number of the element type.
let literal precision (x: float) =
    let suffix =
        match precision with
        | Single -> "f"
        | Double -> ""

    if Double.IsNaN x then
        Member(Name(elementType precision), "NaN")
    elif Double.IsPositiveInfinity x then
        Member(Name(elementType precision), "PositiveInfinity")
    elif Double.IsNegativeInfinity x then
        Member(Name(elementType precision), "NegativeInfinity")
    else
        let text = x.ToString("R", CultureInfo.InvariantCulture)

        let text =
            match text.IndexOf 'E' with
            | -1 when text.Contains '.' || precision = Single -> text
            | -1 -> text + ".0"
            | at -> sprintf "%se%d" (text.Substring(0, at)) (int (text.Substring(at + 1)))

        Literal(text + suffix)

/// A function that takes an instruction or two.
let isCheap name =
    match name with
    | "abs"
    | "sign"
    | "floor"
    | "sqrt"
    | "maximum"
    | "minimum"
    | "relu"
    | "leaky_relu" -> true
    | _ -> false

/// How `Elementary`, the runtime's functions over registers, spells a function of the language: `leaky_relu` is
/// `LeakyRelu`. A test holds the names against the runtime.
let functionName (name: string) = name.Split '_' |> Array.map Naming.capitalized |> String.concat ""

/// Functions that registers have themselves.
let isOfRegisters name = List.contains name [ "Abs"; "Floor" ]

/// A function of `Vector` or `Vector512`, whichever `Lane` is.
let operation name arguments = invokeMethod (Name "Lane") name arguments

/// The factors of a product, the second of them a register.
let private (|Product|_|) (value: Value) =
    match value with
    | Register(Infix(a, "*", b)) -> Some(a, b)
    | _ -> None

/// Of a product that is taken away.
let private (|NegatedProduct|_|) (value: Value) =
    match value with
    | Register(Prefix("-", Infix(a, "*", b))) -> Some(a, b)
    | _ -> None

/// 1.5, -2.5 ...: a few products and a root, where a power of any other kind takes a logarithm and an exponential.
let private isHalfInteger (p: float) =
    p <> Math.Floor p && 2.0 * p = Math.Floor(2.0 * p) && abs p >= 1.0 && abs p <= 5.0

/// Whether a power is written as products of its basis.
let isRepeated (p: float) = isHalfInteger p || (p = Math.Floor p && abs p >= 2.0 && abs p <= 8.0)

/// Arithmetic of one precision.
type Arithmetic(precision: Precision) =
    let literal = literal precision

    /// A number as an operand of `*` or `/` beside a register.
    let factor (x: float) =
        if x = Math.Floor x && abs x < 1e6 then
            Literal((int64 x).ToString CultureInfo.InvariantCulture)
        else
            literal x

    member _.Precision = precision

    /// The value in a register.
    member _.Spread(value: Value) : CSharp.Expr =
        match value with
        | Number 0.0 -> Member(Name "Lanes", "Zero")
        | Number 1.0 -> Member(Name "Lanes", "One")
        | Number x -> operation "Create" [ literal x ]
        | Shared number -> operation "Create" [ number ]
        | Register register -> register

    /// An operand of a product or quotient whose other operand is a register.
    member private _.Factor(value: Value) =
        match value with
        | Number x -> factor x
        | Shared number -> number
        | Register register -> register

    member this.Add(a: Value, b: Value) =
        match a, b with
        | Number x, Number y -> Number(x + y)
        | Number 0.0, other
        | other, Number 0.0 -> other
        | _, Product(x, y) -> this.Fused("Fma", x, y, a)
        | _, NegatedProduct(x, y) -> this.Fused("Fnma", x, y, a)
        | Product(x, y), _ -> this.Fused("Fma", x, y, b)
        | NegatedProduct(x, y), _ -> this.Fused("Fnma", x, y, b)
        | _, Register(Prefix("-", positive)) -> Register(Infix(this.Spread a, "-", positive))
        | _ -> Register(Infix(this.Spread a, "+", this.Spread b))

    member this.Subtract(a: Value, b: Value) =
        match a, b with
        | Number x, Number y -> Number(x - y)
        | other, Number 0.0 -> other
        | Number 0.0, other -> this.Negate other
        | _, Product(x, y) -> this.Fused("Fnma", x, y, a)
        | _, NegatedProduct(x, y) -> this.Fused("Fma", x, y, a)
        | Product(x, y), _ -> this.Fused("Fms", x, y, b)
        | _ -> Register(Infix(this.Spread a, "-", this.Spread b))

    member this.Multiply(a: Value, b: Value) =
        match a, b with
        | Number x, Number y -> Number(x * y)
        // As everywhere in the compiler, a term that is not there does not poison a sum.
        | Number 0.0, _
        | _, Number 0.0 -> Number 0.0
        | Number 1.0, other
        | other, Number 1.0 -> other
        | Number -1.0, other
        | other, Number -1.0 -> this.Negate other
        | Number _, Register b -> Register(Infix(this.Factor a, "*", b))
        | Register a, (Number _ | Shared _) -> Register(Infix(this.Factor b, "*", a))
        | _, Register b -> Register(Infix(this.Factor a, "*", b))
        | Number _, Shared number -> Register(Infix(this.Factor a, "*", this.Spread(Shared number)))
        | Shared _, _ -> Register(Infix(this.Factor b, "*", this.Spread a))

    member this.Divide(a: Value, b: Value) =
        match a, b with
        | Number x, Number y -> Number(x / y)
        | other, Number 1.0 -> other
        | Register a, other -> Register(Infix(a, "/", this.Factor other))
        | other, b -> Register(Infix(this.Spread other, "/", this.Spread b))

    member this.Negate(a: Value) =
        match a with
        | Number x -> Number -x
        | Register(Prefix("-", positive)) -> Register positive
        | other -> Register(Prefix("-", this.Spread other))

    /// a*b + c (`Fma`), a*b - c (`Fms`) or c - a*b (`Fnma`), rounded once where the hardware can.
    member private this.Fused(name: string, a: CSharp.Expr, b: CSharp.Expr, c: Value) =
        Register(invoke name [ a; b; this.Spread c ])

    /// a*b + c, rounded once where the hardware can; a number goes first.
    member this.MultiplyAdd(a: Value, b: Value, c: Value) =
        match a, b, c with
        | _, _, Number 0.0 -> this.Multiply(a, b)
        | Number 0.0, _, c
        | _, Number 0.0, c -> c
        | Number 1.0, x, c
        | x, Number 1.0, c -> this.Add(c, x)
        | Number -1.0, x, c
        | x, Number -1.0, c -> this.Subtract(c, x)
        | Number x, Number y, c -> this.Add(Number(x * y), c)
        | Register _, (Number _ | Shared _), _ -> this.MultiplyAdd(b, a, c)
        | Number x, _, _ -> this.Fused("Fma", literal x, this.Spread b, c)
        | Shared x, _, _
        | Register x, _, _ -> this.Fused("Fma", x, this.Spread b, c)

    /// A function of one or several registers.
    member this.Call(name: string, operands: Value list) =
        let operands = operands |> List.map this.Spread
        Register(if isOfRegisters name then operation name operands else invoke name operands)

    /// x^n for a whole n from 2 on, by squaring; `x` is written several times.
    member private this.WholePower(x: Value, n: int) : Value =
        if n = 1 then
            x
        else
            let half = this.WholePower(x, n / 2)
            let squared = this.Multiply(half, half)
            if n % 2 = 0 then squared else this.Multiply(squared, x)

    /// x^p for a known p. `x` must be cheap where `IsRepeated p`.
    member this.Power(x: Value, p: float) =
        match p with
        | 0.5 -> this.Call("Sqrt", [ x ])
        | -0.5 -> this.Divide(Number 1.0, this.Call("Sqrt", [ x ]))
        | p when p = Math.Floor p && p >= 1.0 && p <= 8.0 -> this.WholePower(x, int p)
        | p when p = Math.Floor p && p <= -1.0 && p >= -8.0 ->
            this.Divide(Number 1.0, this.WholePower(x, -(int p)))
        | p when isHalfInteger p && p > 0.0 ->
            this.Multiply(this.WholePower(x, int p), this.Call("Sqrt", [ x ]))
        | p when isHalfInteger p ->
            this.Divide(Number 1.0, this.Multiply(this.WholePower(x, int -p), this.Call("Sqrt", [ x ])))
        | p -> this.Call("Pow", [ x; Number p ])

    member this.Compare(comparison: Comparison, a: Value, b: Value) =
        let a, b = this.Spread a, this.Spread b
        let call name = operation name [ a; b ]

        match comparison with
        | Less -> Register(call "LessThan")
        | LessOrEqual -> Register(call "LessThanOrEqual")
        | Greater -> Register(call "GreaterThan")
        | GreaterOrEqual -> Register(call "GreaterThanOrEqual")
        | Equal -> Register(call "Equals")
        | NotEqual -> Register(Prefix("~", call "Equals"))

    member this.Logical(operator: string, a: Value, b: Value) =
        Register(Infix(this.Spread a, operator, this.Spread b))

    member this.Not(a: Value) = Register(Prefix("~", this.Spread a))

    member this.Select(condition: Value, a: Value, b: Value) =
        Register(operation "ConditionalSelect" [ this.Spread condition; this.Spread a; this.Spread b ])
