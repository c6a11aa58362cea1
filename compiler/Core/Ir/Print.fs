module internal DiffEqLang.Compiler.Ir.Print
