module internal DiffEqLang.Compiler.Backends.Torch.Names
