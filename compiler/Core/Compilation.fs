module internal DiffEqLang.Compiler.Compilation
