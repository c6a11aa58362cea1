module DiffEqLang.Tests.Compiler.OppositesTests

open System
open Expecto
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Build
open DiffEqLang.Compiler.Passes
open DiffEqLang.Tests.Support.RandomExpr

let private share roots = Opposites.share roots |> Simplify.run
let private a = variable "a3" [ 3 ]
let private b = variable "b3" [ 3 ]

let private count isCounted roots = topological roots |> List.filter isCounted |> List.length

let private isPower (e: Expr) = e.Op = Power
let private isDifference (e: Expr) = e.Op = Subtract

/// The acceleration that a mass at a distance gives.
let private pull m (r: Expr) =
    div (scale m r) (pow (DiffEqLang.Compiler.Builtins.Catalogue.call "dot" [] [ r; r ]) (number 1.5))

let private exampleTests =
    [ test "two bodies that pull each other" {
          let roots = [ pull 2.0 (sub b a); pull 3.0 (sub a b) ]
          Expect.equal (count isPower roots) 2 "two distances are written"
          let shared = share roots
          Expect.equal (count isPower shared) 1 "one is computed"
          Expect.equal (count isDifference shared) 1 "of one difference"
      }
      test "what depends on the sign is left as it was" {
          let roots = [ elementwise "exp" [ sub a b ]; elementwise "exp" [ sub b a ] ] |> Simplify.run

          Expect.equal (share roots) roots "no sign is moved"
      }
      test "even powers and sizes" {
          let difference f = [ f (sub a b); f (sub b a) ] |> share
          let sizes e = elementwise "abs" [ e ]
          Expect.equal (difference square |> List.distinct |> List.length) 1 "squares"
          Expect.equal (difference sizes |> List.distinct |> List.length) 1 "absolute values"
          Expect.equal (count isPower (difference (fun e -> pow e (number 3.0)))) 1 "cubes of either sign"
      } ]

/// Random expressions of differences and of their opposites.
let private opposing (random: Random) shape =
    let left, right = generate random 3 shape, generate random 3 shape

    let of' e =
        match random.Next 5 with
        | 0 -> square e
        | 1 -> elementwise "abs" [ e ]
        | 2 -> mul e (generate random 2 shape)
        | 3 -> sub (generate random 2 shape) e
        | _ -> div e (add (number 2.0) (square e))

    [ for _ in 1..4 -> add (of' (sub left right)) (of' (sub right left)) ]

let private propertyTests =
    [ testPropertyWithConfig widelySeeded "values stay"
      <| fun (seed: int) ->
          let random = Random seed
          let roots = opposing random ([ []; [ 3 ]; [ 3; 3 ] ][random.Next 3])
          let values = valuesWithin -1.0 1.0 seed
          let shared = share roots
          Expect.isEmpty (Validate.check shared) "sound"

          for before, after in List.zip roots shared do
              Expect.isLessThan
                  (distance (evaluate values before) (evaluate values after))
                  1e-9
                  (Print.inlined before) ]

let tests = testList "Opposites" (exampleTests @ propertyTests)
