/// Numbers of twice float64's precision and functions of them: what the elementary functions are measured against. Results are good
/// to about 2^-95 of themselves. Dekker (1971), A floating-point technique for extending the available precision.
module DiffEqLang.Tests.Support.DoubleDouble

open System
open System.Numerics

/// High + Low, with Low below the last bit of High.
[<Struct; CustomEquality; NoComparison>]
type DoubleDouble =
    { High: float
      Low: float }

    override a.Equals b =
        match b with
        | :? DoubleDouble as b -> a.High = b.High && a.Low = b.Low
        | _ -> false

    override a.GetHashCode() = hash (struct (a.High, a.Low))

    /// The sum of two floats without loss (Knuth).
    static member Sum(a: float, b: float) =
        let sum = a + b
        let rounded = sum - a
        { High = sum; Low = (a - (sum - rounded)) + (b - rounded) }

    /// The product of two floats without loss.
    static member Product(a: float, b: float) =
        let product = a * b
        { High = product; Low = Math.FusedMultiplyAdd(a, b, -product) }

    static member (~-)(a: DoubleDouble) = { High = -a.High; Low = -a.Low }

    static member (+)(a: DoubleDouble, b: DoubleDouble) =
        let high = DoubleDouble.Sum(a.High, b.High)
        let low = DoubleDouble.Sum(a.Low, b.Low)
        let first = DoubleDouble.Sum(high.High, high.Low + low.High)
        DoubleDouble.Sum(first.High, first.Low + low.Low)

    static member (-)(a: DoubleDouble, b: DoubleDouble) = a + -b

    static member (*)(a: DoubleDouble, b: DoubleDouble) =
        let product = DoubleDouble.Product(a.High, b.High)
        DoubleDouble.Sum(product.High, product.Low + (a.High * b.Low + a.Low * b.High))

    static member (/)(a: DoubleDouble, b: DoubleDouble) =
        let times (q: float) = DoubleDouble.Product(b.High, q) + DoubleDouble.Product(b.Low, q)
        let first = a.High / b.High
        let rest = a - times first
        let second = rest.High / b.High
        let rest = rest - times second
        let third = rest.High / b.High
        DoubleDouble.Sum(first, second) + { High = third; Low = 0.0 }

let dd (x: float) = { High = x; Low = 0.0 }
let private one = dd 1.0
let private two = dd 2.0
let private half = dd 0.5

/// x 2^n, for n that may be beyond float64's powers.
let scale n (x: DoubleDouble) = { High = Math.ScaleB(x.High, n); Low = Math.ScaleB(x.Low, n) }

/// Heron's step from the root of the leading part.
let sqrt (x: DoubleDouble) =
    if x.High = 0.0 then
        x
    else
        let root = dd (Math.Sqrt x.High)
        root + (x - root * root) / (two * root)

/// The number n / 2^bits, of which the leading bits count.
let private ofFixed bits (n: BigInteger) =
    let dropped = max 0 (int (n.GetBitLength()) - 150)
    let leading = n >>> dropped
    let high = float leading
    let low = float (leading - BigInteger high)
    scale (dropped - bits) (DoubleDouble.Sum(high, low))

/// A number in decimal digits.
let parse (digits: string) =
    let point = digits.IndexOf '.'
    let whole = ofFixed 0 (BigInteger.Parse(digits.Remove(point, 1)))
    whole / ofFixed 0 (BigInteger.Pow(BigInteger 10, digits.Length - point - 1))

/// Bits behind the point of the fixed-point constants: enough to reduce any float64 by pi.
let private bits = 1300

/// The sum of a series of fixed-point terms, up to the first that is zero.
let private total (terms: seq<BigInteger>) =
    terms |> Seq.takeWhile (fun t -> not t.IsZero) |> Seq.fold (+) BigInteger.Zero

/// atan(1/n) or, with sign 1, atanh(1/n).
let private inverseTangent (sign: int) (n: int) =
    Seq.unfold
        (fun (power: BigInteger, k) ->
            Some(power / BigInteger(2 * k + 1), (power * BigInteger sign / BigInteger(n * n), k + 1)))
        ((BigInteger.One <<< bits) / BigInteger n, 0)
    |> total

/// Machin (1706): pi/4 = 4 atan(1/5) - atan(1/239).
let private halfPi =
    BigInteger 2 * (BigInteger 4 * inverseTangent -1 5 - inverseTangent -1 239)

let private ln2 = ofFixed bits (BigInteger 2 * inverseTangent 1 3)
let pi = ofFixed bits (BigInteger 2 * halfPi)

/// Sums c0 + c1 x + ... while the terms count, each from the one before by `next k`.
let private series (first: DoubleDouble) (next: int -> DoubleDouble -> DoubleDouble) =
    let mutable sum, term, k = first, first, 1

    while abs term.High > 1e-34 * abs sum.High && k < 1000 do
        term <- next k term
        sum <- sum + term
        k <- k + 1

    sum

