/// Expressions in LaTeX, as a paper writes them.
module internal DiffEqLang.Compiler.Backends.Latex.Formula

open System
open System.Globalization
open System.Text.RegularExpressions
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Builtins

/// Letters that LaTeX spells as commands.
let private greek =
    dict
        [ "alpha", @"\alpha"
          "beta", @"\beta"
          "gamma", @"\gamma"
          "delta", @"\delta"
          "epsilon", @"\epsilon"
          "zeta", @"\zeta"
          "eta", @"\eta"
          "theta", @"\theta"
          "kappa", @"\kappa"
          "lambda", @"\lambda"
          "mu", @"\mu"
          "nu", @"\nu"
          "xi", @"\xi"
          "pi", @"\pi"
          "rho", @"\rho"
          "sigma", @"\sigma"
          "tau", @"\tau"
          "phi", @"\phi"
          "chi", @"\chi"
          "psi", @"\psi"
          "omega", @"\omega"
          "Gamma", @"\Gamma"
          "Delta", @"\Delta"
          "Theta", @"\Theta"
          "Lambda", @"\Lambda"
          "Sigma", @"\Sigma"
          "Phi", @"\Phi"
          "Psi", @"\Psi"
          "Omega", @"\Omega"
          "α", @"\alpha"
          "β", @"\beta"
          "γ", @"\gamma"
          "δ", @"\delta"
          "ε", @"\epsilon"
          "ζ", @"\zeta"
          "η", @"\eta"
          "θ", @"\theta"
          "κ", @"\kappa"
          "λ", @"\lambda"
          "μ", @"\mu"
          "ν", @"\nu"
          "ξ", @"\xi"
          "π", @"\pi"
          "ρ", @"\rho"
          "σ", @"\sigma"
          "τ", @"\tau"
          "φ", @"\phi"
          "χ", @"\chi"
          "ψ", @"\psi"
          "ω", @"\omega"
          "Γ", @"\Gamma"
          "Δ", @"\Delta"
          "Θ", @"\Theta"
          "Λ", @"\Lambda"
          "Σ", @"\Sigma"
          "Φ", @"\Phi"
          "Ψ", @"\Psi"
          "Ω", @"\Omega" ]

let private letter (word: string) =
    match greek.TryGetValue word with
    | true, command -> command
    | _ when word.Length = 1 -> word
    | _ -> sprintf @"\mathrm{%s}" word

let private words = Regex @"\p{L}[\p{L}\p{Nd}_]*'*"

/// A name with its trailing number or last part after `_` as an index: `W1` is `W_{1}`, `f_W1` is `\mathrm{f\_W}_{1}`.
let rec name (text: string) =
    match text.IndexOf '(' with
    | -1 -> plainName text
    | cut -> name (text.Substring(0, cut)) + atTime (text.Substring cut)

/// `(t - 2 * tau)`, what a delayed state is called at.
and private atTime (text: string) =
    words.Replace(text, (fun (word: Match) -> plainName word.Value)).Replace(" * ", @"\,")

and private plainName (text: string) =
    let primes = text |> Seq.rev |> Seq.takeWhile ((=) '\'') |> Seq.length
    let stem = text.TrimEnd '\''
    let digits = stem |> Seq.rev |> Seq.takeWhile Char.IsAsciiDigit |> Seq.length

    let word, index =
        stem.Substring(0, stem.Length - digits), stem.Substring(stem.Length - digits)

    let word, index =
        match word.TrimEnd('_').LastIndexOf '_' with
        | cut when cut > 0 && index = "" ->
            word.Substring(0, cut), letter (word.Substring(cut + 1).TrimEnd '_')
        | _ -> word.TrimEnd '_', index

    let differential =
        word.Length > 1
        && word[0] = 'd'
        && (word.Length = 2 || greek.ContainsKey(word.Substring 1))

    let body =
        if differential then
            @"\mathrm{d}" + letter (word.Substring 1)
        else
            letter (word.Replace("_", @"\_"))

    let indexed = if index = "" then body else sprintf "%s_{%s}" body index
    indexed + String.replicate primes "'"

