/// A Runge-Kutta method's step as one piece of straight-line code: its stages in registers, the tableau's numbers folded.
///
///     Slope(MultiplyAddEstimate(h, ..., t), x2, y2, z2, sigma, rho, beta, out var k2x, out var k2y, out var k2z);
///
/// For systems so small that this fits: an engine that reads the tableau stage by stage takes four times as long.
module internal DiffEqLang.Compiler.Backends.Simd.Step

open System.Collections.Generic
open DiffEqLang.Tableaux
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp
open DiffEqLang.Compiler.Backends.Simd.Registers
open DiffEqLang.Compiler.Backends.Simd.Elements
open DiffEqLang.Compiler.Backends.Simd.Unrolling
open DiffEqLang.Compiler.Backends.Simd.Kernel

/// States, and operations of the right-hand side, up to which a step is fused. The just-in-time compiler stops inlining in
/// a method of more than 512 variables, and a step has a stage's variables as often as it has stages.
let private mostStates = 6

let private mostOperations = 60

let private cost (e: Expr.Expr) =
    match e.Op with
    | Op.Number _
    | Input _
    | Op.Index _
    | Slice _
    | Permute _
    | Reshape _
    | Broadcast _
    | Op.Diagonal
    | Stack
    | Concat -> 0
    // Functions that are inlined have some thirty operations.
    | Op.Call(name, _) when isCheap name -> 2
    | Op.Call _ -> 30
    | Contract _
    | Reduce _ -> e.Args |> List.map (fun a -> sizesOf a |> List.fold (*) 1) |> List.max
    | _ -> sizesOf e |> List.fold (*) 1

/// Whether a whole step fits into registers.
let isFused (kernel: Kernel) =
    let isShort (e: Expr.Expr) = sizesOf e |> List.forall (fun n -> n <= longestUnrolled)
    let nodes = topological kernel.Drift

    kernel.Weights.IsEmpty
    && not (List.exists Written.isOfMatrices nodes)
    && total kernel.States <= mostStates
    && List.forall isShort nodes
    && List.sumBy cost nodes <= mostOperations

/// Whether the right-hand side depends on time.
let private isTimed (kernel: Kernel) = kernel.Drift |> List.exists _.DependsOn.HasFlag(Dependence.Time)

/// The elements of a packed vector, by name.
let private elements (fresh: string -> string) (parts: Part list) prefix suffix =
    [ for part in parts do
          for n in 0 .. part.Size - 1 do
              let identifier = Names.identifier part.Symbol.Name
              // `dx`, but `sumX`.
              let stem = if String.length prefix > 1 then Naming.capitalized identifier else identifier

              let own =
                  if part.Size = 1 && part.Symbol.Shape.IsEmpty then stem
                  elif System.Char.IsDigit stem[stem.Length - 1] then sprintf "%s_%d" stem n
                  else sprintf "%s%d" stem n

              fresh (prefix + own + suffix) ]

let private local name value = statement (Local(name, value))
let private at array n = Element(Name array, [ Literals.integer n ])

/// A method's body, while it is written.
type private Body(kernel: Kernel, precision: Precision) =
    let arithmetic = Arithmetic precision
    let unique = Naming.Unique(Seq.append reserved Names.usedInBodies)
    let fresh wanted = Names.escaped (unique.Fresh wanted)
    let states = elements fresh kernel.States "" ""
    let small = elements fresh kernel.Small "" ""

    member _.Arithmetic = arithmetic
    member _.Fresh(wanted: string) = fresh wanted
    member _.States = states
    member _.Small = small

    /// `var x = array[first + i]` for names.
    member _.Read(names: string list, place: int -> CSharp.Expr) =
        names |> List.mapi (fun i name -> local name (place i))

    /// The slopes at given states, as new variables.
    member _.Slopes(time: CSharp.Expr, at: CSharp.Expr list, stage: int) : string list * CSharp.Statement =
        let names = elements fresh kernel.States "k" (sprintf "_%d" stage)

        let arguments =
            (if isTimed kernel then [ time ] else [])
            @ at
            @ [ for p in small -> Name p ]
            @ [ for name in names -> OutVar name ]

        names, statement (Do(invoke "Slope" arguments))

