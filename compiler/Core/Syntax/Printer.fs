module internal DiffEqLang.Compiler.Syntax.Printer
