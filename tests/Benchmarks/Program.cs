using DiffEqLang.Benchmarks;
using DiffEqLang.Benchmarks.Registers;

(string Name, string What, Action Run)[] workloads =
[
    ("w1", "training step of the spiral neural ODE", SpiralTrainingStep.Run),
    ("w2", "wide neural ODE against the bare matrix products", WideNetwork.Run),
    ("w3", "ensemble of Lorenz systems on SIMD registers", LorenzEnsemble.Run),
    ("w4", "stiff problems on SIMD registers", StiffTrajectories.Run),
    ("w5", "paths of stochastic equations on SIMD registers and on tensors", StochasticPaths.Run),
    ("w6", "continuous normalizing flow with the exact trace", ContinuousFlowStep.Run),
    ("w7", "orbits to tight tolerances on SIMD registers", CelestialOrbits.Run),
    ("neurons", "ensemble of integrate-and-fire neurons on SIMD registers and on tensors", FiringNeurons.Run),
    ("growth", "ensemble of Lorenz systems as it grows, and on two threads", Growth.Run),
    ("crossover", "both targets by width and batch", TargetCrossover.Run),
    ("sparse", "waves on a line of up to 10,000 states, by sparse Jacobians", SparseLine.Run),
    ("precision", "work-precision diagrams of our methods, as a picture", WorkPrecision.Run),
    ("elementary", "elementary functions over registers", ElementaryFunctions.Run),
    ("memory", "growth of the process over 10,000 training steps", Memory.Run),
    ("gradients", "memory of gradients by the number of steps", GradientMemory.Run),
    ("build", "deqc build as a whole process", BuildTime.Run),
];

if (args is ["--help" or "-h", ..] || args.Any(a => workloads.All(w => w.Name != a)))
{
    Console.WriteLine("usage: dotnet run -c Release --project tests/Benchmarks -- [WORKLOAD ...]");
    foreach (var (name, what, _) in workloads) Console.WriteLine($"  {name,-10} {what}");
    return args is ["--help" or "-h", ..] ? 0 : 2;
}

foreach (var (name, what, run) in workloads)
{
    if (args.Length > 0 && !args.Contains(name)) continue;
    Console.WriteLine($"# {name}: {what}");
    run();
    Console.WriteLine();
}

return 0;
