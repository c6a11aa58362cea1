module internal DiffEqLang.Compiler.Checking.Dims