/// `1.5`, `10^{-7}`, `2.5 \cdot 10^{-3}`.
let number (x: float) =
    if Double.IsPositiveInfinity x then
        @"\infty"
    elif Double.IsNegativeInfinity x then
        @"-\infty"
    elif Double.IsNaN x then
        @"\mathrm{NaN}"
    elif x = Math.PI then
        @"\pi"
    else
        let text = x.ToString("R", CultureInfo.InvariantCulture)

        match text.IndexOf 'E' with
        | -1 -> text
        | at ->
            let mantissa, exponent = text.Substring(0, at), int (text.Substring(at + 1))
            let power = sprintf "10^{%d}" exponent
            if mantissa = "1" then power else sprintf @"%s \cdot %s" mantissa power

/// How tightly a formula holds together: a looser one gets parentheses inside a tighter one. Products element by element
/// and matrix products do not associate with each other: each gets parentheses inside the other.
type private Level =
    | Condition = 0
    | Sum = 1
    /// `∑ x`, which would take a factor behind it into its sum.
    | Reduction = 2
    | Elementwise = 3
    | MatrixProduct = 4
    | Scaled = 5
    | Power = 6
    | Atom = 7

let private parentheses text = sprintf @"\left(%s\right)" text

let private relation c =
    match c with
    | Less -> "<"
    | LessOrEqual -> @"\le"
    | Greater -> ">"
    | GreaterOrEqual -> @"\ge"
    | Equal -> "="
    | NotEqual -> @"\ne"

let private reduction kind =
    match kind with
    | Reduction.Sum -> @"\sum"
    | Product -> @"\prod"
    | Maximum -> @"\max"
    | Minimum -> @"\min"

let private operator kind =
    match kind with
    | Gradient -> @"\nabla"
    | Jacobian -> @"\operatorname{jac}"
    | Divergence -> @"\nabla\cdot"
    | Hessian -> @"\nabla^2"
    | Laplacian -> @"\Delta"
    | Jvp -> @"\operatorname{jvp}"
    | Vjp -> @"\operatorname{vjp}"

let private applied name arguments =
    sprintf @"\operatorname{%s}\left(%s\right)" name (String.concat ", " arguments)

/// Matrices and vectors written out, row by row; None for what is not.
let rec private (|Rows|_|) (isNamed: Expr -> bool) (e: Expr) : Expr list list option =
    let isWrittenOut (a: Expr) =
        match a.Op with
        | Stack -> not (isNamed a) && a.Args |> List.forall _.Shape.IsEmpty
        | _ -> false

    match e.Op, e.Shape.Length with
    | Stack, 1 -> Some(e.Args |> List.map List.singleton)
    | Stack, 2 when List.forall isWrittenOut e.Args -> Some(e.Args |> List.map _.Args)
    | _ -> None

let private matrix rows =
    rows
    |> List.map (String.concat " & ")
    |> String.concat @" \\ "
    |> sprintf @"\begin{pmatrix} %s \end{pmatrix}"

