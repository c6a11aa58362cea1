module internal DiffEqLang.Compiler.Checking.Equations
