module internal DiffEqLang.Compiler.Builtins.Reductions
