/// Sizes: integer polynomials over the dims that a model leaves open (`dim n`). Two dims are equal exactly
/// when they are the same polynomial, so `n + n` is `2*n` and shapes are compared without guessing.
module internal DiffEqLang.Compiler.Ir.Dim

/// A product of open dims, sorted, with repetition: n*n*m is ["m"; "n"; "n"].
type Monomial = string list

/// Coefficients by monomial; none of them zero.
[<Struct; CustomEquality; NoComparison>]
type Dim =
    private
        { Terms: Map<Monomial, int64> }

    override this.Equals other =
        match other with
        | :? Dim as d -> this.Terms = d.Terms
        | _ -> false

    override this.GetHashCode() = hash this.Terms

    override this.ToString() =
        let monomial (names: Monomial, c: int64) =
            match names, c with
            | [], c -> string c
            | names, 1L -> String.concat "*" names
            | names, -1L -> "-" + String.concat "*" names
            | names, c -> sprintf "%d*%s" c (String.concat "*" names)

        if this.Terms.IsEmpty then
            "0"
        else
            this.Terms
            |> Map.toList
            |> List.rev
            |> List.map monomial
            |> String.concat " + "
            |> fun s -> s.Replace("+ -", "- ")

let private normal terms = { Terms = Map.filter (fun _ c -> c <> 0L) terms }

let constant (n: int64) = normal (Map.ofList [ [], n ])
let variable name = normal (Map.ofList [ [ name ], 1L ])
let zero = constant 0L
let one = constant 1L

let private addTerm (terms: Map<Monomial, int64>) (m: Monomial) (c: int64) =
    Map.add m (Checked.(+) c (Map.tryFind m terms |> Option.defaultValue 0L)) terms

let add a b = normal (Map.fold addTerm a.Terms b.Terms)
let scale (k: int64) a = normal (Map.map (fun _ c -> Checked.(*) k c) a.Terms)
let subtract a b = add a (scale -1L b)

let multiply a b =
    normal (
        Map.fold
            (fun acc m c ->
                Map.fold (fun acc m' c' -> addTerm acc (List.sort (m @ m')) (Checked.(*) c c')) acc b.Terms)
            Map.empty
            a.Terms
    )

/// The number, where no open dim is in it.
let tryConstant a =
    if a.Terms.IsEmpty then Some 0L
    elif a.Terms.Count = 1 then Map.tryFind [] a.Terms
    else None

/// Exact division by an integer: None where a coefficient does not divide.
let tryDivide a (k: int64) =
    if k <> 0L && Map.forall (fun _ c -> c % k = 0L) a.Terms then
        Some(normal (Map.map (fun _ c -> c / k) a.Terms))
    else
        None

/// The open dims in it, sorted.
let variables a = a.Terms |> Map.toList |> List.collect fst |> List.distinct |> List.sort

/// Its terms, as coefficient and factors, in a fixed order.
let terms a = a.Terms |> Map.toList |> List.map (fun (m, c) -> c, m)

/// Its value for given open dims. Raises KeyNotFoundException where one is missing.
let evaluate (values: Map<string, int64>) a =
    a.Terms
    |> Map.toSeq
    |> Seq.sumBy (fun (m, c) -> List.fold (fun p name -> Checked.(*) p values[name]) c m)

/// Puts values in for some of the open dims.
let substitute (values: Map<string, int64>) a =
    a.Terms
    |> Map.fold
        (fun acc m c ->
            let known, open' = List.partition (fun n -> Map.containsKey n values) m
            addTerm acc open' (List.fold (fun p n -> Checked.(*) p values[n]) c known))
        Map.empty
    |> normal
