/// The parts of an explanation in the two notations, the language's own and LaTeX.
module internal DiffEqLang.Compiler.Backends.Explain.Notation

open System.Collections.Generic
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Typed
open DiffEqLang.Compiler.Ir.Dynamics
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Backends.Latex
open DiffEqLang.Compiler.Backends.Explain.Explanation
open DiffEqLang.Compiler.Backends.Explain.FormulaLine

/// A system of more scalars than this has its Jacobian's pattern counted, not shown.
let private mostShown = 32

let nameOf (x: Explanation) (e: Expr) =
    match x.Names.TryGetValue e with
    | true, name -> Some name
    | _ -> None

/// A term's own line shows what it is, not its name.
let definition (x: Explanation) (e: Expr) (node: Expr) = if node = e then None else nameOf x node

let plainRight x (f: Formula) = Plain.plainWith (definition x f.Right) f.Right

let lambda (name: string) =
    if name.StartsWith "λ_" then
        sprintf @"\lambda_{%s}" (Formula.name (name.Substring 2))
    else
        Formula.name name

let latexRight x (f: Formula) = Formula.latexWith (definition x f.Right >> Option.map lambda) f.Right

/// An equation whose right side has been given a name says that name.
let isTerm x (f: Formula) = (nameOf x f.Right).IsSome

let plainResult x (f: Formula) = if isTerm x f then (nameOf x f.Right).Value else plainRight x f

let latexResult x (f: Formula) = if isTerm x f then lambda (nameOf x f.Right).Value else latexRight x f

/// Rows and columns with a mark where an entry is not zero.
let pattern (x: Explanation) =
    let n = x.Model.Components.Length
    let filled = HashSet(x.Jacobian |> List.map (fun (i, j, _) -> struct (i, j)))

    if n > mostShown then
        []
    else
        [ for i in 0 .. n - 1 ->
              String.concat " " [ for j in 0 .. n - 1 -> if filled.Contains(struct (i, j)) then "×" else "·" ] ]

let sparsity (x: Explanation) =
    let n = x.Model.Components.Length
    let blocks = sprintf "%d of %d blocks are not zero" x.Jacobian.Length (n * n)

    match Sparsity.analyse x.Model |> Option.filter Sparsity.isWorthwhile with
    | Some found ->
        let all = int64 found.Size * int64 found.Size
        sprintf "%s, %d of %d entries: sparse for implicit methods" blocks found.Entries all
    | None -> blocks

let noiseName (s: NoiseStructure) =
    match s with
    | Additive -> "additive"
    | NoiseStructure.Diagonal -> "diagonal"
    | Scalar -> "scalar"
    | Commutative -> "commutative"
    | General -> "general"

let solveLines (block: SolveBlock) =
    let option (name, value) =
        match value with
        | Real v -> sprintf "%s = %s" name (Plain.number v)
        | Word w -> sprintf "%s = %s" name w

    /// A method of a file by the name that stands there.
    let methodText (m: MethodChoice) =
        if m.Options.IsEmpty then
            m.Name
        else
            sprintf "%s(%s)" m.Name (m.Options |> List.map option |> String.concat ", ")

    [ match block.Start, block.End with
      | Some a, Some b -> "t", sprintf "%s .. %s" (Plain.number a) (Plain.number b)
      | _ -> ()
      yield! block.Method |> Option.map (fun m -> "method", methodText m) |> Option.toList
      yield! block.Gradient |> Option.map (fun g -> "gradient", g.Written) |> Option.toList
      yield! block.Target |> Option.map (fun (name, _) -> "target", name) |> Option.toList
      yield! block.Device |> Option.map (fun v -> "device", v) |> Option.toList
      yield! block.Dtype |> Option.map (fun v -> "dtype", v) |> Option.toList ]

let jacobianFormulas (x: Explanation) =
    if x.Model.Components.Length > mostShown then
        []
    else
        x.Jacobian |> List.map (fun (_, _, f) -> f)

/// How the adjoint is to be read, in LaTeX.
let adjointIntroduction (x: Explanation) =
    let runs =
        @"The cotangent $\lambda = \partial L / \partial x$ of the state runs backwards from the loss"

    match x.Model.Noise with
    | None -> runs + "."
    | Some _ ->
        runs
        + @", $\mathrm{d}\lambda = f_\lambda \, \mathrm{d}t + (g \circ \mathrm{d}W)_\lambda$, in the sense of Stratonovich, "
        + "in which the chain rule holds (Li, Wong, Chen and Duvenaud 2020)."

let gradientsIntroduction (x: Explanation) =
    let sense = if x.Model.Noise.IsSome then " in the sense of Stratonovich" else ""
    sprintf "Integrated over the solve%s, summed over the batch." sense
