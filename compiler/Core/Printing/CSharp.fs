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
    | New of typeName: string * Argument list

and Argument = { Label: string option; Value: Expr }

let argument value = { Label = None; Value = value }

/// `target.method(arguments)`
let invokeMethod target name arguments =
    Invoke(Member(target, name), List.map argument arguments)

/// `name(arguments)`
let invoke name arguments =
    Invoke(Name name, List.map argument arguments)
