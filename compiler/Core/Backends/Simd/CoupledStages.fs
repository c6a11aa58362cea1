/// The coupled stages of a step of Radau IIA as straight-line code: what begins Newton's iteration, an iteration, and what ends it; the spectrum's
/// numbers folded, the systems eliminated in an order found here. Between them the runtime judges what has converged.
///
/// Registers of samples are the loop around it, so that the processor works on one while it waits for another.
module internal DiffEqLang.Compiler.Backends.Simd.CoupledStages

open System
open DiffEqLang.Tableaux
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp
open DiffEqLang.Compiler.Backends.Simd.Registers
open DiffEqLang.Compiler.Backends.Simd.Kernel
open DiffEqLang.Compiler.Backends.Simd.KernelWriter
open DiffEqLang.Compiler.Backends.Simd.StepBody
open DiffEqLang.Compiler.Backends.Simd.Elimination

let private stages = 3

/// What the three methods have in common.
type private Stages =
    { Kernel: Kernel
      Precision: Precision
      Tableau: RungeKuttaTableau
      Spectrum: StageSpectrum
      Error: ErrorEstimate
      Partials: Derivatives.Entry list
      Plan: EliminationPlan }

    member this.Size = total this.Kernel.States

    // The room of a register: z, z of the last step, w = T⁻¹ z, scales, factors.
    member this.Increments = 0, stages * this.Size
    member this.LastIncrements = stages * this.Size, stages * this.Size
    member this.Transformed = 2 * stages * this.Size, stages * this.Size
    member this.Scales = 3 * stages * this.Size, this.Size
    member this.Factors = (3 * stages + 1) * this.Size, FactorLayout(this.Plan).Size
    member this.RoomSize = fst this.Factors + snd this.Factors

/// A method over registers of samples, while it is written.
type private StagesWriter(coupled: Stages) =
    let body = StepBody(coupled.Kernel, coupled.Precision)
    let code = Assignments(body.Arithmetic, body.Fresh)
    let i = body.Fresh "i"

    let sliced array (start: CSharp.Expr) size =
        invokeMethod (Name array) "Slice" [ start; Literals.integer size ]

    let take wanted value =
        let name = body.Fresh wanted
        code.Add(local name value)
        name

    member _.Body = body
    member _.Arithmetic = body.Arithmetic
    member _.Code = code

    /// The number of an array that is a register's.
    member _.Own array = Element(Name array, [ Name i ])

    /// The part of an array that is a register's, of so many numbers.
    member _.Part(wanted, array, size) =
        take
            wanted
            (sliced array (if size = 1 then Name i else Infix(Literals.integer size, "*", Name i)) size)

    /// A part of a register's room.
    member _.InRoom(wanted, own: string, (start, size)) : string =
        take wanted (sliced own (Literals.integer start) size)

    /// Reads numbers of an array into variables.
    member this.Read(names: string list, wanted, array) =
        if not names.IsEmpty then
            let own = this.Part(wanted, array, names.Length)
            body.Read(names, at own) |> List.iter code.Add

    /// The method.
    member _.Method(name, parameters, count, about) =
        overriding "void" name parameters [ statement (For(i, count, code.Statements)) ] (summary about)
        |> optimized

let private register name = Register(Name name)

/// Σ weights · values
let private weighted (arithmetic: Arithmetic) (weights: float seq) (values: Value seq) =
    Seq.zip weights values
    |> Seq.fold
        (fun sum (weight, value) -> arithmetic.MultiplyAdd(Value.Number weight, value, sum))
        (Value.Number 0.0)

let private summed (arithmetic: Arithmetic) terms =
    terms |> Seq.fold (fun sum (a, b) -> arithmetic.MultiplyAdd(a, b, sum)) (Value.Number 0.0)

let private partialNames (coupled: Stages) fresh =
    let states = Slope.elements id coupled.Kernel.States "" ""

    [ for entry in coupled.Partials -> [ fresh (sprintf "d%s_d%s" states[entry.Row] states[entry.Column]) ] ]

/// The partial derivatives of the slopes, from variables to variables.
let private partials (coupled: Stages) =
    Slope.fromVariables
        coupled.Kernel
        coupled.Precision
        1
        "Partials"
        "The partial derivatives of the slopes that are not zero."
        (partialNames coupled)
        [ for entry in coupled.Partials -> entry.Value, None ]

