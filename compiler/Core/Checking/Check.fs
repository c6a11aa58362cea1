module internal DiffEqLang.Compiler.Checking.Check
