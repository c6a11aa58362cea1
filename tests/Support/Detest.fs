/// The DETEST problems, t from 0 to 20: Hull, Enright, Fellen and Sedgwick (1972), Comparing numerical methods for ordinary
/// differential equations, SIAM J. Numer. Anal. 9; Enright and Pryce (1987), ACM TOMS 13 (algorithm 648).
module DiffEqLang.Tests.Support.Detest

open System
open DiffEqLang.Runtime
open DiffEqLang.Tests.Support.Odes
open TorchSharp

type Case =
    {
        Name: string
        Equations: OdeEquations
        Initial: float list
        /// The state at t = 20, or its first entries.
        Final: float list
    }

let mul (a: Tensor) (b: Tensor) = a.mul b
let sub (a: Tensor) (b: Tensor) = a.Minus b
let add (a: Tensor) (b: Tensor) = a.Plus b

/// Equations by components.
let components (drift: Tensor -> Tensor list -> Tensor list) : OdeEquations =
    ode (fun t state -> List.init (int (state.size -1)) (part state) |> drift t |> pack)

/// y' = A y.
let linear (rows: float list list) : OdeEquations =
    let transposed = (matrix rows).t()
    ode (fun _ state -> state.matmul transposed)

let classA =
    [ { Name = "A1"
        Equations = ode (fun _ y -> y.neg ())
        Initial = [ 1.0 ]
        Final = [ exp -20.0 ] }
      { Name = "A2"
        Equations = ode (fun _ y -> scale -0.5 (y.pow (scalar 3.0)))
        Initial = [ 1.0 ]
        Final = [ 1.0 / sqrt 21.0 ] }
      { Name = "A3"
        Equations = components (fun t y -> [ mul y[0] (t.cos ()) ])
        Initial = [ 1.0 ]
        Final = [ exp (sin 20.0) ] }
      { Name = "A4"
        Equations = ode (fun _ y -> mul (scale 0.25 y) (plus 1.0 (scale -0.05 y)))
        Initial = [ 1.0 ]
        Final = [ 20.0 / (1.0 + 19.0 * exp -5.0) ] }
      { Name = "A5"
        Equations = components (fun t y -> [ (sub y[0] t).div(add y[0] t) ])
        Initial = [ 4.0 ]
        Final = [ -0.7887826688964014 ] } ]

let classB =
    [ { Name = "B1"
        Equations =
          components (fun _ y ->
              let both = mul y[0] y[1]
              [ scale 2.0 (sub y[0] both); sub both y[1] ])
        Initial = [ 1.0; 3.0 ]
        Final = [ 0.6761876008576607; 0.1860816099640030 ] }
      { Name = "B2"
        Equations = linear [ [ -1.0; 1.0; 0.0 ]; [ 1.0; -2.0; 1.0 ]; [ 0.0; 1.0; -1.0 ] ]
        Initial = [ 2.0; 0.0; 1.0 ]
        Final =
          [ 1.0 + 0.5 * exp -20.0 + 0.5 * exp -60.0
            1.0 - exp -60.0
            1.0 - 0.5 * exp -20.0 + 0.5 * exp -60.0 ] }
      { Name = "B3"
        Equations =
          components (fun _ y ->
              let square = y[1].Squared()
              [ y[0].neg(); sub y[0] square; square ])
        Initial = [ 1.0; 0.0; 0.0 ]
        Final = [ 2.061153622438558e-9; 0.05257228022048513; 0.9474277177183613 ] }
      { Name = "B4"
        Equations =
          components (fun _ y ->
              let r = (add (y[0].Squared()) (y[1].Squared())).sqrt()
              let ratio = y[2].div r
              [ sub (y[1].neg()) (mul y[0] ratio); sub y[0] (mul y[1] ratio); y[0].div r ])
        Initial = [ 3.0; 0.0; 0.0 ]
        Final = [ 0.9826950928006530; 2.198447081694930; 0.9129452507276277 ] }
      { Name = "B5"
        Equations =
          components (fun _ y -> [ mul y[1] y[2]; (mul y[0] y[2]).neg(); scale -0.51 (mul y[0] y[1]) ])
        Initial = [ 0.0; 1.0; 1.0 ]
        Final = [ -0.9396570798729204; -0.3421177754000749; 0.7414126596199953 ] } ]

