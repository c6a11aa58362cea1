module internal DiffEqLang.Compiler.Checking.Scope
