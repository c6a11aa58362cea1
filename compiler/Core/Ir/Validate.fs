module internal DiffEqLang.Compiler.Ir.Validate
