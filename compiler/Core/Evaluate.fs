module internal DiffEqLang.Compiler.Evaluate
