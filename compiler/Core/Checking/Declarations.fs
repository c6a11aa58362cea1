module internal DiffEqLang.Compiler.Checking.Declarations
