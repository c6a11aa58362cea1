/// Gaussian elimination as straight-line code: the factors of γ - hJ, and of α - iβ - hJ, which coupled stages are solved with, and the solution of
/// both systems.
///
///     m11 = Fnma(m10, m01, m11);
///     c11 = Fma(c10Im, c01Im, Fnma(c10, c01, c11));
///
/// What of the complex matrix has no imaginary part, or is what the real one has there, is known when it is written.
module internal DiffEqLang.Compiler.Backends.Simd.Elimination

open System.Collections.Generic
open DiffEqLang.Tableaux
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.Simd.Registers

/// Row and column of every entry of the factors.
let private places (plan: EliminationPlan) =
    let n = plan.Pivots.Length
    let places = Array.zeroCreate plan.Entries

    for entry, source in Array.indexed plan.Sources do
        places[entry] <- source / n, source % n

    for i, entry in Array.indexed plan.DiagonalOf do
        places[entry] <- i, i

    let mutable target = 0

    for lower, upper in Array.zip plan.Lower plan.Upper do
        for struct (row, _) in lower do
            for struct (column, _) in upper do
                places[plan.Targets[target]] <- row, column
                target <- target + 1

    places

/// Where the factors are kept between the methods that make and use them: of each entry, of the real matrix, and of the real and imaginary
/// part of the complex one.
type FactorLayout(plan: EliminationPlan) =
    let below = HashSet(plan.Lower |> Seq.concat |> Seq.map (fun struct (_, entry) -> entry))
    let changed = HashSet(Seq.append plan.Targets plan.Diagonal)
    let slots = Dictionary<int * int, int>()

    do
        for entry in 0 .. plan.Entries - 1 do
            // An entry above the diagonal that nothing is subtracted from is -hJ in both matrices.
            let isShared = not (below.Contains entry || changed.Contains entry)

            for part in 0 .. (if isShared then 0 else 2) do
                slots[(entry, part)] <- slots.Count

    member _.Size = slots.Count

    /// Real matrix, real part, imaginary part; none of what is shared or zero.
    member _.Slot(entry: int, part: int) : int option =
        match slots.TryGetValue((entry, part)) with
        | true, slot -> Some slot
        | _ -> None

/// Straight-line code while it is written: variables are declared where they are first assigned.
type Assignments(arithmetic: Arithmetic, fresh: string -> string) =
    let statements = ResizeArray<CSharp.Statement>()
    let names = Dictionary<string, string>()

    member _.Statements = List.ofSeq statements
    member _.Add(statement: CSharp.Statement) = statements.Add statement

    /// A variable by the name that it asks for, which it gets if that is free.
    member _.Assign(wanted: string, value: Value) : Value =
        let value = arithmetic.Spread value

        match names.TryGetValue wanted with
        | true, name -> statements.Add(statement (CSharp.Assign(Name name, value)))
        | _ ->
            names[wanted] <- fresh wanted
            statements.Add(statement (Local(names[wanted], value)))

        Register(Name names[wanted])

/// A complex number; an imaginary part that is a number is zero.
type private Complex = { Re: Value; Im: Value }

/// a - b c
let private subtracted (arithmetic: Arithmetic) a b c = arithmetic.Subtract(a, arithmetic.Multiply(b, c))

let private product (arithmetic: Arithmetic) (a: Complex) (b: Complex) =
    { Re = subtracted arithmetic (arithmetic.Multiply(a.Re, b.Re)) a.Im b.Im
      Im = arithmetic.MultiplyAdd(a.Im, b.Re, arithmetic.Multiply(a.Re, b.Im)) }

let private subtractedComplex (arithmetic: Arithmetic) (a: Complex) (b: Complex) (c: Complex) =
    { Re = arithmetic.MultiplyAdd(b.Im, c.Im, subtracted arithmetic a.Re b.Re c.Re)
      Im = subtracted arithmetic (subtracted arithmetic a.Im b.Re c.Im) b.Im c.Re }

/// The number that a product takes the place of, whose real part both parts of the product need.
let private kept (code: Assignments) wanted (number: Complex) =
    match number.Im with
    | Value.Number _ -> number
    | _ -> { number with Re = code.Assign(wanted, number.Re) }

/// `m01`; of more than ten rows `m0_1`.
let private named (plan: EliminationPlan) prefix (row: int, column: int) suffix =
    let separator = if plan.Pivots.Length > 10 then "_" else ""
    sprintf "%s%d%s%d%s" prefix row separator column suffix

