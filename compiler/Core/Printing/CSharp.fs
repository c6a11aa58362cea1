/// The part of C# that generated code needs, as data. Layout turns it into text; nothing else makes C# text.
module internal DiffEqLang.Compiler.Printing.CSharp

type Expr =
    /// A name, already escaped where it is a keyword.
    | Name of string
    /// A literal as C# spells it.
    | Literal of string
    /// `target.Member`
    | Member of target: Expr * name: string
    /// `f(a, b)`, `target.Method(a, b)` where the callee is a Member
    | Invoke of callee: Expr * Argument list
    /// `target[a, b]`
    | Element of target: Expr * Expr list
    /// `[a, b]`
    | Collection of Expr list
    /// `-a`, `!a`
    | Prefix of operator: string * Expr
    /// `a + b`; parentheses come from precedence, in Layout.
    | Infix of left: Expr * operator: string * right: Expr
    | Conditional of condition: Expr * thenBranch: Expr * elseBranch: Expr
    /// An empty type name stands for `new(...)`.
    | New of typeName: string * Argument list
    /// `new T() { Property = value }`
    | Initialized of creation: Expr * (string * Expr) list
    /// `new double[] { 1, 2 }`
    | ArrayOf of elementType: string * Expr list
    /// `("y", [2])`
    | Tuple of Expr list
    /// `.. values`, in a collection
    | Spread of Expr
    /// `subject switch { pattern => value, ... }`
    | Switch of subject: Expr * arms: (Expr * Expr) list
    /// `throw exception`, as an arm of a switch
    | Throw of Expr
    /// `out var name`, as an argument
    | OutVar of name: string
    /// `out target`, as an argument
    | OutTarget of Expr
    /// `parameter => value`
    | Lambda of parameter: string * value: Expr
    /// `stackalloc T[length]`
    | StackAlloc of elementType: string * length: int

and Argument = { Label: string option; Value: Expr }

let argument value = { Label = None; Value = value }

let labelled label value = { Label = Some label; Value = value }

/// `target.method(arguments)`
let invokeMethod target name arguments = Invoke(Member(target, name), List.map argument arguments)

/// `name(arguments)`
let invoke name arguments = Invoke(Name name, List.map argument arguments)

/// The place in a model that a statement came from, shown behind it.
type Source = { File: string; Line: int; Text: string }

type StatementKind =
    /// `var name = value;`
    | Local of name: string * value: Expr
    /// `T name = value;`
    | TypedLocal of typeName: string * name: string * value: Expr
    /// `target = value;`
    | Assign of target: Expr * value: Expr
    /// `target += value;`
    | Update of target: Expr * operator: string * value: Expr
    /// `value;`
    | Do of Expr
    | Return of Expr
    /// `if (condition) { ... }`
    | If of condition: Expr * Statement list
    /// `for (var variable = 0; variable < count; variable++) { ... }`
    | For of variable: string * count: Expr * Statement list

and Statement = { Kind: StatementKind; Source: Source option }

let statement kind = { Kind = kind; Source = None }

/// A piece of a documentation comment; layout escapes it for XML.
type Inline =
    | Plain of string
    /// `<c>...</c>`
    | Code of string
    /// `<see cref="..."/>`
    | See of string
    /// `<paramref name="..."/>`
    | ParameterRef of string

type Documentation =
    {
        Summary: Inline list list
        Parameters: (string * Inline list) list
        Returns: Inline list
        Remarks: Inline list list
        /// `<inheritdoc/>` instead of all that.
        IsInherited: bool
    }

let noDocumentation =
    { Summary = []
      Parameters = []
      Returns = []
      Remarks = []
      IsInherited = false }

/// The documentation of the member that is overridden.
let inherited = { noDocumentation with IsInherited = true }

/// One summary line of plain text.
let summary text = { noDocumentation with Summary = [ [ Plain text ] ] }

type Parameter = { Type: string; Name: string; Default: Expr option }

let parameter typeName name = { Type = typeName; Name = name; Default = None }

type Body =
    | Block of Statement list
    /// `=> value;`
    | Arrow of Expr
    /// `;`, as of a partial method
    | Declared

type Member =
    { Documentation: Documentation
      Attributes: string list
      Modifiers: string list
      Kind: MemberKind }

and MemberKind =
    /// `private readonly Tensor W = value;`
    | Field of typeName: string * name: string * value: Expr option
    /// `public Tensor W => value;`
    | Property of typeName: string * name: string * value: Expr
    /// `public long n { get; }`
    | GetOnly of typeName: string * name: string
    | Method of returns: string * name: string * Parameter list * Body
    /// With the arguments of `base(...)`.
    | Constructor of name: string * Parameter list * baseArguments: Argument list option * Statement list
    | Nested of Class

and Class =
    {
        Name: string
        /// Of the primary constructor, where it has one.
        Primary: Parameter list option
        /// Empty for a part of a class whose other part names it.
        Base: string
        Members: Member list
    }

type File = { Usings: string list; Namespace: string; Types: Member list }
