module internal DiffEqLang.Compiler.Printing.Document
