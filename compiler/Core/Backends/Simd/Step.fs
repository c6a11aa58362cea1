/// An attempted step of an embedded Runge-Kutta pair as one piece of straight-line code: `Step` of an adaptive method, the
/// tableau's numbers folded.
///
///     sumX = 0.075 * k[0];
///     sumX = Fma(0.225, dx, sumX);
///     x1 = Fma(h, sumX, x);
///     Slope(x1, y1, sigma, out dx, out dy);
///
/// How it is written decides its speed. The slopes of earlier stages are read back from memory, the sums go coefficient by
/// coefficient over the components, and the variables serve all stages: so that what is live at a time fits into the
/// processor's registers. Registers of samples are the loop around it, so that the processor works on one while it waits for
/// another.
module internal DiffEqLang.Compiler.Backends.Simd.Step

open System.Collections.Generic
open DiffEqLang.Tableaux
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp
open DiffEqLang.Compiler.Backends.Simd.Registers
open DiffEqLang.Compiler.Backends.Simd.Elements
open DiffEqLang.Compiler.Backends.Simd.Kernel
open DiffEqLang.Compiler.Backends.Simd.KernelWriter
open DiffEqLang.Compiler.Backends.Simd.StepBody

/// The loop's body, while it is written: variables are declared where they are first assigned.
type private StepWriter(kernel: Kernel, precision: Precision, tableau: RungeKuttaTableau) =
    let body = StepBody(kernel, precision)
    let arithmetic = body.Arithmetic
    let n = total kernel.States
    let k = body.Fresh "k"
    let newest = body.OfStates("d", "")
    let sums = body.OfStates("sum", "")
    let moved = body.OfStates("", "1")
    let declared = HashSet<string>()
    let statements = ResizeArray<CSharp.Statement>()

    let velocityOf = velocityOf kernel
    let register name = Register(Name name)

    /// Whether a stage moves a number of the state: of a method in parts, the positions or the velocities.
    let movesNumber stage c =
        match tableau.Parts[stage] with
        | StatePart.Positions -> velocityOf[c] >= 0
        | StatePart.Momenta -> velocityOf[c] < 0
        | _ -> true

    /// Whether a stage's slope depends on a number of the state.
    let reads stage c = tableau.Parts[stage] = StatePart.Whole || not (movesNumber stage c)

    let assign name (value: Value) =
        let value = arithmetic.Spread value

        statements.Add(
            if declared.Add name then
                local name value
            else
                statement (Assign(Name name, value))
        )

    let declare wanted value =
        let name = body.Fresh wanted
        assign name value
        name

    /// The sums of weighted slopes of the stages up to `last`, the newest from its variables, for some numbers of the state.
    let sum (weights: float[]) last isWanted =
        let begun = HashSet<int>()

        for j in 0..last do
            for c, name in List.indexed sums do
                if weights[j] <> 0.0 && movesNumber j c && isWanted c then
                    let slope = if j = last then register newest[c] else Register(at k (j * n + c))
                    let before = if begun.Add c then Value.Number 0.0 else register name
                    assign name (arithmetic.MultiplyAdd(Value.Number weights[j], slope, before))

    /// The slopes at the state of a stage: the velocities there where it moves the positions, and else the right-hand side's, unless
    /// the last stage had them.
    let slopes stage =
        let isEnd = stage = tableau.EndStage

        if tableau.Parts[stage] = StatePart.Positions || isEnd && tableau.SharesLastSlope then
            for c, velocity in Seq.indexed velocityOf do
                if velocity >= 0 then
                    assign newest[c] (register moved[velocity])
        else
            let state =
                [ for c in 0 .. n - 1 -> Name(if reads stage c then moved[c] else body.States[c]) ]

            statements.Add(
                body.Slopes(tableau.C[stage], state, [ for name in newest -> OutTarget(Name name) ])
            )

    member _.Body = body
    member _.Statements = List.ofSeq statements

    /// The register's own numbers: its slopes `k`, step, state and parameters, of the i-th register of those given.
    member _.Begin(i: string, stride: string, endStage: int) =
        let part (array: string) (start: CSharp.Expr) size =
            invokeMethod (Name array) "Slice" [ start; Literals.integer size ]

        let block size = if size = 1 then Name i else Infix(Literals.integer size, "*", Name i)

        let read wanted array (names: string list) =
            if not names.IsEmpty then
                let own = body.Fresh wanted
                statements.Add(local own (part array (block names.Length) names.Length))
                statements.AddRange(body.Read(names, at own))

        statements.Add(local k (part "stages" (Infix(Name stride, "*", Name i)) (n * (endStage + 1))))

        if Slope.isTimed kernel then
            statements.Add(local "t" (Element(Name "times", [ Name i ])))

        statements.Add(local "h" (Element(Name "steps", [ Name i ])))
        read "before" "state" body.States
        read "given" "parameters" body.Small
        statements.AddRange(body.Read(newest, at k))
        declared.UnionWith newest

    /// The state at a stage, and the slope there.
    member _.Stage(stage: int) =
        sum tableau.A[stage] (stage - 1) (reads stage)

        for c, name in List.indexed moved do
            if reads stage c then
                assign name (arithmetic.MultiplyAdd(register "h", register sums[c], register body.States[c]))

        slopes stage

        for c, name in List.indexed newest do
            if movesNumber stage c then
                statements.Add(statement (Assign(at k (stage * n + c), Name name)))

    /// The state after the step.
    member _.Result(i: string) =
        let next = body.Fresh "next"
        let start = if n = 1 then Name i else Infix(Literals.integer n, "*", Name i)
        statements.Add(local next (invokeMethod (Name "after") "Slice" [ start; Literals.integer n ]))

        for c, name in List.indexed moved do
            statements.Add(statement (Assign(at next c, Name name)))

    /// atol + rtol max(|y|, |y₁|), by component.
    member _.Tolerances() =
        [ for c in 0 .. n - 1 -> declare ("tolerance" + string c) (body.Tolerance(body.States[c], moved[c])) ]

    /// The squared norm of one estimate of the error.
    member _.SquaredNorm(weights: float[], endStage: int, tolerances: string list) =
        sum weights endStage (fun _ -> true)

        let errors =
            [ for c, tolerance in List.indexed tolerances do
                  let scaled = arithmetic.Multiply(register "h", register sums[c])
                  declare ("error" + string c) (arithmetic.Divide(scaled, register tolerance)) ]

        let squares =
            errors
            |> List.fold (fun sum e -> arithmetic.MultiplyAdd(register e, register e, sum)) (Value.Number 0.0)

        arithmetic.Multiply(Value.Number(1.0 / float n), squares)

    /// ‖e₀‖⁴ / (‖e₀‖² + 0.01 ‖e₁‖²), and 0 where both vanish.
    member _.Combined(first: Value, second: Value) =
        let first = register (declare "first" first)
        let second = register (declare "second" second)
        let sum = arithmetic.MultiplyAdd(Value.Number 0.01, second, first)

        let quotient =
            arithmetic.Divide(arithmetic.Multiply(first, first), Register(arithmetic.Spread sum))

        arithmetic.Select(arithmetic.Compare(Equal, first, Value.Number 0.0), first, quotient)

    member _.Add(statement: CSharp.Statement) = statements.Add statement

