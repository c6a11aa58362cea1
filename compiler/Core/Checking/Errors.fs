module internal DiffEqLang.Compiler.Checking.Errors