let rec private write (named: Expr -> string option) (e: Expr) : string * Level =
    let at level (a: Expr) =
        let text, own = write named a
        if own < level then parentheses text else text

    let any a = fst (write named a)
    let isNamed a = (named a).IsSome

    match named e with
    | Some text -> text, Level.Atom
    | None ->
        match e.Op, e.Args with
        | Number x, _ -> number x, (if x < 0.0 then Level.Sum else Level.Atom)
        | Input s, _ -> name s.Name, Level.Atom
        | Add, [ a; b ] -> sprintf "%s + %s" (at Level.Sum a) (at Level.Sum b), Level.Sum
        | Subtract, [ a; b ] -> sprintf "%s - %s" (at Level.Sum a) (at Level.Reduction b), Level.Sum
        | Multiply, [ a; b ] -> product named a b
        | Divide, [ a; b ] -> sprintf @"\frac{%s}{%s}" (any a) (any b), Level.Scaled
        | Power, [ a; b ] -> sprintf "{%s}^{%s}" (at Level.Atom a) (any b), Level.Power
        | Negate, [ a ] -> sprintf "-%s" (at Level.Reduction a), Level.Sum
        // Written with operators: their operands need parentheses.
        | Call("inv", _), [ a ] -> sprintf "{%s}^{-1}" (at Level.Atom a), Level.Power
        | Call("solve", _), [ a; b ] ->
            sprintf "{%s}^{-1} %s" (at Level.Atom a) (at Level.Scaled b), Level.MatrixProduct
        | Call(name, _), args -> (Catalogue.find name).Latex(List.map any args), Level.Atom
        | Compare c, [ a; b ] ->
            sprintf "%s %s %s" (at Level.Sum a) (relation c) (at Level.Sum b), Level.Condition
        | And, [ a; b ] -> sprintf @"%s \land %s" (at Level.Atom a) (at Level.Atom b), Level.Condition
        | Or, [ a; b ] -> sprintf @"%s \lor %s" (at Level.Atom a) (at Level.Atom b), Level.Condition
        | Not, [ a ] -> sprintf @"\lnot %s" (at Level.Atom a), Level.Condition
        | Select, [ c; a; b ] ->
            sprintf
                @"\begin{cases} %s & \text{if } %s \\ %s & \text{otherwise} \end{cases}"
                (any a)
                (any c)
                (any b),
            Level.Sum
        | Contract(left, right), [ a; b ] -> contraction named left right a b
        | Permute [ 1; 0 ], [ a ] -> sprintf @"{%s}^{\top}" (at Level.Atom a), Level.Power
        | Permute axes, [ a ] -> applied "permute" (any a :: List.map string axes), Level.Atom
        | Reduce(Sum, _), [ { Op = Diagonal; Args = [ a ] } as diagonal ] when
            a.Shape.Length = 2 && not (isNamed diagonal)
            ->
            applied "tr" [ any a ], Level.Atom
        | Reduce(kind, axes), [ a ] ->
            let over =
                if axes.Length = a.Shape.Length then
                    ""
                else
                    axes |> List.map string |> String.concat "," |> sprintf @"_{\text{axis }%s}"

            sprintf "%s%s %s" (reduction kind) over (at Level.Elementwise a), Level.Reduction
        | Broadcast _, [ a ] when a.Shape.IsEmpty ->
            sprintf @"%s \, \mathbf{1}" (at Level.MatrixProduct a), Level.Scaled
        | Broadcast _, [ a ] -> write named a
        | Index(_, position), [ a ] -> sprintf "{%s}_{[%d]}" (at Level.Atom a) position, Level.Atom
        | Slice(_, from, upTo), [ a ] -> sprintf @"{%s}_{[%O..%O]}" (at Level.Atom a) from upTo, Level.Atom
        | Pad(_, from, size), [ a ] -> applied "pad" [ any a; string from; string size ], Level.Atom
        | Stack, args ->
            match e with
            | Rows isNamed rows -> matrix (rows |> List.map (List.map any)), Level.Atom
            | _ when e.Shape.Length = 2 ->
                matrix [ for row in args -> [ sprintf @"{%s}^{\top}" (at Level.Atom row) ] ], Level.Atom
            | _ -> applied "stack" (List.map any args), Level.Atom
        | Concat, args -> matrix [ for part in args -> [ any part ] ], Level.Atom
        | Reshape _, [ a ] -> write named a
        | Diagonal, [ a ] -> applied "diag" [ any a ], Level.Atom
        | DiagonalMatrix, [ { Op = Broadcast _; Args = [ a ] } as repeated ] when
            a.Shape.IsEmpty && repeated.Shape.Length = 1 && not (isNamed repeated)
            ->
            match a.Op with
            | Number -1.0 -> "-I", Level.Sum
            | Negate -> sprintf @"-%s \, I" (at Level.MatrixProduct a.Args.Head), Level.Sum
            | _ -> sprintf @"%s \, I" (at Level.MatrixProduct a), Level.Scaled
        | DiagonalMatrix, [ a ] -> applied "diag" [ any a ], Level.Atom
        | Identity _, _ -> "I", Level.Atom
        | Derivative kind, f :: x :: _ ->
            sprintf @"%s_{%s} %s" (operator kind) (any x) (at Level.Power f), Level.Scaled
        | BatchSum, [ a ] -> write named a
        | op, args -> Build.internalError "LaTeX met %A with %d operands." op args.Length

