module internal DiffEqLang.Compiler.Ir.Build
