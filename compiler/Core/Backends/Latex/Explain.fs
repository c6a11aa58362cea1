module internal DiffEqLang.Compiler.Backends.Latex.Explain