/// exp(x) - 1 for |x| of about 1/2 at most.
let private smallExpm1 (x: DoubleDouble) =
    if x.High = 0.0 then
        x
    else
        series x (fun k term -> term * x / dd (float (k + 1)))

/// exp(x) as a number near 1 and a power of two.
let expScaled (x: DoubleDouble) : struct (DoubleDouble * int) =
    let x = if abs x.High > 1e5 then dd (Math.CopySign(1e5, x.High)) else x
    let n = Math.Round(x.High / ln2.High)
    struct (one + smallExpm1 (x - dd n * ln2), int n)

let exp x =
    let struct (value, n) = expScaled x
    scale n value

let expm1 (x: DoubleDouble) = if abs x.High < 0.5 then smallExpm1 x else exp x - one

/// log((1 + s)/(1 - s)) for small s.
let private artanhSeries (s: DoubleDouble) =
    if s.High = 0.0 then
        s
    else
        let z = s * s
        let mutable power = s
        let mutable sum, k = s, 1

        while abs power.High > 1e-34 * abs sum.High do
            power <- power * z
            sum <- sum + power / dd (float (2 * k + 1))
            k <- k + 1

        two * sum

/// log(1 + x): near 0 by its series, elsewhere by a step of Newton's from float64's logarithm.
let log1p (x: DoubleDouble) =
    if abs x.High < 0.25 then
        artanhSeries (x / (two + x))
    else
        let u = one + x
        let start = dd (Math.Log u.High)
        let struct (e, n) = expScaled start
        let e = scale n e
        start + two * ((u - e) / (u + e))

let log (x: DoubleDouble) =
    if x.High > 0.75 && x.High < 1.25 then
        log1p (x - one)
    else
        // Near 1 up to a power of two: nothing overflows, nothing is subnormal.
        let n = Math.ILogB x.High
        log1p (scale -n x - one) + dd (float n) * ln2

/// sin(r) and cos(r) for |r| of about 1 at most.
let private smallSinCos (r: DoubleDouble) =
    let z = -(r * r)
    let divided a b term = term * z / dd (float (a * b))

    if r.High = 0.0 then
        r, one
    else
        series r (fun k -> divided (2 * k) (2 * k + 1)), series one (fun k -> divided (2 * k - 1) (2 * k))

/// sin(x) and cos(x), x reduced by pi/2 in fixed point.
let sinCos (x: float) =
    if abs x < 0.7 then
        smallSinCos (dd x)
    else
        let fixedX =
            BigInteger(Math.ScaleB(x, -(Math.ILogB x - 52)))
            * BigInteger.Pow(BigInteger 2, bits + Math.ILogB x - 52)

        let quadrant =
            BigInteger.Divide(BigInteger 2 * fixedX + BigInteger(sign x) * halfPi, BigInteger 2 * halfPi)

        let s, c = smallSinCos (ofFixed bits (fixedX - quadrant * halfPi))

        match int (((quadrant % BigInteger 4) + BigInteger 4) % BigInteger 4) with
        | 0 -> s, c
        | 1 -> c, -s
        | 2 -> -s, -c
        | _ -> -c, s

/// The angle of (x, y), float64's corrected by the rest of its addition theorem.
let atan2 (y: DoubleDouble) (x: DoubleDouble) =
    let start = Math.Atan2(y.High, x.High)
    let s, c = sinCos start
    dd start + (y * c - x * s) / (x * c + y * s)

let asin (x: DoubleDouble) = atan2 x (sqrt ((one - x) * (one + x)))

let acos (x: DoubleDouble) =
    if x.High > 0.5 then
        two * asin (sqrt (half * (one - x)))
    else
        half * pi - asin x

/// asinh of a positive number.
let asinh (a: DoubleDouble) =
    if a.High > 1e20 then
        log a + ln2
    else
        let square = a * a
        log1p (a + square / (one + sqrt (one + square)))

let acosh (x: DoubleDouble) =
    if x.High > 1e20 then
        log x + ln2
    else
        let t = x - one
        log1p (t + sqrt (t * (t + two)))

let atanh (a: DoubleDouble) = half * log1p (two * a / (one - a))

/// erf(x) by its series of positive terms (Abramowitz and Stegun 7.1.6), for |x| up to 3.
let erf (x: DoubleDouble) =
    let square = x * x

    if x.High = 0.0 then
        x
    else
        two * exp -square / sqrt pi
        * series x (fun k term -> term * two * square / dd (float (2 * k + 1)))

/// exp(x^2) erfc(x) for x from 2.5 on, by the continued fraction (Abramowitz and Stegun 7.1.14).
let private erfcx (x: DoubleDouble) =
    let tail =
        Seq.foldBack (fun k tail -> dd (float k / 2.0) / (x + tail)) (seq { 1..250 }) (dd 0.0)

    one / (sqrt pi * (x + tail))

/// erfc(x) for x of at least 0, as a number and a power of two.
let erfcScaled (x: DoubleDouble) : struct (DoubleDouble * int) =
    if x.High < 2.5 then
        struct (one - erf x, 0)
    else
        let struct (e, n) = expScaled -(x * x)
        struct (e * erfcx x, n)
