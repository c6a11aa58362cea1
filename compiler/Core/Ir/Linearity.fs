module internal DiffEqLang.Compiler.Ir.Linearity
