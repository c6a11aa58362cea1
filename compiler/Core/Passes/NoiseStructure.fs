module internal DiffEqLang.Compiler.Passes.NoiseStructure
