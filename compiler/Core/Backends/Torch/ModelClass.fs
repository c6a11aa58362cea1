module internal DiffEqLang.Compiler.Backends.Torch.ModelClass
