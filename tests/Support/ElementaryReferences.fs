/// The elementary functions in twice the precision of float64, with where their algorithms or their behaviour change.
module internal DiffEqLang.Tests.Support.ElementaryReferences

open System
open DiffEqLang.Tests.Support.DoubleDouble

/// A number of twice the precision and a power of two.
type Scaled = (struct (DoubleDouble * int))

let plain value : Scaled = struct (value, 0)
let one = dd 1.0
let two = dd 2.0

/// exp(-|x|), which vanishes where it does not matter beside 1.
let small x = exp (dd (max -700.0 -(abs x)))

let logistic x : Scaled =
    if x < 0.0 then
        let struct (e, n) = expScaled (dd x)
        struct (e / (one + small x), n)
    else
        plain (one / (one + small x))

let sinhOf x : Scaled =
    let a = dd (abs x)

    if a.High > 40.0 then
        let struct (e, n) = expScaled a
        struct (dd (float (sign x)) * e, n - 1)
    else
        let t = expm1 a
        plain (dd (float (sign x)) * (t + t / (t + one)) / two)

let coshOf x : Scaled =
    let struct (e, n) = expScaled (dd (abs x))
    if n > 60 then struct (e, n - 1) else plain ((exp (dd x) + exp (dd -x)) / two)

let tanhOf x : Scaled =
    let t = expm1 (dd (2.0 * min 50.0 (abs x)))
    plain (dd (float (sign x)) * t / (t + two))

let softplusOf x : Scaled = if x < -50.0 then expScaled (dd x) else plain (dd (max x 0.0) + log1p (small x))

let erfOf x : Scaled =
    if abs x < 1.0 then
        plain (erf (dd x))
    else
        let struct (tail, n) = erfcScaled (dd (min 30.0 (abs x)))
        plain (dd (float (sign x)) * (one - scale n tail))

let geluOf x : Scaled =
    let x = max -45.0 x
    let struct (tail, n) = erfcScaled (dd (min 45.0 (abs x)) / sqrt two)

    if x < 0.0 then
        struct (dd x * tail, n - 1)
    else
        plain (dd x * (one - scale (n - 1) tail))

let odd (f: DoubleDouble -> DoubleDouble) x : Scaled = plain (dd (float (sign x)) * f (dd (abs x)))

/// A function of one operand, the points where its algorithm or its behaviour changes, and where its values are numbers.
type Function =
    { Name: string
      Reference: float -> Scaled
      Boundaries: float list
      Domain: float -> bool }

let everywhere name reference boundaries =
    { Name = name
      Reference = reference
      Boundaries = boundaries
      Domain = fun _ -> true }

let within domain name reference boundaries = { everywhere name reference boundaries with Domain = domain }

let quadrants = [ for k in 1..12 -> float k * Math.PI / 4.0 ] @ [ 1e5; 1e9; 355.0; 1.0e22 ]

let logarithms = [ 0.5; sqrt (dd 0.5) |> _.High; 1.0; Math.Sqrt 2.0; 2.0; 1024.0 ]

let functions =
    [ everywhere
          "Exp"
          (fun x -> expScaled (dd x))
          [ 0.0; 0.34657359; -708.4; -745.13; 709.78; 88.72; -87.3; -103.9 ]
      everywhere
          "Expm1"
          (fun x -> if x > 40.0 then expScaled (dd x) else plain (expm1 (dd x)))
          [ 0.0; 0.34657359; -0.34657359; 1.0; -1.04; -37.0; 709.78; 88.72 ]
      everywhere "Sinh" sinhOf [ 0.0; 1.0; -1.0; 710.47; 89.41; 20.0 ]
      everywhere "Cosh" coshOf [ 0.0; 0.34657359; 1.0; 710.47; 89.41 ]
      everywhere "Tanh" tanhOf [ 0.0; 0.1; 0.25; 0.34657; 0.5493; 1.0; 9.0; 10.0; 19.06; 22.0 ]
      everywhere "Sigmoid" logistic [ 0.0; -1.0; 1.0; -36.7; -708.4; -744.4; -87.3; -103.9; 16.6; 36.7 ]
      everywhere
          "Silu"
          (fun x ->
              let struct (s, n) = logistic x
              struct (dd x * s, n))
          [ 0.0; -1.0; 1.0; -708.4; -750.0; -87.3; -108.0 ]
      everywhere "Softplus" softplusOf [ 0.0; -1.0; 1.0; -36.7; 36.7; -708.4; -87.3 ]
      within (fun x -> x > 0.0) "Log" (fun x -> plain (log (dd x))) logarithms
      within
          (fun x -> x > -1.0)
          "Log1p"
          (fun x -> plain (if x > 1e30 then log (dd x) else log1p (dd x)))
          ([ 0.0; -0.999; -0.2929; 0.41421356; 1e15; 9e15; 1e16 ] @ logarithms)
      everywhere "Asinh" (odd asinh) [ 0.0; 0.35; 1.0; 1e5; 1e9; 2.0 ]
      within (fun x -> x >= 1.0) "Acosh" (fun x -> plain (acosh (dd x))) [ 1.0; 1.06; 1.25; 2.0; 1e5; 1e9 ]
      within (fun x -> abs x < 1.0) "Atanh" (odd atanh) [ 0.0; 0.171573; -0.171573; 0.5; 1.0; 0.3333333 ]
      everywhere "Sin" (fun x -> plain (fst (sinCos x))) quadrants
      everywhere "Cos" (fun x -> plain (snd (sinCos x))) quadrants
      everywhere
          "Tan"
          (fun x ->
              let s, c = sinCos x
              plain (s / c))
          quadrants
      within
          (fun x -> abs x <= 1.0)
          "Asin"
          (fun x -> plain (asin (dd x)))
          [ 0.0; 0.5; -0.5; 1.0; -1.0; 0.7071 ]
      within
          (fun x -> abs x <= 1.0)
          "Acos"
          (fun x -> plain (acos (dd x)))
          [ 0.0; 0.5; -0.5; 1.0; -1.0; 0.7071 ]
      everywhere "Atan" (fun x -> plain (atan2 (dd x) one)) [ 0.0; 0.41421356; 2.41421356; 1.0; -1.0 ]
      everywhere "Erf" erfOf [ 0.0; 1.0; -1.0; 2.5; 3.9; 5.9 ]
      everywhere "Gelu" geluOf [ 0.0; -0.5; -1.0; 1.0; -5.64; 5.64; -8.3; -38.0; -38.5; -14.0 ] ]

/// A function by its name over arrays of operands, by registers of one kind.
type Registers<'T> = { Kind: string; Apply: string -> 'T[] list -> 'T[] }

let powOf (x: float) (y: float) : Scaled =
    let product = dd y * log (dd (abs x))
    let struct (value, n) = expScaled product
    struct ((if Math.Pow(x, y) < 0.0 then -value else value), n)

let atan2Of (y: float) (x: float) : Scaled =
    // Far from overflow and subnormal numbers; a small angle is the ratio.
    if x > 0.0 && abs y < 1e-100 * x then
        let ratio = dd (Math.ScaleB(y, -(Math.ILogB y))) / dd (Math.ScaleB(x, -(Math.ILogB x)))

        struct (ratio, Math.ILogB y - Math.ILogB x)
    else
        let n = -(Math.ILogB(max (abs x) (abs y)))
        plain (atan2 (dd (Math.ScaleB(y, n))) (dd (Math.ScaleB(x, n))))
