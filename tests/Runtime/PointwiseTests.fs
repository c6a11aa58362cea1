/// Elementwise functions over the memory of tensors: as libtorch's own, which they fall back on where autograd records.
module DiffEqLang.Tests.Runtime.PointwiseTests

open System.Reflection
open DiffEqLang.Runtime
open Expecto
open TorchSharp

let private functions =
    typeof<Pointwise>.GetMethods(BindingFlags.Static ||| BindingFlags.Public)
    |> Array.sortBy _.Name

let private apply (f: MethodInfo) (x: torch.Tensor) = f.Invoke(null, [| x |]) :?> torch.Tensor

/// Libtorch's value, which a tensor that wants a gradient gets.
let private recorded f (x: torch.Tensor) = (apply f (x.detach().requires_grad_ true)).detach()

/// Arguments where every function has a value, and those where some have none.
let private arguments (shape: int64 list) (dtype: torch.ScalarType) =
    use generator = new torch.Generator(7UL)

    torch.randn (List.toArray shape, dtype = dtype, generator = generator)
    * torch.tensor (2.0, dtype = dtype)

/// As many units of rounding as two good implementations may differ by, NaN where NaN is.
let private tolerance dtype = if dtype = torch.ScalarType.Float32 then 2e-6 else 4e-15

/// Equal but for the last digits, of the number itself or of the terms of up to `size` that it is the difference of.
let private agree size what (expected: torch.Tensor) (actual: torch.Tensor) =
    let relative = tolerance actual.dtype
    let close = torch.allclose (actual, expected, relative, relative * size, equal_nan = true)
    Expect.equal actual.shape expected.shape what
    Expect.equal actual.dtype expected.dtype what
    Expect.isTrue close what

/// What a tensor may be like: of any rank, empty, too short for a register, of odd length, or not contiguous.
let private layouts (dtype: torch.ScalarType) =
    [ "a scalar", arguments [] dtype
      "empty", arguments [ 0L; 3L ] dtype
      "three numbers", arguments [ 3L ] dtype
      "an odd number", arguments [ 7L; 29L ] dtype
      "enough for two threads", arguments [ 257L; 301L ] dtype
      "transposed", (arguments [ 31L; 17L ] dtype).t()
      "every other",
      (arguments [ 9L; 40L ] dtype)[torch.TensorIndex.Ellipsis, torch.TensorIndex.Slice(step = 2)]
      "one repeated", (arguments [ 1L; 40L ] dtype).expand([| 8L; 40L |])
      "a part from the middle", (arguments [ 64L; 5L ] dtype).narrow(0, 3L, 41L)
      "not numbers", torch.tensor ([| nan; infinity; -infinity; 0.0; -0.0; 1e30 |], dtype = dtype) ]

let private agreesWithTorch (f: MethodInfo) (dtype: torch.ScalarType) =
    test (sprintf "%s of %O" f.Name dtype) {
        use _ = torch.NewDisposeScope()

        for name, x in layouts dtype do
            let before = x.clone ()
            agree 1e-3 (sprintf "%s of %s" f.Name name) (recorded f x) (apply f x)
            Expect.isTrue (torch.allclose (x, before, 0.0, 0.0, equal_nan = true)) "the operand is as it was"
    }

let private withThreads (count: int) action =
    let before = torch.get_num_threads ()
    torch.set_num_threads count

    try
        action ()
    finally
        torch.set_num_threads before

let private equalBits (a: torch.Tensor) (b: torch.Tensor) = a.bytes.ToArray() = b.bytes.ToArray()

let tests =
    testSequenced
    <| testList
        "Pointwise"
        [ for dtype in [ torch.ScalarType.Float32; torch.ScalarType.Float64 ] do
              for f in functions do
                  agreesWithTorch f dtype

              test (sprintf "the tanh's cotangent of %O" dtype) {
                  use _ = torch.NewDisposeScope()
                  let one = torch.tensor (1.0, dtype = dtype)

                  for name, x in layouts dtype do
                      let w, h = x.flip 0L, x.tanh ()
                      let w = if x.dim () = 0L then x else w
                      agree 10.0 name (w * (one - h * h)) (Pullback.Tanh(w, h))
                      agree 10.0 name (w * (one - h * h)) (Pullback.Tanh(w, h.clone().contiguous()))
              }

          test "autograd goes through, and nothing else is recorded" {
              use _ = torch.NewDisposeScope()
              let x = (arguments [ 5L; 7L ] torch.ScalarType.Float64).requires_grad_ true
              let y = Pointwise.Tanh x
              y.sum().backward()
              agree 1.0 "the gradient" (torch.tensor 1.0 - (y * y).detach()) x.grad
              use _ = torch.no_grad ()
              Expect.isFalse (Pointwise.Tanh x).requires_grad "without autograd"
          }

          test "integers are as in libtorch" {
              use _ = torch.NewDisposeScope()
              let x = torch.arange (-3L, 4L)
              agree 1e-3 "sin" (x.sin ()) (Pointwise.Sin x)
          }

          test "bits do not depend on the number of threads" {
              use _ = torch.NewDisposeScope()
              let x = arguments [ 257L; 301L ] torch.ScalarType.Float32
              let alone = withThreads 1 (fun () -> Pointwise.Tanh x)
              let shared = withThreads 3 (fun () -> Pointwise.Tanh x)
              Expect.isTrue (equalBits alone shared) "one thread and three"
          }

          test "a number's value does not depend on its place" {
              use _ = torch.NewDisposeScope()
              let x = arguments [ 41L ] torch.ScalarType.Float32
              let whole = Pointwise.Sin x

              for i in 0L .. 40L do
                  let alone = Pointwise.Sin(x.narrow(0, i, 1L).clone())
                  Expect.equal (alone.item<float32>()) (whole[i].item<float32>()) "alone and among others"
          } ]
