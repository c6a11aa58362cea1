module internal DiffEqLang.Compiler.Printing.CSharpLayout
