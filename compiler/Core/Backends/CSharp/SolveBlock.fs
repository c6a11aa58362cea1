/// The model's `solve` block as the static field `SolveBlock`.
module internal DiffEqLang.Compiler.Backends.CSharp.SolveBlock

open DiffEqLang.Tableaux
open DiffEqLang.Compiler.Ir.Typed
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp.Literals

let private option (name, value) =
    match value with
    | Real order when name = "order" -> Naming.capitalized name, integer (int order)
    | Real x -> Naming.capitalized name, number x
    | Word w -> Naming.capitalized name, text w

let private method' (choice: MethodChoice) =
    let ofFile =
        choice.Tableau |> Option.map (fun _ -> "Tableau", Name "Tableau") |> Option.toList

    Initialized(New("Method", [ argument (text choice.Name) ]), ofFile @ List.map option choice.Options)

let private row (numbers: float seq) = Collection [ for x in numbers -> number x ]
let private rows (matrix: float[] seq) = Collection [ for numbers in matrix -> row numbers ]
let private tableauType = "DiffEqLang.Tableaux.RungeKuttaTableau"

/// The coefficients of `rk("mine.json")`, so that no file is read when the model runs.
let private tableau (tableau: RungeKuttaTableau) : Member =
    let dense =
        New("DiffEqLang.Tableaux.DenseOutput", [ argument (rows tableau.Dense); argument (Collection []) ])

    let error (estimate: ErrorEstimate) =
        New(
            "DiffEqLang.Tableaux.ErrorEstimate",
            [ argument (integer estimate.Order); argument (row estimate.Estimates[0]) ]
        )

    Members.privateConstant
        tableauType
        "Tableau"
        (New(
            "",
            [ argument (text tableau.Name)
              labelled "order" (integer tableau.Order)
              labelled "a" (tableau.A |> Seq.take tableau.B.Count |> Seq.skip 1 |> rows)
              labelled "b" (row tableau.B)
              labelled "citation" (text tableau.Citation)
              yield! tableau.Error |> Option.ofObj |> Option.map (error >> labelled "error") |> Option.toList
              labelled "dense" dense ]
        ))

let private solveBlock (block: SolveBlock) : Member =
    let setting name value written = value |> Option.map (fun x -> name, written x) |> Option.toList
    let enumeration typeName word = Member(Name typeName, Naming.capitalized word)

    let settings =
        List.concat
            [ setting "Start" block.Start number
              setting "End" block.End number
              setting "Method" block.Method method'
              setting "Gradient" (block.Gradient |> Option.map _.Mode) (enumeration "GradientMode")
              setting "Checkpoints" (block.Gradient |> Option.bind _.Checkpoints) integer
              setting "Target" (Option.map fst block.Target) (enumeration "SolveTarget")
              setting "Device" block.Device text
              setting "Dtype" block.Dtype (enumeration "ScalarType") ]

    Members.privateConstant "SolveDefaults" "SolveBlock" (Initialized(New("", []), settings))

/// The block, behind the tableau that its method takes from a file.
let fields (block: SolveBlock) : Member list =
    let ofFile = block.Method |> Option.bind _.Tableau |> Option.map tableau
    Option.toList ofFile @ [ solveBlock block ]
