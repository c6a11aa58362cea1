module internal DiffEqLang.Compiler.Backends.Torch.Functions
