/// Joins loops.
///
///     for i: hidden[i] = tanh(...)                  for i
///     for i: sum = W[i] * hidden[i] + sum           {
///                                         becomes       hidden[i] = tanh(...)
///                                                       sum = W[i] * hidden[i] + sum
///                                                   }
module internal DiffEqLang.Compiler.Backends.Simd.LoopFusion

open System.Collections.Generic
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.Simd.Statements

let private meets (a: HashSet<string>) (b: HashSet<string>) = a.Overlaps b

/// Whether `second` may run inside the iterations of `first`: what `first` writes, `second` only touches at places that
/// the same iteration has written.
let private mayJoin variable (first: Touched) (second: Touched) =
    let places (array: string) (all: seq<string * CSharp.Expr>) =
        all |> Seq.filter (fst >> (=) array) |> Seq.map snd |> Seq.distinct |> Seq.toList

    let varies (place: CSharp.Expr) =
        let names = HashSet()
        reads names (ResizeArray()) place
        names.Contains variable

    first.Writes
    |> Seq.filter (fun name -> second.Reads.Contains name || second.Writes.Contains name)
    |> Seq.forall (fun name ->
        let written = places name first.WrittenPlaces
        let used = places name (Seq.append second.ReadPlaces second.WrittenPlaces)
        // A sum has no places: its last value is known after the loop alone.
        not used.IsEmpty
        && used |> List.forall (fun place -> varies place && List.contains place written))

/// The statements in `between` that `later` needs, directly or through others, and the rest, which come to stand behind them: so that
/// what writes to the same arrays as they do, or reads what they write over, goes with them.
let private needed (between: Statement list) (later: Touched) =
    let wanted = HashSet(Seq.append later.Reads later.Writes)
    let written = HashSet(later.Writes)

    List.foldBack
        (fun s (needed, others) ->
            let t = touched [ s ]

            if meets t.Writes wanted || meets t.Reads written then
                wanted.UnionWith t.Reads
                wanted.UnionWith t.Writes
                written.UnionWith t.Writes
                s :: needed, others
            else
                needed, s :: others)
        between
        ([], [])

/// Joins loops of one count where nothing that the later one needs is known only after the earlier one.
let rec fuse (statements: Statement list) : Statement list =
    let result = ResizeArray<Statement>()

    let tryJoin variable count body =
        let later = touched body

        let rec from position =
            if position < 0 then
                false
            else
                match result[position] with
                | Loop(otherVariable, otherCount, otherBody) when
                    otherVariable = variable && otherCount = count
                    ->
                    let between = result.GetRange(position + 1, result.Count - position - 1) |> Seq.toList
                    let earlier = touched otherBody
                    let before, after = needed between later
                    let ofBefore = touched before

                    let isFree =
                        not (meets ofBefore.Reads earlier.Writes)
                        && not (meets ofBefore.Writes earlier.Writes)

                    if isFree && mayJoin variable earlier later then
                        result.RemoveRange(position, result.Count - position)
                        result.AddRange before
                        result.Add(Loop(variable, count, otherBody @ body))
                        result.AddRange after
                        true
                    else
                        from (position - 1)
                | _ -> from (position - 1)

        from (result.Count - 1)

    for s in statements do
        match s with
        | Loop(variable, count, body) ->
            if not (tryJoin variable count body) then
                result.Add s
        | other -> result.Add other

    [ for s in result do
          match s with
          | Loop(variable, count, body) -> Loop(variable, count, fuse body)
          | other -> other ]