/// A number or a scalar stands before what it scales; tensors are multiplied element by element.
and private product named a b =
    let scaling loosest (e: Expr) =
        let text, own = write named e
        // `xᵀy` as a factor would take what follows into its product.
        let isLoose = own < loosest || (own = Level.MatrixProduct && e.Shape.IsEmpty)
        if isLoose then parentheses text, Level.Atom else text, own

    let factor (e: Expr) =
        let text, own = write named e

        if own < Level.Elementwise || own = Level.MatrixProduct then
            parentheses text
        else
            text

    match a.Op with
    | Number x when x < 0.0 && (named a).IsNone ->
        let positive, level = product named (Build.number -x) b
        "-" + positive, min level Level.Sum
    | _ when a.Shape.IsEmpty || b.Shape.IsEmpty ->
        let left, ofLeft = scaling Level.Elementwise a
        let right, ofRight = scaling Level.Reduction b

        let dot =
            match b.Op with
            | Number _ -> @" \cdot "
            | _ -> @" \, "

        left + dot + right, min Level.Scaled (min ofLeft ofRight)
    | _ -> sprintf @"%s \odot %s" (factor a) (factor b), Level.Elementwise

and private contraction named left right a b =
    let at level (e: Expr) =
        let text, own = write named e
        if own < level then parentheses text else text

    // Only the left factor of a product may be a product itself: they associate from the left.
    let first e = at Level.MatrixProduct e
    let second e = at Level.Scaled e
    let transposed (e: Expr) = sprintf @"{%s}^{\top}" (at Level.Atom e)
    let matrixLike (e: Expr) = e.Shape.Length <= 2

    match a.Shape.Length, b.Shape.Length, left, right with
    | 1, 1, [ 0 ], [ 0 ] -> sprintf @"%s %s" (transposed a) (second b), Level.MatrixProduct
    | _, _, [ l ], [ 0 ] when l = a.Shape.Length - 1 && matrixLike a && matrixLike b ->
        sprintf @"%s \, %s" (if a.Shape.Length = 1 then transposed a else first a) (second b),
        Level.MatrixProduct
    | 2, _, [ 0 ], [ 0 ] when matrixLike b -> sprintf @"%s %s" (transposed a) (second b), Level.MatrixProduct
    | _, 2, [ l ], [ 1 ] when l = a.Shape.Length - 1 && matrixLike a ->
        if a.Shape.Length = 1 then
            sprintf @"%s \, %s" (first b) (second a), Level.MatrixProduct
        else
            sprintf @"%s \, %s" (first a) (transposed b), Level.MatrixProduct
    | 2, 2, [ 0 ], [ 1 ] -> sprintf @"%s %s" (transposed a) (transposed b), Level.MatrixProduct
    | _, _, [], [] -> sprintf @"%s \otimes %s" (second a) (second b), Level.MatrixProduct
    | _ ->
        let pairs =
            List.zip left right |> List.map (fun (i, j) -> sprintf "%d:%d" i j) |> String.concat ","

        sprintf @"\left\langle %s, %s \right\rangle_{%s}" (at Level.Sum a) (at Level.Sum b) pairs, Level.Atom

/// A formula in which some nodes go by names.
let latexWith (named: Expr -> string option) (e: Expr) = fst (write named e)

let latex (e: Expr) = latexWith (fun _ -> None) e
