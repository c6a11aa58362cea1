module internal DiffEqLang.Compiler.Builtins.Activations