/// Writes the factors of both matrices to `factors`, from hJ negated: the value of each entry of the plan's pattern.
let factorize
    (plan: EliminationPlan)
    (spectrum: StageSpectrum)
    (arithmetic: Arithmetic)
    (code: Assignments)
    (negated: Value list)
    (factors: int -> CSharp.Expr)
    =
    let layout, places = FactorLayout plan, places plan
    let zero = Value.Number 0.0
    let single = Array.create plan.Entries zero
    let pair = Array.create plan.Entries { Re = zero; Im = zero }

    let assign prefix entry suffix value = code.Assign(named plan prefix places[entry] suffix, value)

    let assignPair entry (value: Complex) =
        pair[entry] <- { Re = assign "c" entry "" value.Re; Im = assign "c" entry "Im" value.Im }

    for entry, value in List.indexed negated do
        let value = assign "m" entry "" value
        single[entry] <- value
        pair[entry] <- { Re = value; Im = zero }

    for entry in plan.DiagonalOf do
        assignPair
            entry
            { Re = arithmetic.Add(Value.Number spectrum.Alpha, single[entry])
              Im = Value.Number -spectrum.Beta }

        single[entry] <- assign "m" entry "" (arithmetic.Add(Value.Number spectrum.Real, single[entry]))

    let mutable target = 0

    for step, entry in Array.indexed plan.Diagonal do
        let { Re = a; Im = b } = pair[entry]
        let number = plan.Pivots[step]

        let scale =
            arithmetic.MultiplyAdd(a, a, arithmetic.Multiply(b, b))
            |> fun square ->
                code.Assign(sprintf "scale%d" number, arithmetic.Divide(Value.Number 1.0, square))

        single[entry] <- assign "m" entry "" (arithmetic.Divide(Value.Number 1.0, single[entry]))

        assignPair
            entry
            { Re = arithmetic.Multiply(a, scale)
              Im = arithmetic.Negate(arithmetic.Multiply(b, scale)) }

        for struct (_, below) in plan.Lower[step] do
            assignPair below (product arithmetic (kept code "before" pair[below]) pair[entry])
            single[below] <- assign "m" below "" (arithmetic.Multiply(single[below], single[entry]))

            for struct (_, right) in plan.Upper[step] do
                let into = plan.Targets[target]
                target <- target + 1
                assignPair into (subtractedComplex arithmetic pair[into] pair[below] pair[right])

                single[into] <-
                    assign "m" into "" (subtracted arithmetic single[into] single[below] single[right])

    for entry in 0 .. plan.Entries - 1 do
        for part, value in List.indexed [ single[entry]; pair[entry].Re; pair[entry].Im ] do
            match layout.Slot(entry, part) with
            | Some slot -> code.Add(statement (CSharp.Assign(factors slot, arithmetic.Spread value)))
            | None -> ()

// Right-hand sides are arrays of values, whose solutions take their place.

let private forward (plan: EliminationPlan) eachBelow =
    for step, pivot in Array.indexed plan.Pivots do
        for struct (row, entry) in plan.Lower[step] do
            eachBelow pivot row entry

let private backward (plan: EliminationPlan) eachRight scaled =
    for step, pivot in Array.rev (Array.indexed plan.Pivots) do
        for struct (column, entry) in plan.Upper[step] do
            eachRight pivot column entry

        scaled pivot plan.Diagonal[step]

let private factorsAt (layout: FactorLayout) (factors: int -> CSharp.Expr) entry =
    let at part = layout.Slot(entry, part) |> Option.map (fun slot -> Register(factors slot))
    let single = (at 0).Value

    single,
    { Re = Option.defaultValue single (at 1)
      Im = Option.defaultValue (Value.Number 0.0) (at 2) }

/// Solves the real system; `names` are the variables of its unknowns.
let solveSingle
    (plan: EliminationPlan)
    (arithmetic: Arithmetic)
    (code: Assignments)
    (names: string list)
    (right: Value[])
    (factors: int -> CSharp.Expr)
    =
    let layout = FactorLayout plan
    let factor entry = fst (factorsAt layout factors entry)
    let assign row value = right[row] <- code.Assign(names[row], value)

    forward plan (fun pivot row entry ->
        assign row (subtracted arithmetic right[row] (factor entry) right[pivot]))

    backward
        plan
        (fun pivot column entry ->
            assign pivot (subtracted arithmetic right[pivot] (factor entry) right[column]))
        (fun pivot entry -> assign pivot (arithmetic.Multiply(right[pivot], factor entry)))

/// Solves the complex system; `names` are the variables of the real and imaginary parts of its unknowns.
let solvePair
    (plan: EliminationPlan)
    (arithmetic: Arithmetic)
    (code: Assignments)
    (names: (string * string) list)
    (re: Value[])
    (im: Value[])
    (factors: int -> CSharp.Expr)
    =
    let layout = FactorLayout plan
    let factor entry = snd (factorsAt layout factors entry)
    let at row = { Re = re[row]; Im = im[row] }

    let assign row (value: Complex) =
        re[row] <- code.Assign(fst names[row], value.Re)
        im[row] <- code.Assign(snd names[row], value.Im)

    forward plan (fun pivot row entry ->
        assign row (subtractedComplex arithmetic (at row) (factor entry) (at pivot)))

    backward
        plan
        (fun pivot column entry ->
            assign pivot (subtractedComplex arithmetic (at pivot) (factor entry) (at column)))
        (fun pivot entry -> assign pivot (product arithmetic (kept code "before" (at pivot)) (factor entry)))
