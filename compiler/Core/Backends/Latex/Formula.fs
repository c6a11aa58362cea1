module internal DiffEqLang.Compiler.Backends.Latex.Formula
