module internal DiffEqLang.Compiler.Backends.Torch.Lowering
