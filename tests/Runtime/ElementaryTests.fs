/// The elementary functions over SIMD registers: their distance from the true value in units in the last place, and their limits as the
/// interpreter's. float64 is measured against numbers of twice its precision, float32 against float64.
module DiffEqLang.Tests.Runtime.ElementaryTests

open System
open System.Diagnostics
open System.Numerics
open System.Runtime.Intrinsics
open Expecto
open DiffEqLang.Compiler.Builtins
open DiffEqLang.Compiler.Ir
open DiffEqLang.Runtime.Simd
open DiffEqLang.Tests.Support
open DiffEqLang.Tests.Support.DoubleDouble
open DiffEqLang.Tests.Support.ElementaryReferences

let private allowed = 2.0

let private registers<'T, 'V>
    kind
    (count: int)
    (load: 'T[] -> int -> 'V)
    (store: 'V -> 'T[] -> int -> unit)
    : Registers<'T> =
    let apply (name: string) (operands: 'T[] list) =
        let parameters = operands |> List.map (fun _ -> typeof<'V>) |> List.toArray
        let method = typeof<Elementary>.GetMethod(name, parameters)
        let length = operands.Head.Length
        let results = Array.zeroCreate<'T> length

        let value: int -> 'V =
            match operands with
            | [ x ] ->
                let f = method.CreateDelegate<Func<'V, 'V>>()
                fun i -> f.Invoke(load x i)
            | [ x; y ] ->
                let f = method.CreateDelegate<Func<'V, 'V, 'V>>()
                fun i -> f.Invoke(load x i, load y i)
            | _ -> failwith "one operand or two"

        // The last registers overlap.
        for i in [ yield! seq { 0..count .. length - count }; yield length - count ] do
            store (value i) results i

        results

    { Kind = kind; Apply = apply }

let private doubles =
    [ registers "Vector<double>" Vector<double>.Count (fun a i -> Vector<double>(a, i)) (fun v a i ->
          v.CopyTo(a, i))
      registers "Vector512<double>" Vector512<double>.Count (fun a i -> Vector512.Create(a, i)) (fun v a i ->
          v.CopyTo(a, i)) ]

let private singles =
    [ registers "Vector<float>" Vector<float32>.Count (fun a i -> Vector<float32>(a, i)) (fun v a i ->
          v.CopyTo(a, i))
      registers "Vector512<float>" Vector512<float32>.Count (fun a i -> Vector512.Create(a, i)) (fun v a i ->
          v.CopyTo(a, i)) ]

/// How many units in the last place of the reference a value is off; infinity counts as the power of two that it stands for.
let private error bits minimalExponent overflow (value: float) (struct (reference, n): Scaled) =
    if Double.IsNaN value then
        infinity
    else
        let exponent =
            if reference.High = 0.0 then
                minimalExponent
            else
                max minimalExponent (min overflow (Math.ILogB reference.High) + n - bits)

        // In units of the last place, so that nothing overflows or vanishes.
        let inUnits =
            if Double.IsInfinity value then
                Math.ScaleB(float (sign value), overflow - exponent)
            else
                Math.ScaleB(value, -exponent)

        let overflows = Double.IsInfinity reference.High || exponent + bits >= overflow

        if overflows && Double.IsInfinity value && sign value = sign reference.High then
            0.0
        else
            let reference = scale (n - exponent) reference
            abs (inUnits - reference.High - reference.Low)

let private errorOfDouble = error 52 -1074 1024

let private errorOfSingle (value: float32) (reference: float) =
    error 23 -149 128 (float value) (plain (dd reference))

/// Any finite bits, magnitudes around 1, and neighbours of the boundaries, near and far.
let private points (random: Random) (boundaries: float list) (count: int) =
    let signed x = if random.Next 2 = 0 then x else -x

    [| yield! [ Double.Epsilon; Double.MaxValue; -Double.MaxValue; 2.2250738585072014e-308 ]
       yield! boundaries

       for _ in 1..count do
           BitConverter.Int64BitsToDouble(random.NextInt64(Int64.MinValue, Int64.MaxValue))
           signed (Math.ScaleB(random.NextDouble(), -1022))
           signed (Math.Pow(2.0, random.NextDouble() * 21.0 - 10.0))
           signed (Math.Pow(2.0, random.NextDouble() * 4.0 - 3.0))

       for boundary in boundaries do
           for _ in 1 .. count / 4 do
               let width = Math.Pow(2.0, -54.0 * random.NextDouble())
               boundary + signed width * random.NextDouble() * max 1e-3 (abs boundary) |]
    |> Array.filter Double.IsFinite

/// float32 has few enough numbers that every exponent is met.
let private singlePoints (random: Random) boundaries =
    [| yield! points random boundaries 4000 |> Array.map float32
       for exponent in 0..254 do
           for _ in 1..400 do
               let bits = exponent <<< 23 ||| random.Next(1 <<< 23) ||| (random.Next 2 <<< 31)
               BitConverter.Int32BitsToSingle bits |]
    |> Array.filter Single.IsFinite

/// The worst error of all registers is printed, and held.
let private holds name (errors: (string * float[]) list) (where: int -> string) =
    for kind, errors in errors do
        let worst = Seq.indexed errors |> Seq.maxBy snd
        printfn "%-9s %-18s %5.2f ulp at %s" name kind (snd worst) (where (fst worst))
        Expect.isLessThanOrEqual (snd worst) allowed (sprintf "%s %s at %s" name kind (where (fst worst)))

let private doubleAccuracy (f: Function) =
    test f.Name {
        let xs = points (Random 3) f.Boundaries 800 |> Array.filter f.Domain
        let references = xs |> Array.map f.Reference

        holds
            f.Name
            [ for r in doubles -> r.Kind, Array.map2 errorOfDouble (r.Apply f.Name [ xs ]) references ]
            (fun i -> sprintf "%.17g" xs[i])
    }

/// Against float64's values of the same functions.
let private singleAccuracy (f: Function) =
    test f.Name {
        let xs = singlePoints (Random 4) f.Boundaries |> Array.filter (fun x -> f.Domain(float x))

        let references = doubles.Head.Apply f.Name [ xs |> Array.map float ]

        holds
            f.Name
            [ for r in singles -> r.Kind, Array.map2 errorOfSingle (r.Apply f.Name [ xs ]) references ]
            (fun i -> sprintf "%.9g" xs[i])
    }

/// Bases and exponents whose power is neither 0 nor infinite, mostly: of any size, near 1, moderate, and integers.
let private powers (random: Random) count =
    let exponentFor x = (random.NextDouble() * 2.1 - 1.05) * 709.0 / Math.Log x

    [| for _ in 1..count do
           let any = BitConverter.Int64BitsToDouble(random.NextInt64(1L, 0x7fefffffffffffffL))
           any, exponentFor any
           let near = 1.0 + (random.NextDouble() - 0.5) * Math.Pow(2.0, -52.0 * random.NextDouble())
           near, exponentFor near
           random.NextDouble() * 4.0, random.NextDouble() * 20.0 - 10.0
           float (random.Next 20 - 10), float (random.Next 20 - 10) |]
    |> Array.filter (fun (x, y) -> x <> 0.0 && Double.IsFinite y)

/// Points of the plane: of any size, around the origin, far from one axis, near the boundaries of the algorithm.
let private planePoints (random: Random) count =
    let any () = BitConverter.Int64BitsToDouble(random.NextInt64(Int64.MinValue, Int64.MaxValue))

    [| for _ in 1..count do
           any (), any ()
           let x = random.NextDouble() * 4.0 - 2.0
           random.NextDouble() * 4.0 - 2.0, x
           x * Math.Pow(2.0, random.NextDouble() * 60.0 - 30.0), x
           (Math.Sqrt 2.0 - 1.0) * x * (1.0 + (random.NextDouble() - 0.5) * 1e-9), x
           (Math.Sqrt 2.0 + 1.0) * x * (1.0 + (random.NextDouble() - 0.5) * 1e-9), x |]
    |> Array.filter (fun (y, x) -> Double.IsFinite x && Double.IsFinite y && x <> 0.0 && y <> 0.0)

let private isNormal (x: float32) = Single.IsFinite x && x <> 0.0f

let private pairAccuracy
    name
    (reference: float -> float -> Scaled)
    (pairs: Random -> int -> (float * float)[])
    =
    [ test (name + " of float64") {
          let a, b = pairs (Random 5) 1000 |> Array.unzip
          let references = Array.map2 reference a b

          holds
              name
              [ for r in doubles -> r.Kind, Array.map2 errorOfDouble (r.Apply name [ a; b ]) references ]
              (fun i -> sprintf "%.17g, %.17g" a[i] b[i])
      }
      test (name + " of float32") {
          let a, b =
              pairs (Random 6) 30000
              |> Array.map (fun (a, b) -> float32 a, float32 b)
              |> Array.filter (fun (a, b) -> isNormal a && isNormal b)
              |> Array.unzip

          let references = doubles.Head.Apply name [ Array.map float a; Array.map float b ]

          holds
              name
              [ for r in singles -> r.Kind, Array.map2 errorOfSingle (r.Apply name [ a; b ]) references ]
              (fun i -> sprintf "%.9g, %.9g" a[i] b[i])
      } ]

let private special =
    [| 0.0
       -0.0
       1.0
       -1.0
       2.0
       -2.0
       0.5
       -0.5
       3.0
       -3.0
       infinity
       -infinity
       nan
       0.25
       4.0
       -0.25 |]

/// Equal but for rounding to float32, NaN to NaN, and zeros by their sign.
let private same (a: float) (b: float) =
    if Double.IsNaN a || Double.IsNaN b then
        Double.IsNaN a && Double.IsNaN b
    else
        (a = b || abs (a - b) <= 1e-6 * abs b)
        && (a <> 0.0 || Double.IsNegative a = Double.IsNegative b)

/// leaky_relu for LeakyRelu.
let private nameInLanguage (name: string) =
    (name
     |> String.collect (fun c -> if Char.IsUpper c then sprintf "_%c" (Char.ToLower c) else string c))
        .TrimStart
        '_'

/// What the interpreter gives.
let private interpreted name (operands: float list) =
    match (Catalogue.find (nameInLanguage name)).Definition with
    | Builtin.Primitive primitive -> (primitive.Value [] (operands |> List.map Tensor.scalar)).Data[0]
    | Builtin.Expansion _ -> Math.Pow(operands[0], operands[1])

let private agreesAt name (operands: float[] list) =
    let at i = [ for o in operands -> o[i] ]
    let expected = Array.init operands.Head.Length (at >> interpreted name)

    let check kind (results: float[]) =
        results
        |> Array.iteri (fun i result ->
            let where = sprintf "%s %s of %A is %g, not %g" name kind (at i) result expected[i]
            Expect.isTrue (same result expected[i]) where)

    for r in doubles do
        check r.Kind (r.Apply name operands)

    for r in singles do
        check r.Kind (r.Apply name (operands |> List.map (Array.map float32)) |> Array.map float)

let private limits =
    let pairs = Array.allPairs special special |> Array.unzip |> fun (a, b) -> [ a; b ]

    [ for name in [ for f in functions -> f.Name ] @ [ "Sqrt"; "Sign"; "Relu"; "LeakyRelu"; "Elu" ] do
          test name { agreesAt name [ special ] }
      for name in [ "Pow"; "Atan2"; "Maximum"; "Minimum" ] do
          test name { agreesAt name pairs } ]

/// What the functions are measured against, against values of 30 digits and more.
let private references =
    let d = parse
    let erfc x = erfcScaled (dd x) |> fun (struct (value, n)) -> scale n value

    [ "exp(1)", exp one, "2.7182818284590452353602874713527"
      "exp(-2.5)", exp (dd -2.5), "0.08208499862389879516952867446716"
      "expm1(1/8)", expm1 (dd 0.125), "0.13314845306682631682900722781179"
      "log(2)", log two, "0.69314718055994530941723212145818"
      "log(10)", log (dd 10.0), "2.3025850929940456840179914546844"
      "log1p(1/16)", log1p (dd 0.0625), "0.06062462181643484258060613204042"
      "sin(1)", fst (sinCos 1.0), "0.8414709848078965066525023216303"
      "cos(1)", snd (sinCos 1.0), "0.54030230586813971740093660744298"
      "sin(3)", fst (sinCos 3.0), "0.14112000805986722210074480280811"
      "sin(1e22)", fst (sinCos 1e22), "-0.85220084976718880177270589375303"
      "cos(1e22)", snd (sinCos 1e22), "0.52321478539513894549759447338471"
      "atan2(1, 2)", atan2 one two, "0.46364760900080611621425623146121"
      "atan2(1, -3)", atan2 one (dd -3.0), "2.8198420991931510450612387689208"
      "asin(3/4)", asin (dd 0.75), "0.84806207898148100805294433899842"
      "acos(7/8)", acos (dd 0.875), "0.50536051028415730697131487398742"
      "acos(-1/4)", acos (dd -0.25), "1.8234765819369752727169791286335"
      "asinh(3)", asinh (dd 3.0), "1.8184464592320668234836989635607"
      "acosh(3/2)", acosh (dd 1.5), "0.96242365011920689499551782684874"
      "atanh(1/4)", atanh (dd 0.25), "0.25541281188299534160275704815183"
      "erf(1/2)", erf (dd 0.5), "0.52049987781304653768274665389196"
      "erf(2)", erf two, "0.99532226501895273416206925636725"
      "erfc(3)", erfc 3.0, "0.00002209049699858544137277612958232"
      "exp(100) erfc(10)", exp (dd 100.0) * erfc 10.0, "0.056140992743822585857517387220468"
      "sqrt(2)", sqrt two, "1.4142135623730950488016887242097"
      "pi", pi, "3.1415926535897932384626433832795" ]
    |> List.map (fun (name, value, digits) ->
        test name {
            let error = (value - d digits) / d digits
            Expect.isLessThan (abs error.High) 1e-27 name
        })

/// What another process, told to do without AVX and so without fused multiply-add and wide registers, is asked to run.
let private values = "Values of elementary functions"

let private withoutAvx =
    test "they hold without AVX and fused multiply-add" {
        let host = Environment.ProcessPath
        let isMuxer = IO.Path.GetFileNameWithoutExtension host = "dotnet"
        let program = Reflection.Assembly.GetExecutingAssembly().Location

        let arguments =
            [ if isMuxer then
                  program ]
            @ [ "--filter-test-list"; values ]

        let start = ProcessStartInfo(host, arguments, RedirectStandardOutput = true)
        start.Environment["DOTNET_EnableAVX"] <- "0"
        use child = Process.Start start
        let output = child.StandardOutput.ReadToEnd()
        child.WaitForExit()
        Expect.equal child.ExitCode 0 output
        Expect.stringContains output " 0 failed" "the other process says what it ran"
    }

let tests =
    testList
        "Elementary"
        [ testList
              values
              [ testList "float64" (functions |> List.map doubleAccuracy)
                testList "float32" (functions |> List.map singleAccuracy)
                testList "pairs" (pairAccuracy "Pow" powOf powers @ pairAccuracy "Atan2" atan2Of planePoints)
                testList "limits" limits ]
          testList "References" references
          withoutAvx ]
