/// Members of generated classes by their kind: `public`, `public override`, what a private field is.
module internal DiffEqLang.Compiler.Backends.CSharp.Members

open DiffEqLang.Compiler.Printing.CSharp

let member' documentation modifiers kind =
    { Documentation = documentation
      Attributes = []
      Modifiers = modifiers
      Kind = kind }

/// `public`, with its documentation.
let publicMember documentation kind = member' documentation [ "public" ] kind

/// `public override`, documented by what it overrides.
let overriding kind = member' inherited [ "public"; "override" ] kind

/// `protected override`, documented by what it overrides.
let protectedOverriding kind = member' inherited [ "protected"; "override" ] kind

/// `private static readonly`.
let privateConstant typeName name value =
    member' noDocumentation [ "private"; "static"; "readonly" ] (Field(typeName, name, Some value))

/// `private readonly`, set by the constructor.
let privateField typeName name =
    member' noDocumentation [ "private"; "readonly" ] (Field(typeName, name, None))

/// A parameter that may be left out.
let optional typeName name value = { Type = typeName; Name = name; Default = Some value }

/// `Type.Name(arguments)`
let invokeStatic typeName name arguments = invokeMethod (Name typeName) name arguments
