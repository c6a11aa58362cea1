module internal DiffEqLang.Compiler.Checking.SolveBlock
