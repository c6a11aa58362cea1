/// Straight-line code with counted loops: what a kernel's method is before it is C#, and what is done to it there.
///
///     for i: hidden[i] = tanh(...)                  for i
///     for i: sum = W[i] * hidden[i] + sum           {
///                                         becomes       var hidden = tanh(...)
///                                                       sum = W[i] * hidden + sum
///                                                   }
module internal DiffEqLang.Compiler.Backends.Simd.Statements

open System
open System.Collections.Generic
open System.Globalization
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp

type Statement =
    /// `var name = value;`
    | Declare of name: string * value: CSharp.Expr * Source option
    /// `target = value;` of an element of an array, or of a sum declared before.
    | Store of target: CSharp.Expr * value: CSharp.Expr * Source option
    /// Room for registers that only this method uses.
    | Scratch of name: string * length: int
    /// `for (var variable = 0; variable < count; variable++)`
    | Loop of variable: string * count: int * Statement list

// What a statement touches

/// Names that an expression reads, and the elements of arrays among them.
let rec private reads
    (names: HashSet<string>)
    (elements: ResizeArray<string * CSharp.Expr>)
    (e: CSharp.Expr)
    =
    let recurse = reads names elements

    match e with
    | Name name -> names.Add name |> ignore
    | Element(Name array, [ place ]) ->
        names.Add array |> ignore
        elements.Add((array, place))
        recurse place
    | Element(target, places) ->
        recurse target
        List.iter recurse places
    | Literal _
    | OutVar _
    | StackAlloc _ -> ()
    | Member(target, _) -> recurse target
    | Invoke(callee, arguments) ->
        recurse callee
        arguments |> List.iter (fun a -> recurse a.Value)
    | Prefix(_, operand)
    | Spread operand
    | OutTarget operand
    | Lambda(_, operand)
    | Throw operand -> recurse operand
    | Infix(left, _, right) ->
        recurse left
        recurse right
    | Conditional(a, b, c) -> List.iter recurse [ a; b; c ]
    | Collection items
    | Tuple items
    | ArrayOf(_, items) -> List.iter recurse items
    | New(_, arguments) -> arguments |> List.iter (fun a -> recurse a.Value)
    | Initialized(creation, properties) ->
        recurse creation
        properties |> List.iter (snd >> recurse)
    | Switch(subject, arms) ->
        recurse subject

        arms
        |> List.iter (fun (pattern, value) ->
            recurse pattern
            recurse value)

/// What a statement reads and writes.
type private Touched() =
    member val Reads = HashSet<string>()
    member val Writes = HashSet<string>()
    /// Of arrays.
    member val ReadPlaces = ResizeArray<string * CSharp.Expr>()
    member val WrittenPlaces = ResizeArray<string * CSharp.Expr>()

    member this.Add(s: Statement) =
        match s with
        | Declare(name, value, _) ->
            this.Writes.Add name |> ignore
            reads this.Reads this.ReadPlaces value
        | Store(Element(Name array, [ place ]), value, _) ->
            this.Writes.Add array |> ignore
            this.WrittenPlaces.Add((array, place))
            reads this.Reads this.ReadPlaces place
            reads this.Reads this.ReadPlaces value
        | Store(Name name, value, _) ->
            this.Writes.Add name |> ignore
            reads this.Reads this.ReadPlaces value
        | Store(target, value, _) ->
            reads this.Writes this.WrittenPlaces target
            reads this.Reads this.ReadPlaces value
        | Scratch(name, _) -> this.Writes.Add name |> ignore
        | Loop(_, _, body) -> List.iter this.Add body

let private touched (statements: Statement list) =
    let t = Touched()
    List.iter t.Add statements
    t

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

