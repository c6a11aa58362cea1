module internal DiffEqLang.Compiler.Builtins.Catalogue