/// The five outer planets about the sun, [positions | velocities] planet by planet; t in hundreds of days.
let outerPlanets =
    let gravity, sun = 2.95912208286, 1.00000597682

    let masses =
        vector
            [ 0.000954786104043
              0.000285583733151
              0.0000437273164546
              0.0000517759138449
              0.00000277777777778 ]

    let others =
        (torch.ones (5L, 5L, dtype = torch.float64)).Minus(torch.eye (5L, dtype = torch.float64))

    ode (fun _ state ->
        let position = (state.narrow (-1, 0L, 15L)).view(-1L, 5L, 3L)
        /// x / |x|^3
        let pull (x: Tensor) = x.div ((x.Squared().sum(-1L, keepdim = true)).pow(scalar 1.5))
        let toSun = pull position
        // [..., j, k]: from planet j to planet k; itself divided by one instead of zero.
        let between = (position.unsqueeze -3L).Minus(position.unsqueeze -2L)
        let square = (between.Squared().sum -1L).Plus(torch.eye (5L, dtype = torch.float64))
        let weights = (others.mul masses).div(square.pow (scalar 1.5))
        let fromOthers = (between.mul (weights.unsqueeze -1L)).sum(-2L)
        let onSun = (others.mul masses).matmul toSun
        let fromSun = toSun.mul ((plus sun masses).unsqueeze -1L)

        torch.cat (
            [| (state.narrow (-1, 15L, 15L))
               scale gravity (fromOthers.Minus(onSun).Minus(fromSun))
               |> _.reshape(state.narrow(-1, 0L, 15L).shape) |],
            -1L
        ))

/// A chain of decays into the last state, and diffusion on a line.
let classC =
    let chain (rates: float list) =
        let n = rates.Length + 1

        linear
            [ for i in 0 .. n - 1 ->
                  [ for j in 0 .. n - 1 ->
                        if j = i && i < n - 1 then -rates[i]
                        elif j = i - 1 then rates[j]
                        else 0.0 ] ]

    let tridiagonal n =
        linear
            [ for i in 0 .. n - 1 ->
                  [ for j in 0 .. n - 1 ->
                        if i = j then -2.0
                        elif abs (i - j) = 1 then 1.0
                        else 0.0 ] ]

    let first n = 1.0 :: List.replicate (n - 1) 0.0

    [ { Name = "C1"
        Equations = chain (List.replicate 9 1.0)
        Initial = first 10
        Final =
          [ 2.061153622438558e-9
            4.122307244877116e-8
            4.122307244877116e-7
            2.748204829918077e-6
            1.374102414959039e-5
            5.496409659836154e-5
            1.832136553278718e-4
            5.234675866510623e-4
            1.308668966627656e-3
            0.9979127409508650 ] }
      { Name = "C2"
        Equations = chain [ 1.0 .. 9.0 ]
        Initial = first 10
        Final = [ for i in 0..8 -> exp -20.0 * (1.0 - exp -20.0) ** float i ] }
      { Name = "C3"
        Equations = tridiagonal 10
        Initial = first 10
        Final =
          [ 0.002948119211022699
            0.005635380154845296
            0.007829072515927038
            0.009348257908595597
            0.01007943610301980
            0.009982674171429489
            0.009088693332765332
            0.007489115195185085
            0.005322964130952676
            0.002762434379029514 ] }
      { Name = "C4"
        Equations = tridiagonal 51
        Initial = first 51
        Final = [ 0.003124111453722103; 0.006015416842151323; 0.008470021834843611 ] }
      { Name = "C5"
        Equations = outerPlanets
        Initial =
          [ 3.42947415189
            3.35386959711
            1.35494901715
            6.64145542550
            5.97156957878
            2.18231499728
            11.2630437207
            14.6952576794
            6.27960525067
            -30.1552268759
            1.65699966404
            1.43785752721
            -21.1238353380
            28.4465098142
            15.3882659679
            -0.557160570446
            0.505696783289
            0.230578543901
            -0.415570776342
            0.365682722812
            0.169143213293
            -0.325325669158
            0.189706021964
            0.0877265322780
            -0.0240476254170
            -0.287659532608
            -0.117219543175
            -0.176860753121
            -0.216393453025
            -0.0148647893090 ]
        Final =
          [ -4.792730224323635
            -2.420550725449022
            -0.9212509306015119
            -4.217310404035213
            7.356202947498970
            3.223785985421212
            4.035559443262271
            17.19865528670555
            7.478910794233703
            -29.98759326324844
            -4.107310937550930
            -0.9277008321754408
            -24.42125302518483
            23.81459045746554
            14.92096306951359
            0.3499208963063997
            -0.5748487687912803
            -0.2551694020879144
            -0.5237040978903325
            -0.2493000463579662
            -0.08045341642044466
            -0.3875289237334110
            0.05648603288767892
            0.03023606472143343
            0.04133856546712446
            -0.2862393029841379
            -0.1183032405136207
            -0.1511986457359206
            -0.2460068894318766
            -0.03189687411323877 ] } ]