/// Of component c the three increments in a part of the room.
let private increments (coupled: Stages) part c =
    [ for stage in 0 .. stages - 1 -> Register(at part (stage * coupled.Size + c)) ]

let private store (writer: StagesWriter) target (value: Value) =
    writer.Code.Add(statement (Assign(target, writer.Arithmetic.Spread value)))

/// z by the last step's polynomial, and w; zero where there is no last step.
let private continueLast (coupled: Stages) (writer: StagesWriter) own =
    let arithmetic, code = writer.Arithmetic, writer.Code
    let last = writer.InRoom("last", own, coupled.LastIncrements)
    let z = writer.InRoom("z", own, coupled.Increments)
    let w = writer.InRoom("w", own, coupled.Transformed)
    let lastStep = code.Assign("lastStep", Register(writer.Own "lastSteps"))

    let ratio =
        let isFirst = arithmetic.Compare(Expr.Equal, lastStep, Value.Number 0.0)

        code.Assign(
            "ratio",
            arithmetic.Select(isFirst, Value.Number 0.0, arithmetic.Divide(register "h", lastStep))
        )

    let weights =
        [ for i in 0 .. stages - 1 ->
              [ for j in 0 .. stages - 1 ->
                    coupled.Spectrum.Continued
                    |> Seq.rev
                    |> Seq.fold
                        (fun sum power -> arithmetic.MultiplyAdd(sum, ratio, Value.Number(power[i].[j])))
                        (Value.Number 0.0)
                    |> fun inner -> code.Assign(sprintf "weight%d%d" i j, arithmetic.Multiply(inner, ratio)) ] ]

    for c in 0 .. coupled.Size - 1 do
        let before = increments coupled last c

        let z' =
            [ for i in 0 .. stages - 1 ->
                  code.Assign(sprintf "z%d" i, summed arithmetic (Seq.zip weights[i] before)) ]

        for i in 0 .. stages - 1 do
            store writer (at z (i * coupled.Size + c)) z'[i]
            store writer (at w (i * coupled.Size + c)) (weighted arithmetic coupled.Spectrum.Inverse[i] z')

let private beginStages (coupled: Stages) : CSharp.Member =
    let writer = StagesWriter coupled
    let arithmetic, code, body = writer.Arithmetic, writer.Code, writer.Body

    if Slope.isTimed coupled.Kernel then
        code.Add(local "t" (writer.Own "times"))

    code.Add(local "h" (writer.Own "steps"))
    writer.Read(body.States, "before", "state")
    writer.Read(body.Small, "given", "parameters")
    let own = writer.Part("own", "room", coupled.RoomSize)
    let names = List.concat (partialNames coupled body.Fresh)

    let arguments =
        [ if Slope.isTimed coupled.Kernel then
              Name "t"
          for name in body.States @ body.Small do
              Name name
          for name in names do
              OutVar name ]

    code.Add(statement (Do(invoke "Partials" arguments)))
    let factors = writer.InRoom("factors", own, coupled.Factors)
    let minusH = code.Assign("minusH", arithmetic.Negate(register "h"))
    let negated = [ for name in names -> arithmetic.Multiply(minusH, register name) ]
    factorize coupled.Plan coupled.Spectrum arithmetic code negated (at factors)
    let scales = writer.InRoom("scales", own, coupled.Scales)

    for c, name in List.indexed body.States do
        let size = Register(operation "Abs" [ Name name ])
        let tolerance = arithmetic.MultiplyAdd(register "rtol", size, register "atol")
        store writer (at scales c) (arithmetic.Divide(Value.Number 1.0, tolerance))

    continueLast coupled writer own

    writer.Method(
        "BeginStages",
        [ parameter readOnly "times"
          parameter readOnly "steps"
          parameter readOnly "lastSteps"
          parameter readOnly "state"
          parameter readOnly "parameters"
          parameter "Lanes" "rtol"
          parameter "Lanes" "atol"
          parameter writable "room" ],
        Member(Name "steps", "Length"),
        sprintf "Begins attempted steps of %s." coupled.Tableau.Name
    )

/// The slopes at the three stages: of each, its variables.
let private slopes (coupled: Stages) (writer: StagesWriter) z =
    let body = writer.Body

    [ for stage in 0 .. stages - 1 ->
          let moved = body.OfStates("", string (stage + 1))

          for c, name in List.indexed moved do
              let increment = Register(at z (stage * coupled.Size + c))
              let value = writer.Arithmetic.Add(register body.States[c], increment)
              writer.Code.Add(local name (writer.Arithmetic.Spread value))

          let slopes = body.OfStates("d", string (stage + 1))

          writer.Code.Add(
              body.Slopes(coupled.Tableau.C[stage + 1], List.map Name moved, List.map OutVar slopes)
          )

          List.map register slopes ]

/// h T⁻¹ F - diag(γ, B) w in variables `r`, `p` and `q`.
let private residuals (coupled: Stages) (writer: StagesWriter) w (slopes: Value list list) =
    let arithmetic, spectrum = writer.Arithmetic, coupled.Spectrum
    let minus number a from = arithmetic.MultiplyAdd(Value.Number -number, a, from)

    let each =
        [ for c in 0 .. coupled.Size - 1 ->
              let ofStages = slopes |> List.map (List.item c)
              let w' = increments coupled w c

              let driven i =
                  arithmetic.Multiply(register "h", weighted arithmetic spectrum.Inverse[i] ofStages)

              writer.Code.Assign(sprintf "r%d" c, minus spectrum.Real w'[0] (driven 0)),
              writer.Code.Assign(
                  sprintf "p%d" c,
                  minus spectrum.Beta w'[2] (minus spectrum.Alpha w'[1] (driven 1))
              ),
              writer.Code.Assign(
                  sprintf "q%d" c,
                  minus -spectrum.Beta w'[1] (minus spectrum.Alpha w'[2] (driven 2))
              ) ]

    List.unzip3 each

