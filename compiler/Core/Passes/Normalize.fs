module internal DiffEqLang.Compiler.Passes.Normalize