let private timeAt (arithmetic: Arithmetic) (c: float) =
    match c with
    | 0.0 -> Name "t"
    | c -> arithmetic.Spread(arithmetic.MultiplyAdd(Value.Number c, Register(Name "h"), Register(Name "t")))

/// The right-hand side of one lane group, from variables to variables; a step inlines it once a stage.
let slope (kernel: Kernel) precision stages : CSharp.Member =
    let writer = newWriter precision stages
    let symbols = kernel.States @ kernel.Small
    let names = elements writer.Body.Fresh symbols "" ""
    let mutable rest = names

    for part in symbols do
        let own, others = List.splitAt part.Size rest
        rest <- others
        writer.Define(Build.input part.Symbol, Variables [| for name in own -> Register(Name name) |])

    let results = elements writer.Body.Fresh kernel.States "d" ""
    Storing.prepare writer (Dictionary()) kernel.Drift
    let mutable outputs = results

    for value, c, part in List.zip3 kernel.Drift kernel.Model.Components kernel.States do
        let own, others = List.splitAt part.Size outputs
        outputs <- others
        Results.assign writer own (equationSource kernel c.Span) value

    { Documentation = summary "The slopes at one state."
      Attributes = [ "MethodImpl(MethodImplOptions.AggressiveInlining)" ]
      Modifiers = [ "private"; "static" ]
      Kind =
        Method(
            "void",
            "Slope",
            [ for name in (if isTimed kernel then "t" :: names else names) -> parameter "Lanes" name ]
            @ [ for name in results -> parameter "out Lanes" name ],
            Block writer.Body.Statements
        ) }

/// `Drift`, by `Slope`.
let drift (kernel: Kernel) : CSharp.Statement list =
    let arguments =
        (if isTimed kernel then [ Name "t" ] else [])
        @ [ for n in 0 .. total kernel.States - 1 -> at "state" n ]
        @ [ for n in 0 .. total kernel.Small - 1 -> at "parameters" n ]
        @ [ for n in 0 .. total kernel.States - 1 -> OutTarget(at "slope" n) ]

    [ statement (Do(invoke "Slope" arguments)) ]

let private optimized (m: CSharp.Member) =
    { m with
        Attributes = [ "MethodImpl(MethodImplOptions.AggressiveOptimization)" ] }

