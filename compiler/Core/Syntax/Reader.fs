module internal DiffEqLang.Compiler.Syntax.Reader