/// The statements in `between` that `later` needs, directly or through others, and the rest.
let private needed (between: Statement list) (later: Touched) =
    let wanted = HashSet(Seq.append later.Reads later.Writes)

    List.foldBack
        (fun s (needed, others) ->
            let t = touched [ s ]

            if meets t.Writes wanted then
                wanted.UnionWith t.Reads
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

// Arrays that need not be

let rec private replaced (replacement: CSharp.Expr -> CSharp.Expr option) (e: CSharp.Expr) : CSharp.Expr =
    match replacement e with
    | Some other -> other
    | None ->
        let recurse = replaced replacement
        let arguments = List.map (fun (a: Argument) -> { a with Value = recurse a.Value })

        match e with
        | Name _
        | Literal _
        | OutVar _
        | StackAlloc _ -> e
        | Member(target, name) -> Member(recurse target, name)
        | Invoke(callee, values) -> Invoke(recurse callee, arguments values)
        | Element(target, places) -> Element(recurse target, List.map recurse places)
        | Collection items -> Collection(List.map recurse items)
        | Prefix(operator, operand) -> Prefix(operator, recurse operand)
        | Infix(left, operator, right) -> Infix(recurse left, operator, recurse right)
        | Conditional(a, b, c) -> Conditional(recurse a, recurse b, recurse c)
        | New(typeName, values) -> New(typeName, arguments values)
        | Initialized(creation, properties) ->
            Initialized(recurse creation, properties |> List.map (fun (name, value) -> name, recurse value))
        | ArrayOf(elementType, items) -> ArrayOf(elementType, List.map recurse items)
        | Tuple items -> Tuple(List.map recurse items)
        | Spread inner -> Spread(recurse inner)
        | Switch(subject, arms) -> Switch(recurse subject, arms |> List.map (fun (p, v) -> p, recurse v))
        | OutTarget target -> OutTarget(recurse target)
        | Lambda(parameter, value) -> Lambda(parameter, recurse value)
        | Throw inner -> Throw(recurse inner)

let rec private mapExpressions f (s: Statement) =
    match s with
    | Declare(name, value, source) -> Declare(name, f value, source)
    | Store(target, value, source) -> Store(f target, f value, source)
    | Scratch _ -> s
    | Loop(variable, count, body) -> Loop(variable, count, List.map (mapExpressions f) body)

/// How often an array is touched.
let private countOf array (statements: Statement list) =
    let t = touched statements

    Seq.append t.ReadPlaces t.WrittenPlaces |> Seq.filter (fst >> (=) array) |> Seq.length

/// An array whose every element is written and then read in one block becomes variables of that block.
let private withoutArray (array: string) (statements: Statement list) : Statement list option =
    let places =
        let t = touched statements

        Seq.append t.ReadPlaces t.WrittenPlaces
        |> Seq.filter (fst >> (=) array)
        |> Seq.map snd
        |> Seq.distinct
        |> Seq.toList

    let nameOf place =
        match places with
        | [ _ ] -> array
        | several ->
            let separator = if Char.IsDigit array[array.Length - 1] then "_" else ""
            sprintf "%s%s%d" array separator (List.findIndex ((=) place) several)

    let replacement e =
        match e with
        | Element(Name a, [ place ]) when a = array -> Some(Name(nameOf place))
        | _ -> None

    /// The block that holds every touch, with the array's elements as its variables.
    let rec inBlock (block: Statement list) : Statement list option =
        let isWrite s =
            match s with
            | Store(Element(Name a, [ _ ]), _, _) -> a = array
            | _ -> false

        if List.exists isWrite block then
            // Written once each, and before it is read.
            let known = HashSet<CSharp.Expr>()
            let mutable isSound = true

            let rewritten =
                [ for s in block do
                      match s with
                      | Store(Element(Name a, [ place ]), value, source) when a = array ->
                          isSound <-
                              isSound && known.Add place && countOf array [ Declare("", value, None) ] = 0

                          Declare(nameOf place, value, source)
                      | other ->
                          let t = touched [ other ]
                          let own = Seq.append t.ReadPlaces t.WrittenPlaces |> Seq.filter (fst >> (=) array)
                          isSound <- isSound && own |> Seq.forall (fun (_, place) -> known.Contains place)
                          isSound <- isSound && not (t.WrittenPlaces |> Seq.exists (fst >> (=) array))
                          mapExpressions (replaced replacement) other ]

            if isSound then Some rewritten else None
        else
            let touching = block |> List.filter (fun s -> countOf array [ s ] > 0)

            match touching with
            | [ Loop(variable, count, body) as loop ] ->
                inBlock body
                |> Option.map (fun inner ->
                    block |> List.map (fun s -> if s = loop then Loop(variable, count, inner) else s))
            | _ -> None

    inBlock statements

/// Takes scratch arrays away where variables do.
let contractArrays (statements: Statement list) : Statement list =
    let arrays =
        statements
        |> List.choose (fun s ->
            match s with
            | Scratch(name, _) -> Some name
            | _ -> None)

    arrays
    |> List.fold
        (fun statements array ->
            let others =
                statements
                |> List.filter (fun s ->
                    match s with
                    | Scratch(a, _) -> a <> array
                    | _ -> true)

            match withoutArray array others with
            | Some contracted -> contracted
            | None -> statements)
        statements

// Sums

/// A product of numbers written out: `64 * (2 * j + 1)` is `128 * j + 64`.
let rec private folded (e: CSharp.Expr) : CSharp.Expr =
    let (|Whole|_|) text =
        match Int32.TryParse(text: string) with
        | true, n -> Some n
        | _ -> None

    let integer (n: int) = Literal(n.ToString CultureInfo.InvariantCulture)

    match e with
    | Infix(Literal(Whole a), "*", Infix(Literal(Whole b), "*", x)) -> Infix(integer (a * b), "*", x)
    | Infix(Literal(Whole a), "*", Infix(x, "+", Literal(Whole b))) ->
        Infix(folded (Infix(integer a, "*", x)), "+", integer (a * b))
    | Infix(Literal(Whole a), "*", Literal(Whole b)) -> integer (a * b)
    | Infix(Literal(Whole a), "+", Literal(Whole b)) -> integer (a + b)
    | Infix(x, "+", Infix(y, "+", z)) -> folded (Infix(folded (Infix(x, "+", y)), "+", z))
    | Infix(Infix(x, "+", Literal(Whole a)), "+", Literal(Whole b)) -> Infix(x, "+", integer (a + b))
    | other -> other

/// A sum's additions wait for each other: four partial sums keep the hardware busy.
let private parts sums =
    match sums with
    | 1
    | 2 -> 4
    | 3
    | 4 -> 2
    | _ -> 1

/// Sums that are all a loop does are taken in several parts, which are added behind it.
let rec splitSums (statements: Statement list) : Statement list =
    let sumOf s =
        match s with
        | Store(Name sum, (Invoke(Name "Fma", [ _; _; { Value = Name rest } ])), _) when sum = rest ->
            Some sum
        | Store(Name sum, Infix(Name rest, "+", _), _) when sum = rest -> Some sum
        | _ -> None

    [ for s in statements do
          match s with
          | Loop(variable, count, body) ->
              let sums = body |> List.choose sumOf
              let n = parts sums.Length

              if sums.Length = body.Length && n > 1 && count >= 2 * n then
                  let part sum q = if q = 0 then sum else sprintf "%s%c" sum (char (int 'a' + q))

                  let rec at (place: CSharp.Expr) q (e: CSharp.Expr) =
                      let inPlace = at place q

                      e
                      |> replaced (fun e ->
                          match e with
                          | Name v when v = variable -> Some place
                          | Name sum when List.contains sum sums -> Some(Name(part sum q))
                          | Infix(left, ("*" | "+" as operator), right) ->
                              Some(folded (Infix(inPlace left, operator, inPlace right)))
                          | _ -> None)

                  let integer (i: int) = Literal(i.ToString CultureInfo.InvariantCulture)

                  let strided q =
                      let scaled = Infix(integer n, "*", Name variable)
                      if q = 0 then scaled else Infix(scaled, "+", integer q)

                  for sum in sums do
                      for q in 1 .. n - 1 do
                          Declare(part sum q, Member(Name "Lanes", "Zero"), None)

                  Loop(
                      variable,
                      count / n,
                      [ for q in 0 .. n - 1 do
                            for s in body do
                                mapExpressions (at (strided q) q) s ]
                  )

                  for rest in count / n * n .. count - 1 do
                      for s in body do
                          mapExpressions (at (integer rest) (rest % n)) s

                  for sum in sums do
                      let total =
                          [ 1 .. n - 1 ] |> List.fold (fun e q -> Infix(e, "+", Name(part sum q))) (Name sum)

                      Store(Name sum, total, None)
              else
                  Loop(variable, count, splitSums body)
          | other -> other ]

// C#

let rec toCSharp (s: Statement) : CSharp.Statement =
    let sourced kind source : CSharp.Statement = { Kind = kind; Source = source }

    match s with
    | Declare(name, value, source) -> sourced (Local(name, value)) source
    | Store(target, Infix(first, ("+" | "-" as operator), second), source) when first = target ->
        sourced (Update(target, operator, second)) source
    | Store(target, value, source) -> sourced (Assign(target, value)) source
    | Scratch(name, length) -> statement (TypedLocal("Span<Lanes>", name, StackAlloc("Lanes", length)))
    | Loop(variable, count, body) ->
        statement (
            For(variable, Literal(count.ToString CultureInfo.InvariantCulture), List.map toCSharp body)
        )