/// One attempted step with its error: `Step` of an adaptive method.
///
/// How it is written decides its speed. The slopes of earlier stages are read back from memory, the sums go coefficient by
/// coefficient over the components, and the variables serve all stages: so that what is live at a time fits into the
/// processor's registers.
let step (kernel: Kernel) precision (tableau: RungeKuttaTableau) (error: ErrorEstimate) : CSharp.Member =
    let body = Body(kernel, precision)
    let arithmetic = body.Arithmetic
    let n = total kernel.States
    let k = body.Fresh "k"
    let newest = elements body.Fresh kernel.States "d" ""
    let sums = elements body.Fresh kernel.States "sum" ""
    let moved = elements body.Fresh kernel.States "" "1"
    let statements = ResizeArray<CSharp.Statement>()
    let range = Literal(sprintf "..%d" (n * (tableau.EndStage + 1)))
    statements.Add(local k (Element(Name "stages", [ range ])))
    statements.AddRange(body.Read(body.States, at "state"))
    statements.AddRange(body.Read(body.Small, at "parameters"))
    statements.AddRange(body.Read(newest, at k))
    let declared = HashSet<string>()

    let assign name value =
        statements.Add(
            if declared.Add name then
                local name value
            else
                statement (Assign(Name name, value))
        )

    /// The sums of weighted slopes of the stages up to `last`, the newest from its variables.
    let sum (weights: float list) last =
        let mutable isFirst = true

        for j, weight in List.indexed weights do
            if weight <> 0.0 then
                for c, name in List.indexed sums do
                    let slope = Register(if j = last then Name newest[c] else at k (j * n + c))
                    let before = if isFirst then Value.Number 0.0 else Register(Name name)

                    assign
                        name
                        (arithmetic.Spread(arithmetic.MultiplyAdd(Value.Number weight, slope, before)))

                isFirst <- false

    for stage in 1 .. tableau.EndStage do
        sum (List.ofArray tableau.A[stage]) (stage - 1)

        for c, name in List.indexed moved do
            let value =
                arithmetic.MultiplyAdd(
                    Register(Name "h"),
                    Register(Name sums[c]),
                    Register(Name body.States[c])
                )

            assign name (arithmetic.Spread value)

        let arguments =
            (if isTimed kernel then [ timeAt arithmetic tableau.C[stage] ] else [])
            @ List.map Name moved
            @ List.map Name body.Small
            @ [ for name in newest -> OutTarget(Name name) ]

        statements.Add(statement (Do(invoke "Slope" arguments)))

        for c, name in List.indexed newest do
            statements.Add(statement (Assign(at k (stage * n + c), Name name)))

    for c, name in List.indexed moved do
        statements.Add(statement (Assign(at "after" c, Name name)))

    /// The squared norm of one estimate.
    let squaredNorm (weights: float[]) (tolerances: string list) =
        sum (List.ofArray weights) tableau.EndStage

        let weighted =
            [ for c in 0 .. n - 1 do
                  let name = body.Fresh("error" + string c)
                  let scaled = arithmetic.Multiply(Register(Name "h"), Register(Name sums[c]))

                  statements.Add(
                      local name (arithmetic.Spread(arithmetic.Divide(scaled, Register(Name tolerances[c]))))
                  )

                  name ]

        let squares =
            weighted
            |> List.fold
                (fun sum e -> arithmetic.MultiplyAdd(Register(Name e), Register(Name e), sum))
                (Value.Number 0.0)

        arithmetic.Multiply(Value.Number(1.0 / float n), squares)

    let tolerances =
        [ for c in 0 .. n - 1 do
              let name = body.Fresh("tolerance" + string c)
              let size e = operation "Abs" [ Name e ]
              let largest = operation "MaxNative" [ size body.States[c]; size moved[c] ]

              let value =
                  arithmetic.MultiplyAdd(Register(Name "rtol"), Register largest, Register(Name "atol"))

              statements.Add(local name (arithmetic.Spread value))
              name ]

    match error.Estimates |> Array.map (fun weights -> squaredNorm weights tolerances) with
    | [| only |] -> statements.Add(statement (Return(arithmetic.Spread only)))
    | several ->
        // ‖e₀‖⁴ / (‖e₀‖² + 0.01 ‖e₁‖²), and 0 where both vanish.
        let firstName, secondName = body.Fresh "first", body.Fresh "second"
        statements.Add(local firstName (arithmetic.Spread several[0]))
        statements.Add(local secondName (arithmetic.Spread several[1]))
        let first, second = Register(Name firstName), Register(Name secondName)
        let sum = arithmetic.MultiplyAdd(Value.Number 0.01, second, first)

        let quotient =
            arithmetic.Divide(arithmetic.Multiply(first, first), Register(arithmetic.Spread sum))

        let isZero = arithmetic.Compare(Equal, first, Value.Number 0.0)
        statements.Add(statement (Return(arithmetic.Spread(arithmetic.Select(isZero, first, quotient)))))

    let parameters =
        [ parameter "Lanes" "t"
          parameter "Lanes" "h"
          parameter readOnly "state"
          parameter readOnly "parameters"
          parameter "Lanes" "rtol"
          parameter "Lanes" "atol"
          parameter writable "stages"
          parameter writable "after" ]

    overriding
        "Lanes"
        "Step"
        parameters
        (List.ofSeq statements)
        (summary (sprintf "One attempted step of %s and the squared norm of its error." tableau.Name))
    |> optimized

