using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace DiffEqLang.Benchmarks;

/// <summary><c>deqc build</c> from start to exit: the spiral, and rings of coupled oscillators with their Jacobian.</summary>
internal static class BuildTime
{
    public static void Run()
    {
        var folder = Directory.CreateTempSubdirectory("deqc-benchmark-").FullName;
        try
        {
            var spiral = Path.Combine(Repository.Root, "examples", "spiral", "spiral.deq");
            Build("spiral", [spiral, "-o", folder, "--force"], 11).Print();
            var previous = 0.0;
            foreach (var n in new[] { 500, 1000, 2000, 4000 })
            {
                var ring = Path.Combine(folder, $"ring{n}.deq");
                File.WriteAllText(ring, Ring(n));
                var time = Build($"ring of {n} oscillator equations with Jacobian", [ring, "-o", folder, "--force", "--jacobian"], 3);
                time.Print();
                if (previous > 0) Console.WriteLine($"{"",-58} {time.Median / previous:0.00} times the time of half as many");
                previous = time.Median;
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static Measurement Build(string name, string[] arguments, int count) =>
        Measurement.Of(name, () => Deqc(["build", .. arguments]), count, warmUp: 0);

    private static void Deqc(string[] arguments)
    {
        var program = Path.Combine(Repository.Root, "compiler", "Deqc", "bin", "Release", "net10.0", "deqc.dll");
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])[program, .. arguments]) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"deqc ended with {process.ExitCode}: {error.Result}");
    }

    /// <summary>n scalar first-order equations: n/2 oscillators on a ring, each pulled by its neighbours.</summary>
    private static string Ring(int n)
    {
        var count = n / 2;
        var text = new StringBuilder("model Ring {\n  param k : R = 1\n");
        for (var i = 0; i < count; i++) text.Append(CultureInfo.InvariantCulture, $"  state x{i}, v{i}\n");
        for (var i = 0; i < count; i++)
        {
            var (left, right) = ((i + count - 1) % count, (i + 1) % count);
            text.Append(CultureInfo.InvariantCulture, $"  x{i}' = v{i}\n");
            text.Append(CultureInfo.InvariantCulture, $"  v{i}' = k*(x{left} - 2*x{i} + x{right}) - sin(x{i})\n");
        }

        return text.Append("}\n").ToString();
    }
}
