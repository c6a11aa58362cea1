using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace DiffEqLang.Benchmarks;

/// <summary>
/// The same work written by hand in C++ (Reference/*.cpp), compiled and run in the same minute, where g++ is there. It prints
/// the processor's seconds by name.
/// </summary>
internal static class Reference
{
    /// <summary>The seconds by name; empty without g++.</summary>
    /// <param name="name">Of the program.</param>
    /// <param name="input">Numbers that it is to work on, handed over as a file.</param>
    public static IReadOnlyDictionary<string, double> Run(string name, ReadOnlySpan<float> input = default)
    {
        var folder = Directory.CreateTempSubdirectory("deq-reference-").FullName;
        try
        {
            var source = Path.Combine(Repository.Root, "tests", "Benchmarks", "Reference", $"{name}.cpp");
            var program = Path.Combine(folder, name);
            Output("g++", "-std=c++20", "-O3", "-ffp-contract=fast", "-march=native", "-o", program, source);
            var file = Path.Combine(folder, "input");
            File.WriteAllBytes(file, MemoryMarshal.AsBytes(input));
            return Output(program, file).Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => line.Split(' '))
                .ToDictionary(parts => parts[0], parts => double.Parse(parts[1], CultureInfo.InvariantCulture));
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Console.WriteLine("No g++: nothing to compare with.");
            return new Dictionary<string, double>();
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Output(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {error.Result}");
    }
}
