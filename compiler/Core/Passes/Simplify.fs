module internal DiffEqLang.Compiler.Passes.Simplify