/// Adds the changes of w, and those of z that follow from them, to the lanes that iterate; gives the squared norm of the latter.
let private move (coupled: Stages) (writer: StagesWriter) own z w (changes: Value list list) =
    let arithmetic, code = writer.Arithmetic, writer.Code
    let scales = writer.InRoom("scales", own, coupled.Scales)
    let moves = code.Assign("moves", Register(writer.Own "active"))
    let mutable squares = Value.Number 0.0

    for c in 0 .. coupled.Size - 1 do
        let ofW = changes |> List.map (List.item c)

        let ofZ =
            [ for i in 0 .. stages - 1 ->
                  code.Assign(sprintf "change%d" i, weighted arithmetic coupled.Spectrum.T[i] ofW) ]

        let scale = code.Assign("scale", Register(at scales c))
        let square = summed arithmetic (Seq.zip ofZ ofZ)

        squares <-
            code.Assign("squares", arithmetic.MultiplyAdd(arithmetic.Multiply(scale, scale), square, squares))

        for part, changes in [ z, ofZ; w, ofW ] do
            for i, change in List.indexed changes do
                let place = at part (i * coupled.Size + c)
                store writer place (arithmetic.Add(Register place, arithmetic.Logical("&", change, moves)))

    arithmetic.Multiply(Value.Number(1.0 / float (stages * coupled.Size)), squares)

let private iterateStages (coupled: Stages) : CSharp.Member =
    let writer = StagesWriter coupled
    let code, body = writer.Code, writer.Body

    if Slope.isTimed coupled.Kernel then
        code.Add(local "t" (writer.Own "times"))

    code.Add(local "h" (writer.Own "steps"))
    writer.Read(body.States, "before", "state")
    writer.Read(body.Small, "given", "parameters")
    let own = writer.Part("own", "room", coupled.RoomSize)
    let z = writer.InRoom("z", own, coupled.Increments)
    let w = writer.InRoom("w", own, coupled.Transformed)
    let factors = writer.InRoom("factors", own, coupled.Factors)
    let r, p, q = residuals coupled writer w (slopes coupled writer z)
    let r, p, q = Array.ofList r, Array.ofList p, Array.ofList q
    let names prefix = [ for c in 0 .. coupled.Size - 1 -> sprintf "%s%d" prefix c ]
    solveSingle coupled.Plan writer.Arithmetic code (names "r") r (at factors)
    solvePair coupled.Plan writer.Arithmetic code (List.zip (names "p") (names "q")) p q (at factors)
    let squared = move coupled writer own z w [ List.ofArray r; List.ofArray p; List.ofArray q ]
    store writer (writer.Own "squaredChanges") squared

    writer.Method(
        "IterateStages",
        [ parameter readOnly "times"
          parameter readOnly "steps"
          parameter readOnly "active"
          parameter readOnly "state"
          parameter readOnly "parameters"
          parameter writable "room"
          parameter writable "squaredChanges" ],
        Member(Name "squaredChanges", "Length"),
        sprintf "An iteration of the stages of %s." coupled.Tableau.Name
    )

