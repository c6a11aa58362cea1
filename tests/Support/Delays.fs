/// Equations with delays, their derivatives written by hand, and solutions in closed form.
module DiffEqLang.Tests.Support.Delays

open System
open DiffEqLang.Runtime
open DiffEqLang.Tests.Support.Odes
open TorchSharp

let delayOf (value: float) (parts: (int64 * int64) list) =
    Delay.Of(value, [| for offset, length in parts -> struct (offset, length) |])

let trainedDelay (value: Tensor) (parts: (int64 * int64) list) =
    Delay.Of(value, [| for offset, length in parts -> struct (offset, length) |])

/// One state, x' = f(t, x, x(t - tau)), with the past that is given.
let scalarDelay (tau: float) (drift: Tensor -> Tensor -> Tensor -> Tensor) (history: Tensor -> Tensor) =
    { new OdeEquations() with
        member _.Parameters = [||]
        member _.Delays = [| delayOf tau [ 0L, 1L ] |]
        member _.History(t, _) = (history t).unsqueeze -1L
        member _.Drift(t, x) = (drift t (part x 0) (part x 1)).unsqueeze -1L
        member _.DriftVjp(_, _, _, _) = raise (NotSupportedException "This test needs no gradient.") }

let private factorial (n: int) = Seq.fold (*) 1.0 (Seq.map float [ 1..n ])

/// x' = -x(t - 1) with x = 1 before t = 0: a polynomial of degree k + 1 on [k, k + 1].
let staircase = scalarDelay 1.0 (fun _ _ past -> past.neg ()) torch.ones_like

let staircaseAt (t: float) =
    Seq.sum
        [ for k in 0 .. int (floor t) + 1 ->
              (if k % 2 = 0 then 1.0 else -1.0) * (t - float (k - 1)) ** float k / factorial k ]

/// x' = -x(t - pi/2) with x = cos t before t = 0: cos t, smooth at all times.
let cosine = scalarDelay (Math.PI / 2.0) (fun _ _ past -> past.neg ()) torch.cos

/// x' = -x + x(t - 1) with x = 0 before t = 0, where it jumps to 1: (t - k)^k e^-(t - k) / k! of every k up to t.
let pulse = scalarDelay 1.0 (fun _ x past -> past.Minus x) torch.zeros_like

let pulseAt (t: float) =
    Seq.sum [ for k in 0 .. int (floor t) -> (t - float k) ** float k * exp (float k - t) / factorial k ]

/// What the gradients of `coupled` flow to: p = (a, b, c), and two delays.
type Coupled = { P: Tensor; First: Tensor; Second: Tensor }

/// x' = -a x(t - first) + sin y(t - second), y' = b x(t - second) y - y(t - first), where x was c cos t and y what it is at the start.
let coupled (inputs: Coupled) =
    let p i = part inputs.P i
    let zero (like: Tensor) = torch.zeros_like like

    { new OdeEquations() with
        member _.Parameters = [| inputs.P; inputs.First; inputs.Second |]

        member _.Delays =
            [| trainedDelay inputs.First [ 0L, 2L ]
               trainedDelay inputs.Second [ (0L, 1L); (1L, 1L) ] |]

        member _.History(t, initial) = pack [ (p 2).mul(t.cos ()); part initial 1 ]
        member _.HistoryRate(t, initial) = pack [ ((p 2).mul(t.sin ())).neg(); zero (part initial 1) ]

        member _.HistoryVjp(t, initial, w, into) =
            let ofCosine = (part w 0).mul(t.cos ())
            into.Add(0, pack [ zero ofCosine; zero ofCosine; ofCosine ])
            pack [ zero (part initial 0); part w 1 ]

        member _.Drift(_, s) =
            pack
                [ (part s 5).sin().Minus((p 0).mul(part s 2))
                  (p 1).mul(part s 4).mul(part s 1).Minus(part s 3) ]

        member _.DriftVjp(_, s, w, into) =
            let wx, wy = part w 0, part w 1
            let meeting = (part s 4).mul(part s 1)
            into.Add(0, pack [ (wx.mul (part s 2)).neg(); wy.mul meeting; zero wx ])

            pack
                [ zero wx
                  wy.mul(p 1).mul(part s 4)
                  (wx.mul (p 0)).neg()
                  wy.neg ()
                  wy.mul(p 1).mul(part s 1)
                  wx.mul ((part s 5).cos()) ] }
