module internal DiffEqLang.Compiler.Checking.Nets
