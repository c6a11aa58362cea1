/// The model's `solve` block as the static field `SolveBlock`.
module internal DiffEqLang.Compiler.Backends.CSharp.SolveBlock

open DiffEqLang.Compiler.Ir.Typed
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp.Literals

let private option (name, value) =
    match value with
    | Real x -> Naming.capitalized name, number x
    | Word w -> Naming.capitalized name, text w

let private method' (choice: MethodChoice) =
    Initialized(New("Method", [ argument (text choice.Name) ]), List.map option choice.Options)

let field (block: SolveBlock) : Member =
    let setting name value written = value |> Option.map (fun x -> name, written x) |> Option.toList
    let enumeration typeName word = Member(Name typeName, Naming.capitalized word)

    let settings =
        List.concat
            [ setting "Start" block.Start number
              setting "End" block.End number
              setting "Method" block.Method method'
              setting "Gradient" block.Gradient (enumeration "GradientMode")
              setting "Target" (Option.map fst block.Target) (enumeration "SolveTarget")
              setting "Device" block.Device text
              setting "Dtype" block.Dtype (enumeration "ScalarType") ]

    Members.privateConstant "SolveDefaults" "SolveBlock" (Initialized(New("", []), settings))
