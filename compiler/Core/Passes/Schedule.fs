module internal DiffEqLang.Compiler.Passes.Schedule
