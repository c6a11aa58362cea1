/// Takes sums in several parts.
///
///     for i: sum = x[i] * y[i] + sum      becomes   for i
///                                                   {
///                                                       sum  = x[4 * i] * y[4 * i] + sum
///                                                       sumb = x[4 * i + 1] * y[4 * i + 1] + sumb
///                                                       ...
///                                                   }
///                                                   sum = sum + sumb + sumc + sumd
module internal DiffEqLang.Compiler.Backends.Simd.PartialSums

open System
open System.Globalization
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.Simd.Statements

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
