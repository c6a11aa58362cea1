/// Which systems fall into positions and momenta.
module DiffEqLang.Tests.Compiler.PartitionTests

open Expecto
open DiffEqLang.Contracts
open DiffEqLang.Compiler
open DiffEqLang.Compiler.Syntax
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Dynamics
open DiffEqLang.Compiler.Checking

/// What is found of a model of these statements.
let private partition (statements: string) =
    Arena.Run(fun () ->
        let text = sprintf "model M {\n%s\n}" (statements.Replace("; ", "\n"))
        let tree, _ = Reader.read (SourceFile("m.deq", text))
        let models, diagnostics = Check.check (CompileOptions()) tree

        match models with
        | [ model ] -> (Pipeline.run true None model).Model.Partition
        | _ -> failtestf "%A" diagnostics)

/// Offsets and lengths, as text where they depend on open dims.
let private positions statements =
    match partition statements with
    | Separable(blocks, _) -> blocks |> List.map (fun (offset, length) -> string offset, string length)
    | Inseparable reason -> failtest reason

let private reason statements =
    match partition statements with
    | Separable(blocks, _) -> failtestf "%A" blocks
    | Inseparable reason -> reason

/// The offsets of velocities, block by block.
let private velocities statements =
    match partition statements with
    | Separable(_, Ok offsets) -> offsets |> List.map string
    | Separable(_, Error reason)
    | Inseparable reason -> failtest reason

/// Why positions have no velocities.
let private without statements =
    match partition statements with
    | Separable(_, Error reason) -> reason
    | other -> failtestf "%A" other

let private moves name statements expected =
    test $"velocities: {name}" { Expect.equal (velocities statements) expected statements }

let private isWithout name statements expected =
    test $"no velocities: {name}" { Expect.equal (without statements) expected statements }

let private falls name statements expected =
    test name { Expect.equal (positions statements) expected statements }

let private refuses name statements expected =
    test name { Expect.equal (reason statements) expected statements }

let tests =
    testList
        "Partition"
        [ falls "a second-order equation" "state q; d2q/dt2 = -sin(q)" [ "0", "1" ]
          falls "one of a vector" "state q : R[3]; d2q/dt2 = -q/norm(q)^3" [ "0", "3" ]
          falls "one of a matrix" "state q : R[2, 3]; d2q/dt2 = -q" [ "0", "6" ]
          falls "one of an open size" "dim n; state q : R[n]; d2q/dt2 = -sin(q)" [ "0", "n" ]
          falls "several" "state a, b; d2a/dt2 = b - a; d2b/dt2 = a - b" [ "0", "1"; "2", "1" ]
          falls
              "Hamilton's equations"
              "state q, p; let H = p^2/2 - cos(q); dq/dt = grad(H, p); dp/dt = -grad(H, q)"
              [ "0", "1" ]
          falls "whatever the order of the states" "state p, q; dp/dt = -q; dq/dt = p" [ "0", "1" ]
          falls
              "time and parameters beside"
              "state q, p; param k = 1; dq/dt = p*t; dp/dt = -k*q + sin(t)"
              [ "0", "1" ]
          falls "elements of one vector" "state y : R[2]; dy/dt = [y[1], -sin(y[0])]" [ "0", "1" ]
          falls
              "with the positions apart"
              "state y : R[4]; dy/dt = [y[1], -y[0], y[3], -y[2]]"
              [ "0", "1"; "2", "1" ]
          falls "where terms cancel" "state q, p; dq/dt = p + q - q; dp/dt = -q" [ "0", "1" ]

          moves "a second-order equation" "state q; d2q/dt2 = -sin(q)" [ "1" ]
          moves "of an open size" "dim n; state q : R[n]; d2q/dt2 = -sin(q)" [ "n" ]
          moves "of a matrix" "state q : R[2, 3]; d2q/dt2 = -q" [ "6" ]
          moves "several" "state a, b; d2a/dt2 = b - a; d2b/dt2 = a*t" [ "1"; "3" ]
          moves "of the first order" "state q, v, r; dq/dt = v; dv/dt = -q; dr/dt = sin(q)" [ "1" ]
          moves "elements" "state y : R[4]; dy/dt = [y[2], y[3], -y[0], -y[1]]" [ "2" ]
          moves
              "elements the other way round"
              "state y : R[4]; dy/dt = [y[3], y[2], -y[0], -y[1]]"
              [ "3"; "2" ]

          isWithout
              "momenta by a mass"
              "state q, p; param m = 2; dq/dt = p/m; dp/dt = -q"
              "the derivative of `q` is `p / m`, and not a state of its own"
          isWithout
              "two positions of one velocity"
              "state a, b, v; da/dt = v; db/dt = v; dv/dt = -a - b"
              "`v` is the derivative of both `a` and `b`"

          refuses
              "friction"
              "state q, p; dq/dt = p; dp/dt = -q - 0.1*p"
              "the derivative of `p` depends on `p` itself, in `0.1 * p`"
          refuses
              "an element that depends on itself"
              "state y : R[2]; dy/dt = [y[1], -y[0] - y[1]^3]"
              "the derivative of `y[1]` depends on `y[1]` itself, in `y[1] ^ 3`"
          refuses
              "a circle of three"
              "state x, y, z; dx/dt = y; dy/dt = z; dz/dt = x"
              "the derivative of `y` depends on `z`, in `z`, and the other equations put both into one part"
          refuses "a quadrature" "state x; dx/dt = sin(t)" "no derivative depends on a state"
          refuses "noise" "state X; wiener W; dX = -X*dt + dW" "the model has noise" ]
