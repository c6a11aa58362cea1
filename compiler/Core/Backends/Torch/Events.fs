/// The members of `Equations` about events: what they watch, what they do to the state, and the derivatives of both.
///
///     when falling(h) { v := -0.8*v }        EventValues  h
///                                            EventRates   dh/dt along the solution
///                                            Jump0        [h, -0.8*v]
module internal DiffEqLang.Compiler.Backends.Torch.Events

open DiffEqLang.Contracts
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Dynamics
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp
open DiffEqLang.Compiler.Backends.CSharp.Literals
open DiffEqLang.Compiler.Backends.CSharp.Members
open DiffEqLang.Compiler.Backends.Torch.Binding
open DiffEqLang.Compiler.Backends.Torch.Packing
open DiffEqLang.Compiler.Backends.Torch.Quantities
open DiffEqLang.Compiler.Backends.Torch.SharedTerms

// What is watched

let private valueMember (bound: Bound) name packing (value: Expr.Expr) span =
    let written = Functions.writeValue bound.Surroundings packing value span
    overriding (Method("Tensor", name, tensors written, Block written.Body))

/// The vector-Jacobian product of what is watched, w being a vector with an element for each.
let private watchedProduct (bound: Bound) (watched: Watched) =
    let w: Symbol = { Name = "w"; Role = Cotangent; Shape = watched.Values.Shape }

    let product =
        Derivatives.vjpOf [ watched.Values, w ] (bound.Components |> List.map _.Symbol) bound.Parameters
        |> arranged

    let packings = [ statePacking bound; { Name = "w"; Parts = [ w, Dim.zero ] } ]
    let written = productBody bound Unshared "EventValuesVjp" packings product
    overriding (Method("Tensor", "EventValuesVjp", productParameters written, Block written.Body))

let private watched (bound: Bound) =
    match bound.Watched with
    | None -> []
    | Some watched ->
        [ valueMember bound "EventValues" (statePacking bound) watched.Values SourceSpan.None
          valueMember bound "EventRates" (argumentPacking bound) watched.Rates SourceSpan.None
          watchedProduct bound watched ]

// What they do

/// `which switch { 0 => Jump0(t, state), _ => base.Jump(which, t, state) }`
let private choosing (jumps: (int * Jump) list) name (suffix: string) (others: Parameter list) =
    let parameters = parameter "int" "which" :: others
    let arguments = [ for p in others -> Name p.Name ]

    let arms =
        [ for i, _ in jumps -> integer i, invoke (sprintf "%s%d%s" name i suffix) arguments ]

    let otherwise =
        Name "_", invokeMethod (Name "base") (name + suffix) (Name "which" :: arguments)

    overriding (
        Method("Tensor", name + suffix, parameters, Arrow(Switch(Name "which", arms @ [ otherwise ])))
    )

/// The methods of one event that changes the state.
let private ofJump (bound: Bound) (number: int, jump: Jump) =
    let quantity name (suffix: string) packing values : Quantity =
        { Name = sprintf "%s%d" name number
          IsPrivate = true
          Packings = [ packing ]
          Results =
            List.map2
                (fun (c: Component) value ->
                    { Name = c.Symbol.Name + suffix; Value = value; Source = jump.Event.Decl.Span })
                bound.Components
                values }

    let what = sprintf "at `%s`" jump.Event.Decl.Name

    both
        bound
        (sprintf "The state after what happens %s, from the one before." what)
        (sprintf "The vector-Jacobian product of what happens %s." what)
        (quantity "Jump" "After" (statePacking bound) jump.After)
    @ [ forward
            bound
            Unshared
            (sprintf
                "The derivative, by the time at which it happens, of the state after what happens %s."
                what)
            (quantity "JumpRate" "Rate" (argumentPacking bound) jump.Rates) ]

let private jumps (bound: Bound) =
    let changing = bound.Jumps |> List.indexed |> List.filter (fun (_, j) -> not j.After.IsEmpty)

    let tensors names = [ for name in names -> parameter "Tensor" name ]
    let state = tensors [ "t"; "state" ]
    let product = tensors [ "t"; "state"; "w" ] @ [ parameter "ParameterGradients" "into" ]

    match changing with
    | [] -> []
    | changing ->
        [ choosing changing "Jump" "" state
          choosing changing "JumpRate" "" state
          choosing changing "Jump" "Vjp" product
          for jump in changing do
              yield! ofJump bound jump ]

/// All members about events; none where the model has none.
let members (bound: Bound) : Member list =
    if bound.Jumps.IsEmpty then
        []
    else
        EventSpecs.property [ for jump in bound.Jumps -> jump.Event ] :: watched bound
        @ jumps bound
