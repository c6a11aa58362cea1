/// The random and other first values of parameters.
module DiffEqLang.Tests.Runtime.InitialTests

open DiffEqLang.Runtime
open DiffEqLang.Tests.Support.Refusals
open DiffEqLang.Tests.Support.StochasticModels
open Expecto
open TorchSharp

let private draw make = values (make (ParameterRandom 6UL): torch.Tensor)
let private meanSquare (xs: float[]) = Array.averageBy (fun x -> x * x) xs

let tests =
    testList
        "Initial"
        [ test "random values have the variance of their law" {
              let shape = [| 300L; 200L |]

              for make, variance in
                  [ (fun r -> Initial.Normal(0.0, 0.1, shape, r)), 0.01
                    (fun r -> Initial.Uniform(-3.0, 3.0, shape, r)), 3.0
                    (fun r -> Initial.XavierUniform(shape, r)), 2.0 / 500.0
                    (fun r -> Initial.XavierNormal(shape, r)), 2.0 / 500.0
                    (fun r -> Initial.KaimingUniform(shape, r)), 2.0 / 200.0
                    (fun r -> Initial.KaimingNormal(shape, r)), 2.0 / 200.0
                    (fun r -> Initial.Linear(200L, shape, r)), 1.0 / 600.0
                    (fun r -> Initial.Orthogonal(shape, r)), 1.0 / 300.0 ] do
                  let relative = meanSquare (draw make) / variance
                  Expect.isLessThan (abs (relative - 1.0)) 0.03 $"variance {variance}"
          }

          test "convolution weights count their receptive field" {
              let largest = draw (fun r -> Initial.KaimingUniform([| 64L; 32L; 3L; 3L |], r)) |> Array.max
              Expect.floatClose Accuracy.low largest (sqrt (6.0 / 288.0)) "bound"
          }

          test "orthogonal matrices are" {
              for rows, columns in [ 5L, 5L; 3L, 7L; 7L, 3L ] do
                  let q = Initial.Orthogonal([| rows; columns |], ParameterRandom 1UL)
                  let gram = if rows < columns then q.mm (q.t ()) else q.t().mm q

                  Expect.isLessThan
                      ((gram - torch.eye (min rows columns, dtype = float64)).abs().max().item<float>())
                      1e-14
                      "gram"
          }

          test "a seed decides; each tensor has its own numbers" {
              let shape = [| 40L |]
              let one, other = ParameterRandom 6UL, ParameterRandom 6UL
              let first = values (Initial.Normal(0.0, 1.0, shape, one))
              Expect.equal (values (Initial.Normal(0.0, 1.0, shape, other))) first "equal"
              let second = values (Initial.Normal(0.0, 1.0, shape, one))
              Expect.notEqual second first "not the same again"
              Initial.Normal(0.0, 1.0, [| 7L |], other) |> ignore

              Expect.equal
                  (values (Initial.Normal(0.0, 1.0, shape, other)))
                  (values (Initial.Normal(0.0, 1.0, shape, one)))
                  "whatever the sizes before"
          }

          test "shapes without fans and lists of the wrong length are refused" {
              says "two axes or more, not [5]" (fun () ->
                  Initial.XavierUniform([| 5L |], ParameterRandom 0UL) |> ignore)

              says "has 4 elements; 3 were given" (fun () ->
                  Initial.Values([| 1.0; 2.0; 3.0 |], [| 2L; 2L |]) |> ignore)
          } ]
