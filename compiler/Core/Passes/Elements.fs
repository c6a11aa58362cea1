/// Short vectors element by element, for what is asked about who reads whom.
///
///     x : R[2]      becomes      [x[0], x[1]]
module internal DiffEqLang.Compiler.Passes.Elements

open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Shape
open DiffEqLang.Compiler.Ir.Expr

/// Vectors of more elements than this are taken whole.
let private mostElements = 64L

/// The length of a vector that is taken element by element.
let tryLength (shape: Shape) =
    match shape with
    | [ n ] -> Dim.tryConstant n |> Option.filter (fun n -> n <= mostElements)
    | _ -> None

let private element (symbol: Symbol) i : Symbol =
    { symbol with Name = sprintf "%s[%d]" symbol.Name i; Shape = Shape.scalar }

/// The elements of a vector; the symbol itself where it is taken whole.
let ofSymbol (symbol: Symbol) : Symbol list =
    match tryLength symbol.Shape with
    | Some n -> [ for i in 0 .. int n - 1 -> element symbol i ]
    | None -> [ symbol ]

/// The elements of a value, as those of symbols.
let ofValue (e: Expr) : Expr list =
    match tryLength e.Shape with
    | Some n -> [ for i in 0 .. int n - 1 -> Build.index 0 i e ]
    | None -> [ e ]

/// The vectors among some inputs as stacks of their elements.
let spread (isChosen: Symbol -> bool) (values: Expr list) : Expr list =
    let stacked (symbol: Symbol) =
        tryLength symbol.Shape
        |> Option.map (fun _ -> Build.stack (ofSymbol symbol |> List.map Build.input))

    Linearity.substituteInputs (fun s -> if isChosen s then stacked s else None) values
