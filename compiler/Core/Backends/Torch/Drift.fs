/// The right-hand side of a system and its vector-Jacobian product, as methods of its equations.
module internal DiffEqLang.Compiler.Backends.Torch.Drift

open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dynamics
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp
open DiffEqLang.Compiler.Backends.CSharp.Members
open DiffEqLang.Compiler.Backends.Torch.Binding
open DiffEqLang.Compiler.Backends.Torch.Quantities
open DiffEqLang.Compiler.Backends.Torch.SharedTerms

/// More equations than this are not all named in a comment.
let private mostNamed = 6

/// `dx/dt, dy/dt, ..., and the residual of 0 = x - z^2`
let private equationNames (bound: Bound) =
    let names =
        [ for c in bound.Components do
              if not c.IsAlgebraic then
                  sprintf "d%s/dt" c.Symbol.Name
          for c in bound.Face.Model.Constraints do
              sprintf "residual of %s" c.Text ]

    (if names.Length > mostNamed then
         List.take (mostNamed - 1) names @ [ "..." ]
     else
         names)
    |> String.concat ", "

/// `Drift` and `DriftVjp`, which share what is costly where there is such.
let members (bound: Bound) : Member list =
    let size = DocumentationComments.batched [ bound.Face.Model.Size ]
    let doc = sprintf "%s.  %s -> %s" (equationNames bound) (Delays.argumentShape bound) size
    let vjpDoc = "The vector-Jacobian product of the drift; adds parameter gradients"

    let drifts = bound.Components |> List.map _.Drift
    let quantity = ofBase bound "Drift" [ argumentPacking bound ] drifts
    let product = vjp bound quantity

    match SharedTerms.between drifts (product.States @ product.Parameters) with
    | [] ->
        forward bound Unshared doc quantity
        :: backward bound Unshared (vjpDoc + " to the last argument.") quantity product
    | shared ->
        let ofGiven = "The drift, with the terms that its vector-Jacobian product needs again."
        let ofTaken = vjpDoc + ". Terms that were not kept are computed again."

        [ forward bound Unshared doc quantity; forward bound (Given shared) ofGiven quantity ]
        @ backward bound (Taken shared) ofTaken quantity product

/// The positions, where the system falls into positions and momenta, and their velocities, where it is of the second order.
let positions (bound: Bound) : Member list =
    let size = Literals.dim bound.Surroundings.OpenDim

    match bound.Face.Model.Partition with
    | Separable(blocks, velocities) ->
        [ overriding (
              Property(
                  "IReadOnlyList<(long Offset, long Length)>",
                  "Positions",
                  Collection [ for offset, length in blocks -> Tuple [ size offset; size length ] ]
              )
          )
          match velocities with
          | Ok offsets ->
              overriding (
                  Property(
                      "IReadOnlyList<long>",
                      "Velocities",
                      Collection [ for offset in offsets -> size offset ]
                  )
              )
          | Error _ -> () ]
    | Inseparable _ -> []
