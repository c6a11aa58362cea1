module internal DiffEqLang.Compiler.Pipeline