let private endStages (coupled: Stages) : CSharp.Member =
    let writer = StagesWriter coupled
    let arithmetic, code, body = writer.Arithmetic, writer.Code, writer.Body
    let n, weights = coupled.Size, coupled.Spectrum.OfFilteredError coupled.Error
    code.Add(local "h" (writer.Own "steps"))
    writer.Read(body.States, "before", "state")
    let own = writer.Part("own", "room", coupled.RoomSize)
    let z = writer.InRoom("z", own, coupled.Increments)
    let factors = writer.InRoom("factors", own, coupled.Factors)
    let k = writer.Part("k", "stages", (stages + 1) * n)
    let next = writer.Part("next", "after", n)
    let perStep = code.Assign("perStep", arithmetic.Divide(Value.Number 1.0, register "h"))

    let ofSlope =
        code.Assign("ofSlope", arithmetic.Multiply(Value.Number weights[0], register "h"))

    let moved = body.OfStates("", "1")

    let errors =
        [| for c in 0 .. n - 1 ->
               let z =
                   [ for i, value in List.indexed (increments coupled z c) ->
                         code.Assign(sprintf "z%d" i, value) ]

               for i in 0 .. stages - 1 do
                   let slope = weighted arithmetic coupled.Spectrum.OfSlopes[i] z
                   store writer (at k ((i + 1) * n + c)) (arithmetic.Multiply(perStep, slope))

               let after = arithmetic.Add(register body.States[c], z[stages - 1])
               code.Add(local moved[c] (arithmetic.Spread after))
               store writer (at next c) (register moved[c])
               let ofIncrements = weighted arithmetic (Seq.tail weights) z
               code.Assign(sprintf "e%d" c, arithmetic.MultiplyAdd(ofSlope, Register(at k c), ofIncrements)) |]

    solveSingle coupled.Plan arithmetic code [ for c in 0 .. n - 1 -> sprintf "e%d" c ] errors (at factors)

    let scaled =
        [ for c in 0 .. n - 1 ->
              let tolerance = Register(arithmetic.Spread(body.Tolerance(body.States[c], moved[c])))
              code.Assign(sprintf "e%d" c, arithmetic.Divide(errors[c], tolerance)) ]

    let squares = summed arithmetic (List.zip scaled scaled)
    store writer (writer.Own "squaredErrors") (arithmetic.Multiply(Value.Number(1.0 / float n), squares))

    writer.Method(
        "EndStages",
        [ parameter readOnly "steps"
          parameter readOnly "state"
          parameter "Lanes" "rtol"
          parameter "Lanes" "atol"
          parameter readOnly "room"
          parameter writable "stages"
          parameter writable "after"
          parameter writable "squaredErrors" ],
        Member(Name "squaredErrors", "Length"),
        sprintf "Ends attempted steps of %s, with the squared norms of their errors." coupled.Tableau.Name
    )

let private members (coupled: Stages) : CSharp.Member list =
    [ partials coupled
      beginStages coupled
      iterateStages coupled
      endStages coupled
      { Documentation = inherited
        Attributes = []
        Modifiers = [ "public"; "override" ]
        Kind = Property("int", "StageRoomSize", Literals.integer coupled.RoomSize) } ]

/// The members of a kernel for a method with a spectrum, whose equations are given number by number; none of others.
let tryMembers (kernel: Kernel) precision (tableau: RungeKuttaTableau) : CSharp.Member list =
    let size = total kernel.States

    match
        Option.ofObj tableau.Spectrum,
        Option.ofObj tableau.Error,
        Derivatives.tryEntries kernel.Model.Components
    with
    | Some spectrum, Some error, Some partials ->
        let pattern = [| for entry in partials -> entry.Row * size + entry.Column |]

        members
            { Kernel = kernel
              Precision = precision
              Tableau = tableau
              Spectrum = spectrum
              Error = error
              Partials = partials
              Plan = EliminationPlan(size, ReadOnlySpan pattern) }
    | _ -> []
