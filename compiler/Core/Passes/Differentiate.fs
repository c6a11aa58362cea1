module internal DiffEqLang.Compiler.Passes.Differentiate
