module internal DiffEqLang.Compiler.Syntax.SourceText
