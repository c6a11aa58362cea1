module internal DiffEqLang.Compiler.Builtins.Elementary
