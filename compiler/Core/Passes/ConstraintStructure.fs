/// Whether constraints can determine the algebraic unknowns, by who reads whom: ∂g/∂y must be structurally regular, index 1.
///
///     0 = x^2 + y^2 - L^2      with the unknown tension λ: reads no λ; its second derivative along the equations does
///
/// Constraints and unknowns are two sides of a graph, element by element, with an edge where a constraint reads an unknown after
/// simplification. They fit where every constraint can be matched with an unknown of its own. Duff, Erisman and Reid (1986), Direct Methods
/// for Sparse Matrices, ch. 6; what is differentiated, and how often: Pantelides (1988), SIAM J. Sci. Stat. Comput. 9.
module internal DiffEqLang.Compiler.Passes.ConstraintStructure

open System.Collections.Generic
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Dynamics

/// Of a higher index than this no model is known to make sense.
let private mostDifferentiations = 4

/// A constraint that no unknown is left for.
type Singular =
    {
        Constraint: Constraint
        /// Whether it reads no unknown at all.
        IsFree: bool
        /// The unknowns that are determined by nothing.
        Undetermined: string list
        /// How often it is differentiated along the equations until it reads an unknown, and what it is then.
        Differentiated: (int * Expr) option
    }

let private unknownsOf (model: Dynamics.Model) =
    model.Components |> List.filter _.IsAlgebraic |> List.map _.Symbol

/// The elements of the constraints, each with its constraint and the unknowns that it reads, by number.
let private rows (model: Dynamics.Model) (unknowns: Symbol list) =
    let places = Dictionary(unknowns |> Seq.mapi (fun i s -> KeyValuePair(s, i)))
    let isState (s: Symbol) = model.Components |> List.exists (fun c -> c.Symbol = s)

    let elements =
        model.Constraints
        |> List.map _.Residual
        |> Elements.spread isState
        |> List.zip model.Constraints
        |> List.collect (fun (c, residual) -> [ for e in Elements.ofValue residual -> c, e ])

    let simplified = elements |> List.map snd |> Simplify.run

    [ for (c, _), e in List.zip elements simplified ->
          c, Expr.inputs [ e ] |> List.filter places.ContainsKey |> List.map (fun s -> places[s]) ]

/// The row that each unknown is matched with, -1 for none: as many as possible, by augmenting paths.
let private matching (reads: int list[]) unknowns =
    let rowOf = Array.create unknowns -1

    let rec isPlaced (visited: HashSet<int>) row =
        reads[row]
        |> List.exists (fun unknown ->
            visited.Add unknown
            && (rowOf[unknown] < 0 || isPlaced visited rowOf[unknown])
            && (rowOf[unknown] <- row
                true))

    for row in 0 .. reads.Length - 1 do
        isPlaced (HashSet()) row |> ignore

    rowOf

/// A constraint that reads no unknown, differentiated along the equations until it does.
let private differentiated (model: Dynamics.Model) (unknowns: Symbol list) (c: Constraint) =
    let readsUnknown e = Expr.inputs [ e ] |> List.exists (fun s -> List.contains s unknowns)

    Seq.unfold
        (fun (times, e) ->
            let next = (Derivatives.alongSolution model.Components [ e ]).Head
            let hasEnd = times = mostDifferentiations || Build.isZero next
            if hasEnd then None else Some((times + 1, next), (times + 1, next)))
        (0, c.Residual)
    |> Seq.tryFind (snd >> readsUnknown)

/// The constraints for which no unknown is left; none where the structure allows a solution.
let analyse (model: Dynamics.Model) : Singular list =
    let whole = unknownsOf model
    let unknowns = whole |> List.collect Elements.ofSymbol
    let rows = rows model unknowns

    // Of vectors too long to be taken apart nothing is said, unless they pair with each other.
    if rows.Length <> unknowns.Length then
        []
    else
        let rowOf = matching (rows |> List.map snd |> Array.ofList) unknowns.Length
        let undetermined = [ for i, s in List.indexed unknowns do if rowOf[i] < 0 then s.Name ]

        [ for row, (c, reads) in List.indexed rows do
              if not (Array.contains row rowOf) then
                  { Constraint = c
                    IsFree = reads.IsEmpty
                    Undetermined = undetermined
                    Differentiated = if reads.IsEmpty then differentiated model whole c else None } ]
        |> List.distinctBy _.Constraint.Span