let private parameters =
    [ parameter readOnly "times"
      parameter readOnly "steps"
      parameter readOnly "state"
      parameter readOnly "parameters"
      parameter "Lanes" "rtol"
      parameter "Lanes" "atol"
      parameter writable "stages"
      parameter writable "after"
      parameter writable "squaredErrors" ]

/// `Step`.
let step (kernel: Kernel) precision (tableau: RungeKuttaTableau) (error: ErrorEstimate) : CSharp.Member =
    let writer = StepWriter(kernel, precision, tableau)
    let i, stride = writer.Body.Fresh "i", writer.Body.Fresh "stride"
    writer.Begin(i, stride, tableau.EndStage)

    for stage in 1 .. tableau.EndStage do
        writer.Stage stage

    writer.Result i
    let tolerances = writer.Tolerances()

    let norms =
        [ for weights in error.Estimates -> writer.SquaredNorm(weights, tableau.EndStage, tolerances) ]

    let squared =
        match norms with
        | [ first; second ] -> writer.Combined(first, second)
        | _ -> norms.Head

    let squared = writer.Body.Arithmetic.Spread squared
    writer.Add(statement (Assign(Element(Name "squaredErrors", [ Name i ]), squared)))
    let count = Member(Name "squaredErrors", "Length")

    overriding
        "void"
        "Step"
        parameters
        [ local stride (Infix(Member(Name "stages", "Length"), "/", count))
          statement (For(i, count, writer.Statements)) ]
        (summary (sprintf "Attempted steps of %s and the squared norms of their errors." tableau.Name))
    |> optimized
