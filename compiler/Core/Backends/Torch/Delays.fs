/// The members of `Equations` about delays: how long they are and whose, and what the state was before the solve.
///
///     dx/dt = -x(t - tau)        Delays       [Delay.Of(tau, (0, 1))]
///     history x = cos(t)         History      cos(t)
///                                HistoryRate  -sin(t)
module internal DiffEqLang.Compiler.Backends.Torch.Delays

open DiffEqLang.Contracts
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Dynamics
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp
open DiffEqLang.Compiler.Backends.CSharp.Literals
open DiffEqLang.Compiler.Backends.CSharp.Members
open DiffEqLang.Compiler.Backends.Torch.Binding
open DiffEqLang.Compiler.Backends.Torch.Quantities
open DiffEqLang.Compiler.Backends.Torch.SharedTerms

/// `[..., 2]`, and what of it are delayed states: `[..., 2], the state followed by x(t - tau)`
let argumentShape (bound: Bound) =
    let model = bound.Face.Model
    let shape = DocumentationComments.batched [ Dynamics.argumentSize model ]

    match Dynamics.delayed model |> List.map _.Name with
    | [] -> shape
    | delayed -> sprintf "%s, the state followed by %s," shape (String.concat ", " delayed)

/// The delay as it is known in a solve: a number, or one of the fields.
let private value (bound: Bound) (delay: Expr.Expr) =
    match delay with
    | Build.Uniform x -> number x
    | { Op = Input symbol } -> bound.Surroundings.Fields[symbol]
    | _ -> Build.internalError "A delay is not known before the solve."

/// `Delay.Of(tau, (0, 1), (2, 3))`
let private spec (bound: Bound) (delay: Delay) =
    let size = Literals.dim bound.Surroundings.OpenDim

    invokeStatic
        "Delay"
        "Of"
        (value bound delay.Value
         :: [ for c, symbol in delay.States -> Tuple [ size c.Offset; size (Shape.size symbol.Shape) ] ])

let private delays (bound: Bound) =
    overriding (
        Property("IReadOnlyList<Delay>", "Delays", Collection [ for d in bound.Delays -> spec bound d ])
    )

let private quantity (bound: Bound) name values : Quantity =
    { Name = name
      IsPrivate = false
      Packings = [ { statePacking bound with Name = "initial" } ]
      Results =
        List.map2
            (fun (c: Component) value ->
                { Name = "past" + Naming.capitalized c.Symbol.Name
                  Value = value
                  Source = SourceSpan.None })
            bound.Components
            values }

let private history (bound: Bound) =
    match bound.History with
    | [] -> []
    | history ->
        both
            bound
            "The state before the start of the solve."
            "The vector-Jacobian product of the state before the start."
            (quantity bound "History" (List.map fst history))
        @ [ forward
                bound
                Unshared
                "The derivative by time of the state before the start."
                (quantity bound "HistoryRate" (List.map snd history)) ]

/// All members about delays; none where the model has none.
let members (bound: Bound) : Member list = if bound.Delays.IsEmpty then [] else delays bound :: history bound
