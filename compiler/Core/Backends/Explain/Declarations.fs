/// The table of what a model declares: states, parameters, constants, Wiener processes.
module internal DiffEqLang.Compiler.Backends.Explain.Declarations

open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Typed
open DiffEqLang.Compiler.Backends.Latex

type Row = { Kind: string; Name: string; Type: string; Value: string; Doc: string }

let private initializerText (i: Initializer) =
    match i with
    | Value e -> Plain.plainWith (fun _ -> None) e
    | Normal(mean, deviation) -> sprintf "~ normal(%s, %s)" (Plain.number mean) (Plain.number deviation)
    | Uniform(low, high) -> sprintf "~ uniform(%s, %s)" (Plain.number low) (Plain.number high)
    | XavierUniform -> "~ xavier_uniform"
    | XavierNormal -> "~ xavier_normal"
    | KaimingUniform -> "~ kaiming_uniform"
    | KaimingNormal -> "~ kaiming_normal"
    | Orthogonal -> "~ orthogonal"
    | LinearDefault fanIn -> sprintf "~ uniform(-1/sqrt(%O), 1/sqrt(%O))" fanIn fanIn

let private bound x =
    if System.Double.IsPositiveInfinity x then "inf"
    elif System.Double.IsNegativeInfinity x then "-inf"
    else Plain.number x

let private row kind (s: Symbol) value (doc: string) =
    { Kind = kind
      Name = s.Name
      Type = Shape.print s.Shape
      Value = value
      Doc = doc.Replace('\n', ' ') }

let rows (model: Dynamics.Model) =
    let typed = model.Typed
    let plain e = Plain.plainWith (fun _ -> None) e

    [ for c in model.Components do
          row (if c.IsAlgebraic then "algebraic" else "state") c.Symbol (c.Initial |> Option.map plain |> Option.defaultValue "") c.Doc
      for p in typed.Parameters do
          let within =
              p.Bounds
              |> Option.map (fun b -> sprintf " in (%s, %s)" (bound b.Low) (bound b.High))
              |> Option.defaultValue ""

          row "param" p.Symbol (initializerText p.Initializer + within) p.Doc
      for c in typed.Constants do
          row "const" c.Symbol (plain c.Value) c.Doc
      for w in typed.Wiener do
          let correlated = if w.Correlation.IsSome then "correlated" else ""
          row "wiener" { w.Increment with Name = w.Name } correlated "" ]
