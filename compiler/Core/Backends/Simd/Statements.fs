/// Straight-line code with counted loops: what a kernel's method is before it is C#, and what its statements touch.
module internal DiffEqLang.Compiler.Backends.Simd.Statements

open System.Collections.Generic
open System.Globalization
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp

type Statement =
    /// `var name = value;`
    | Declare of name: string * value: CSharp.Expr * Source option
    /// `target = value;` of an element of an array, or of a sum declared before.
    | Store of target: CSharp.Expr * value: CSharp.Expr * Source option
    /// Room for registers that only this method uses.
    | Scratch of name: string * length: int
    /// `call;` of a method that takes whole arrays, and writes some of them.
    | Overwrite of call: CSharp.Expr * arrays: string list * Source option
    /// `for (var variable = 0; variable < count; variable++)`
    | Loop of variable: string * count: int * Statement list

// What a statement touches

/// Names that an expression reads, and the elements of arrays among them.
let rec reads (names: HashSet<string>) (elements: ResizeArray<string * CSharp.Expr>) (e: CSharp.Expr) =
    let recurse = reads names elements

    match e with
    | Name name -> names.Add name |> ignore
    | Element(Name array, [ place ]) ->
        names.Add array |> ignore
        elements.Add((array, place))
        recurse place
    | Element(target, places) ->
        recurse target
        List.iter recurse places
    | Literal _
    | OutVar _
    | StackAlloc _ -> ()
    | Member(target, _) -> recurse target
    | Invoke(callee, arguments) ->
        recurse callee
        arguments |> List.iter (fun a -> recurse a.Value)
    | Prefix(_, operand)
    | Spread operand
    | OutTarget operand
    | Lambda(_, operand)
    | Throw operand -> recurse operand
    | Infix(left, _, right) ->
        recurse left
        recurse right
    | Conditional(a, b, c) -> List.iter recurse [ a; b; c ]
    | Collection items
    | Tuple items
    | ArrayOf(_, items) -> List.iter recurse items
    | New(_, arguments) -> arguments |> List.iter (fun a -> recurse a.Value)
    | Initialized(creation, properties) ->
        recurse creation
        properties |> List.iter (snd >> recurse)
    | Switch(subject, arms) ->
        recurse subject

        arms
        |> List.iter (fun (pattern, value) ->
            recurse pattern
            recurse value)

/// What a statement reads and writes.
type Touched() =
    member val Reads = HashSet<string>()
    member val Writes = HashSet<string>()
    /// Of arrays.
    member val ReadPlaces = ResizeArray<string * CSharp.Expr>()
    member val WrittenPlaces = ResizeArray<string * CSharp.Expr>()

    member this.Add(s: Statement) =
        match s with
        | Declare(name, value, _) ->
            this.Writes.Add name |> ignore
            reads this.Reads this.ReadPlaces value
        | Store(Element(Name array, [ place ]), value, _) ->
            this.Writes.Add array |> ignore
            this.WrittenPlaces.Add((array, place))
            reads this.Reads this.ReadPlaces place
            reads this.Reads this.ReadPlaces value
        | Store(Name name, value, _) ->
            this.Writes.Add name |> ignore
            reads this.Reads this.ReadPlaces value
        | Store(target, value, _) ->
            reads this.Writes this.WrittenPlaces target
            reads this.Reads this.ReadPlaces value
        | Scratch(name, _) -> this.Writes.Add name |> ignore
        | Overwrite(call, arrays, _) ->
            this.Writes.UnionWith arrays
            reads this.Reads this.ReadPlaces call
        | Loop(_, _, body) -> List.iter this.Add body

let touched (statements: Statement list) =
    let t = Touched()
    List.iter t.Add statements
    t

// Rewriting

/// An expression with others in the place of some of its parts.
let rec replaced (replacement: CSharp.Expr -> CSharp.Expr option) (e: CSharp.Expr) : CSharp.Expr =
    match replacement e with
    | Some other -> other
    | None ->
        let recurse = replaced replacement
        let arguments = List.map (fun (a: Argument) -> { a with Value = recurse a.Value })

        match e with
        | Name _
        | Literal _
        | OutVar _
        | StackAlloc _ -> e
        | Member(target, name) -> Member(recurse target, name)
        | Invoke(callee, values) -> Invoke(recurse callee, arguments values)
        | Element(target, places) -> Element(recurse target, List.map recurse places)
        | Collection items -> Collection(List.map recurse items)
        | Prefix(operator, operand) -> Prefix(operator, recurse operand)
        | Infix(left, operator, right) -> Infix(recurse left, operator, recurse right)
        | Conditional(a, b, c) -> Conditional(recurse a, recurse b, recurse c)
        | New(typeName, values) -> New(typeName, arguments values)
        | Initialized(creation, properties) ->
            Initialized(recurse creation, properties |> List.map (fun (name, value) -> name, recurse value))
        | ArrayOf(elementType, items) -> ArrayOf(elementType, List.map recurse items)
        | Tuple items -> Tuple(List.map recurse items)
        | Spread inner -> Spread(recurse inner)
        | Switch(subject, arms) -> Switch(recurse subject, arms |> List.map (fun (p, v) -> p, recurse v))
        | OutTarget target -> OutTarget(recurse target)
        | Lambda(parameter, value) -> Lambda(parameter, recurse value)
        | Throw inner -> Throw(recurse inner)

/// The expressions of a statement, rewritten.
let rec mapExpressions f (s: Statement) =
    match s with
    | Declare(name, value, source) -> Declare(name, f value, source)
    | Store(target, value, source) -> Store(f target, f value, source)
    | Scratch _ -> s
    | Overwrite(call, arrays, source) -> Overwrite(f call, arrays, source)
    | Loop(variable, count, body) -> Loop(variable, count, List.map (mapExpressions f) body)

// C#

let rec toCSharp (s: Statement) : CSharp.Statement =
    let sourced kind source : CSharp.Statement = { Kind = kind; Source = source }

    match s with
    | Declare(name, value, source) -> sourced (Local(name, value)) source
    | Store(target, Infix(first, ("+" | "-" as operator), second), source) when first = target ->
        sourced (Update(target, operator, second)) source
    | Store(target, value, source) -> sourced (Assign(target, value)) source
    | Overwrite(call, _, source) -> sourced (Do call) source
    | Scratch(name, length) -> statement (TypedLocal("Span<Lanes>", name, StackAlloc("Lanes", length)))
    | Loop(variable, count, body) ->
        statement (
            For(variable, Literal(count.ToString CultureInfo.InvariantCulture), List.map toCSharp body)
        )