let kepler =
    components (fun _ y ->
        let cube = (add (y[0].Squared()) (y[1].Squared())).pow(scalar 1.5)
        [ y[2]; y[3]; (y[0].div cube).neg(); (y[1].div cube).neg() ])

/// Two bodies of eccentricity e from the pericentre; u - e sin u = t by Newton's iteration.
let orbit e t =
    let step u = u - (u - e * sin u - t) / (1.0 - e * cos u)
    let u = Seq.init 60 ignore |> Seq.fold (fun u () -> step u) (t + e * sin t)
    let minor, distance = sqrt (1.0 - e * e), 1.0 - e * cos u
    [ cos u - e; minor * sin u; -sin u / distance; minor * cos u / distance ]

let classD =
    [ for i, e in List.indexed [ 0.1; 0.3; 0.5; 0.7; 0.9 ] ->
          { Name = $"D{i + 1}"
            Equations = kepler
            Initial = [ 1.0 - e; 0.0; 0.0; sqrt ((1.0 + e) / (1.0 - e)) ]
            Final = orbit e 20.0 } ]

/// Equations of the second order, as [y; y'].
let classE =
    let secondOrder acceleration = components (fun t y -> [ y[1]; acceleration t y[0] y[1] ])

    [ { Name = "E1"
        Equations =
          secondOrder (fun t y y' ->
              let s = plus 1.0 t
              sub ((y'.div s).neg()) (mul y (plus 1.0 (scale -0.25 (s.pow (scalar -2.0))))))
        Initial = [ sqrt (2.0 / Math.PI) * sin 1.0; sqrt (2.0 / Math.PI) * (cos 1.0 - 0.5 * sin 1.0) ]
        Final = [ 0.1456723600728247; -0.09883500195574579 ] }
      { Name = "E2"
        Equations = secondOrder (fun _ y y' -> sub (mul (plus 1.0 (y.Squared().neg())) y') y)
        Initial = [ 2.0; 0.0 ]
        Final = [ 2.008149762174949; -0.04250887527320215 ] }
      { Name = "E3"
        Equations =
          secondOrder (fun t y _ ->
              add (sub (scale (1.0 / 6.0) (y.pow (scalar 3.0))) y) (scale 2.0 ((scale 2.78535 t).sin())))
        Initial = [ 0.0; 0.0 ]
        Final = [ -0.1004178858647241; 0.2411400132095956 ] }
      { Name = "E4"
        Equations = secondOrder (fun _ _ y' -> plus 0.032 (scale -0.4 (y'.Squared())))
        Initial = [ 30.0; 0.0 ]
        Final = [ 33.95091444646556; 0.2767822659672868 ] }
      { Name = "E5"
        Equations = secondOrder (fun t _ y' -> (plus 1.0 (y'.Squared())).sqrt().div(plus 25.0 (t.neg ())))
        Initial = [ 0.0; 0.0 ]
        Final = [ 14.11797390542625; 2.4 ] } ]

/// Right-hand sides that jump, or have a kink, at the whole times.
let classF =
    /// +1 in the first unit of time, -1 in the second, and so on.
    let alternating (t: Tensor) = plus 1.0 (scale -2.0 (t.floor().remainder(scalar 2.0)))

    [ { Name = "F1"
        Equations =
          components (fun t y ->
              [ y[1]
                add (sub (scale 0.2 y[1]) (scale (Math.PI * Math.PI + 0.01) y[0])) (alternating t) ])
        Initial = [ 0.0; 0.0 ]
        Final = [ -12.94460621213470; 0.0 ] }
      { Name = "F2"
        Equations =
          components (fun t y -> [ plus 55.0 ((mul y[0] (plus 1.0 (scale 0.5 (alternating t)))).neg()) ])
        Initial = [ 110.0 ]
        Final = [ 70.03731057008607 ] }
      { Name = "F3"
        Equations =
          components (fun t y ->
              let damping = scale 0.01 (mul y[1] (plus 1.0 (y[0].Squared().neg())))
              [ y[1]; sub (sub damping y[0]) ((scale Math.PI t).sin().abs()) ])
        Initial = [ 0.0; 0.0 ]
        Final = [ -0.3726957553088175; -0.6230137949234190 ] } ]
