/// The classical stiff problems, as .deq files, with their published references.
module DiffEqLang.Tests.Support.StiffProblems

open System
open DiffEqLang.Runtime

/// A problem with its solution at the end of its span.
type Problem =
    {
        Name: string
        Text: string
        /// Smaller than what the states become.
        Atol: float
        Final: float list
    }

let robertson =
    { Name = "Robertson"
      Atol = 1e-18
      Text =
        """state a, b, c
        da/dt = -0.04*a + 1e4*b*c
        db/dt = 0.04*a - 1e4*b*c - 3e7*b^2
        dc/dt = 3e7*b^2
        init a = 1
        init b = 0
        init c = 0
        solve { t = 0 .. 1e11, method = rodas5p, dtype = float64 }"""
      Final = [ 0.2083340149701255e-7; 0.8333360770334713e-13; 0.9999999791665050 ] }

let vanDerPol =
    { Name = "VanDerPol"
      Atol = 1e-10
      Text =
        """state y
        y'' = 1e6*((1 - y^2)*y' - y)
        init y = sqrt(3)
        init y' = 0
        solve { t = 0 .. 1, method = rodas5p, dtype = float64 }"""
      Final = [ -1.54433853748; 1.1150593342 ] }

let oregonator =
    { Name = "Oregonator"
      Atol = 1e-8
      Text =
        """state x, y, z
        const s = 77.27
        const q = 8.375e-6
        const w = 0.161
        x' = s*(y + x*(1 - q*x - y))
        y' = (z - (1 + x)*y)/s
        z' = w*(x - z)
        init x = 1
        init y = 2
        init z = 3
        solve { t = 0 .. 360, method = rodas5p, dtype = float64 }"""
      Final = [ 0.1000814870318523e1; 0.1228178521549917e4; 0.1320554942846706e3 ] }

let hires =
    { Name = "Hires"
      Atol = 1e-12
      Text =
        """state y : R[8]
        let r = 280*y[5]*y[7]
        y' = [-1.71*y[0] + 0.43*y[1] + 8.32*y[2] + 0.0007,
              1.71*y[0] - 8.75*y[1],
              -10.03*y[2] + 0.43*y[3] + 0.035*y[4],
              8.32*y[1] + 1.71*y[2] - 1.12*y[3],
              -1.745*y[4] + 0.43*y[5] + 0.43*y[6],
              -r + 0.69*y[3] + 1.71*y[4] - 0.43*y[5] + 0.69*y[6],
              r - 1.81*y[6],
              -r + 1.81*y[6]]
        init y = [1, 0, 0, 0, 0, 0, 0, 0.0057]
        solve { t = 0 .. 321.8122, method = rodas5p, dtype = float64 }"""
      Final =
        [ 0.7371312573325668e-3
          0.1442485726316185e-3
          0.5888729740967575e-4
          0.1175651343283149e-2
          0.2386356198831331e-2
          0.6238968252742796e-2
          0.2849998395185769e-2
          0.2850001604814231e-2 ] }

let pollution =
    { Name = "Pollution"
      Atol = 1e-18
      Text =
        """state y : R[20]
        let r1 = 0.35*y[0]
        let r2 = 26.6*y[1]*y[3]
        let r3 = 1.23e4*y[4]*y[1]
        let r4 = 8.6e-4*y[6]
        let r5 = 8.2e-4*y[6]
        let r6 = 1.5e4*y[6]*y[5]
        let r7 = 1.3e-4*y[8]
        let r8 = 2.4e4*y[8]*y[5]
        let r9 = 1.65e4*y[10]*y[1]
        let r10 = 9e3*y[10]*y[0]
        let r11 = 0.022*y[12]
        let r12 = 1.2e4*y[9]*y[1]
        let r13 = 1.88*y[13]
        let r14 = 1.63e4*y[0]*y[5]
        let r15 = 4.8e6*y[2]
        let r16 = 3.5e-4*y[3]
        let r17 = 0.0175*y[3]
        let r18 = 1e8*y[15]
        let r19 = 4.44e11*y[15]
        let r20 = 1.24e3*y[16]*y[5]
        let r21 = 2.1*y[18]
        let r22 = 5.78*y[18]
        let r23 = 0.0474*y[0]*y[3]
        let r24 = 1.78e3*y[18]*y[0]
        let r25 = 3.12*y[19]
        y' = [-r1 - r10 - r14 - r23 - r24 + r2 + r3 + r9 + r11 + r12 + r22 + r25,
              -r2 - r3 - r9 - r12 + r1 + r21,
              -r15 + r1 + r17 + r19 + r22,
              -r2 - r16 - r17 - r23 + r15,
              -r3 + 2*r4 + r6 + r7 + r13 + r20,
              -r6 - r8 - r14 - r20 + r3 + 2*r18,
              -r4 - r5 - r6 + r13,
              r4 + r5 + r6 + r7,
              -r7 - r8,
              -r12 + r7 + r9,
              -r9 - r10 + r8 + r11,
              r9,
              -r11 + r10,
              -r13 + r12,
              r14,
              -r18 - r19 + r16,
              -r20,
              r20,
              -r21 - r22 - r24 + r23 + r25,
              -r25 + r24]
        init y = [0, 0.2, 0, 0.04, 0, 0, 0.1, 0.3, 0.01, 0, 0, 0, 0, 0, 0, 0, 0.007, 0, 0, 0]
        solve { t = 0 .. 60, method = rodas5p, dtype = float64 }"""
      Final =
        [ 0.5646255480022769e-1
          0.1342484130422339
          0.4139734331099427e-8
          0.5523140207484359e-2
          0.2018977262302196e-6
          0.1464541863493966e-6
          0.7784249118997964e-1
          0.3245075353396018
          0.7494013383880406e-2
          0.1622293157301561e-7
          0.1135863833257075e-7
          0.2230505975721359e-2
          0.2087162882798630e-3
          0.1396921016840158e-4
          0.8964884856898295e-2
          0.4352846369330103e-17
          0.6899219696263405e-2
          0.1007803037365946e-3
          0.1772146513969984e-5
          0.5682943292316392e-4 ] }

let problems = [ robertson; vanDerPol; oregonator; hires; pollution ]

/// All problems, built for a method; their texts have rodas5p.
let private assemblyFor (method: string) =
    lazy
        (problems
         |> List.map (fun p -> $"model {p.Name} {{\n{p.Text}\n}}".Replace("rodas5p", method))
         |> String.concat "\n"
         |> GeneratedCode.ofText "stiff.deq")

let private forRodas5P, private forRadau = assemblyFor "rodas5p", assemblyFor "radau"

let create (problem: Problem) : DifferentialModel = GeneratedCode.create forRodas5P.Value problem.Name

/// The same built for radau, of whose stages small systems have the iteration as one piece.
let createForRadau (problem: Problem) : DifferentialModel = GeneratedCode.create forRadau.Value problem.Name

/// A method at a relative tolerance, its absolute one as small as the problem's states ask for.
let methodFor (name: string) rtol (problem: Problem) =
    Method(name, Rtol = Nullable rtol, Atol = Nullable(min problem.Atol (problem.Atol * rtol / 1e-8)))

let solveOn (target: SolveTarget) (method: string) rtol problem =
    let options = SolveOptions(Target = Nullable target, Method = methodFor method rtol problem)
    let model = if method = "radau" then createForRadau problem else create problem
    let solution = model.Solve(options = options)
    solution.EnsureSuccess()
    solution
