module internal DiffEqLang.Compiler.Checking.Expressions