/// Steps of one size: `Advance`. States are the inner loop, so that the processor works on several at once.
let advance (kernel: Kernel) precision (tableau: RungeKuttaTableau) : CSharp.Member =
    let body = Body(kernel, precision)
    let arithmetic = body.Arithmetic
    let n, p = total kernel.States, total kernel.Small
    let group = body.Fresh "i"

    let place size c =
        let start = if size = 1 then Name group else Infix(Literals.integer size, "*", Name group)
        if c = 0 then start else Infix(start, "+", Literals.integer c)

    let outer = ResizeArray<CSharp.Statement>()
    let inner = ResizeArray<CSharp.Statement>()
    inner.AddRange(body.Read(body.States, fun c -> Element(Name "state", [ place n c ])))
    inner.AddRange(body.Read(body.Small, fun c -> Element(Name "parameters", [ place p c ])))
    let scaledSteps = Dictionary<float, CSharp.Expr>()

    /// weight · h, computed once for all steps.
    let scaledStep weight =
        match scaledSteps.TryGetValue weight with
        | true, known -> known
        | _ ->
            let value = arithmetic.Spread(arithmetic.Multiply(Value.Number weight, Register(Name "h")))

            let name =
                match value with
                | Name _ -> value
                | _ ->
                    let name = body.Fresh(sprintf "h%d" (scaledSteps.Count + 1))
                    outer.Add(local name value)
                    Name name

            scaledSteps[weight] <- name
            name

    let slopes = ResizeArray<string list>()

    /// A component of the state moved along its slopes.
    let moved row c : CSharp.Expr =
        List.zip row [ for stage in slopes -> List.item c stage ]
        |> List.fold
            (fun sum (weight, slope) ->
                if weight = 0.0 then
                    sum
                else
                    arithmetic.MultiplyAdd(Register(scaledStep weight), Register(Name slope), sum))
            (Register(Name body.States[c]))
        |> arithmetic.Spread

    for stage in 0 .. tableau.EndStage - 1 do
        let row = List.ofArray tableau.A[stage]

        let at =
            if stage = 0 then
                List.map Name body.States
            else
                let names = elements body.Fresh kernel.States "" (sprintf "_%d" stage)
                names |> List.iteri (fun c name -> inner.Add(local name (moved row c)))
                List.map Name names

        let names, call = body.Slopes(timeAt arithmetic tableau.C[stage], at, stage)
        inner.Add call
        slopes.Add names

    for c in 0 .. n - 1 do
        let after = moved (List.ofArray tableau.A[tableau.EndStage]) c
        inner.Add(statement (Assign(Element(Name "state", [ place n c ]), after)))

    let count = Infix(Member(Name "state", "Length"), "/", Literals.integer n)
    let each = statement (For(group, count, List.ofSeq inner))
    let onward = statement (Assign(Name "t", Infix(Name "t", "+", Name "h")))
    let stepVariable = body.Fresh "step"

    let parameters =
        [ parameter "int" "steps"
          parameter "Lanes" "t"
          parameter "Lanes" "h"
          parameter writable "state"
          parameter readOnly "parameters" ]

    overriding
        "void"
        "Advance"
        parameters
        (List.ofSeq outer
         @ [ statement (
                 For(stepVariable, Name "steps", (if isTimed kernel then [ each; onward ] else [ each ]))
             ) ])
        (summary (sprintf "Steps of %s." tableau.Name))
    |> optimized

let private named name value : CSharp.Member =
    { Documentation = inherited
      Attributes = []
      Modifiers = [ "public"; "override" ]
      Kind = Property("string", name, Literals.text value) }

/// What a kernel has beside its drift for the method of the solve block, or the default one.
let members (kernel: Kernel) precision : CSharp.Member list =
    let choice = kernel.Model.Typed.Solve.Method
    let name = choice |> Option.map _.Name |> Option.defaultValue "tsit5"

    match Catalogue.Find name |> Option.ofObj with
    | Some tableau ->
        match Option.ofObj tableau.Error with
        | Some error ->
            [ named "FusedStep" name
              slope kernel precision tableau.EndStage
              step kernel precision tableau error ]
        | None ->
            [ named "FusedAdvance" name
              slope kernel precision tableau.EndStage
              advance kernel precision tableau ]
    | None -> [ slope kernel precision 1 ]
