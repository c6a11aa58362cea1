using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DiffEqLang.Runtime;

/// <summary>
/// Loads libtorch and TorchSharp's binding to it before TorchSharp itself looks for them: by path, libtorch first, and the
/// binding from a patched copy where the system's libstdc++ is too old for it (Debian 12, Ubuntu 22.04).
/// </summary>
/// <remarks>
/// Without this a failed load makes TorchSharp copy all of libtorch into <c>bin/cpu</c> and then blame a missing package.
/// Acts on Linux only; elsewhere TorchSharp's own search is sufficient.
/// </remarks>
public static class NativeLibraries
{
    private const string Binding = "libLibTorchSharp.so";

    /// <summary>libtorch's libraries in the order of their dependencies; those of CUDA are there in its CUDA build alone.</summary>
    private static readonly (string Name, bool Required)[] LibTorch =
        [("libc10.so", true), ("libc10_cuda.so", false), ("libtorch_cpu.so", true), ("libtorch_cuda.so", false), ("libtorch.so", true)];

    private static readonly Lazy<NativeReport> Loaded = new(LoadAll);

    /// <summary>
    /// Loads the native libraries, once. Never throws: see <see cref="Report"/> for what happened. Generated code calls it
    /// from a module initializer, so that it runs before the first member of <c>torch</c> is touched.
    /// </summary>
    public static void Load() => _ = Loaded.Value;

    /// <summary>What was found, loaded and patched.</summary>
    public static NativeReport Report() => Loaded.Value;

    /// <summary>Loads the native libraries and answers for them.</summary>
    /// <exception cref="DllNotFoundException">They are missing or do not load; the message says what to do.</exception>
    public static void Require()
    {
        if (!Loaded.Value.Usable) throw new DllNotFoundException(string.Join(" ", Loaded.Value.Hints));
    }

    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "The libraries must be there before any member of torch is touched.")]
    internal static void Initialize() => Load();

    private static NativeReport LoadAll()
    {
        var platform = RuntimeInformation.RuntimeIdentifier;
        if (!OperatingSystem.IsLinux()) return new NativeReport(platform, false, [], [], null, null, []);
        var directories = SearchDirectories();
        var states = new List<NativeLibraryState>();
        foreach (var (name, required) in LibTorch)
        {
            var state = TryLoad(name, directories);
            if (required || state.Path is not null) states.Add(state);
        }

        return LoadBinding(platform, directories, states);
    }

    private static NativeReport LoadBinding(string platform, List<string> directories, List<NativeLibraryState> states)
    {
        var binding = TryLoad(Binding, directories);
        var (version, copy) = ((string?)null, (string?)null);
        if (binding is { Path: { } path, Error: { } error } && PatchedLibrary.MissingVersion(error) is { } missing)
        {
            version = missing;
            (copy, error) = TryPatched(path, missing);
            binding = binding with { Error = error };
        }

        states.Add(binding);
        return new NativeReport(platform, true, directories, states, version, copy, [.. Hints(states, version)]);
    }

    private static (string? Copy, string? Error) TryPatched(string path, string version)
    {
        try
        {
            var original = File.ReadAllBytes(path);
            if (PatchedLibrary.Patch(original, version) is not { } patched)
                return (null, $"{Binding} needs {version} of libstdc++, for more than can be done without.");
            var (handle, copy) = PatchedLibrary.Load(original, patched, Binding);
            HandOut(handle);
            return (copy, null);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException or IOException or UnauthorizedAccessException)
        {
            return (null, e.Message);
        }
    }

    /// <summary>Answers TorchSharp's imports with the copy. The type is named, not initialised: no member of torch runs.</summary>
    private static void HandOut(nint handle)
    {
        try
        {
            NativeLibrary.SetDllImportResolver(
                typeof(TorchSharp.torch).Assembly, (name, _, _) => name.Contains("LibTorchSharp", StringComparison.Ordinal) ? handle : 0);
        }
        catch (InvalidOperationException)
        {
            // The application has set a resolver of its own. The copy is loaded under the original's SONAME, which is
            // how the loader answers the next request for that name.
        }
    }

    private static NativeLibraryState TryLoad(string name, IReadOnlyList<string> directories)
    {
        var path = directories.Select(d => Path.Combine(d, name)).FirstOrDefault(File.Exists);
        if (path is null) return new NativeLibraryState(name, null, null);
        try
        {
            NativeLibrary.Load(path);
            return new NativeLibraryState(name, path, null);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            return new NativeLibraryState(name, path, e.Message);
        }
    }

    /// <summary>The host's own search folders (the package cache for a program run from there), then the program's.</summary>
    private static List<string> SearchDirectories()
    {
        var host = AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "";
        var bin = AppContext.BaseDirectory;
        var beside = Path.GetDirectoryName(Assembly.GetExecutingAssembly().Location) is { Length: > 0 } folder ? folder : bin;
        var candidates = host.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Concat([bin, RuntimeFolder(bin), beside, RuntimeFolder(beside)]);
        return [.. candidates.Select(Path.TrimEndingDirectorySeparator).Distinct().Where(Directory.Exists)];
    }

    private static string RuntimeFolder(string folder) =>
        Path.Combine(folder, "runtimes", $"linux-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}", "native");

    private static IEnumerable<string> Hints(IReadOnlyList<NativeLibraryState> states, string? missingVersion)
    {
        if (states.Any(s => s.Path is null && s.Name != Binding))
            yield return "libtorch is missing: add the package libtorch-cpu-linux-x64 (or a libtorch-cuda package) of the version that TorchSharp asks for.";
        if (states.Any(s => s.Path is null && s.Name == Binding))
            yield return "TorchSharp's native binding is missing: add the package TorchSharp to the program itself, or publish with its runtimes folder.";
        foreach (var state in states.Where(s => s.Error is not null))
            yield return $"{state.Name} does not load: {state.Error}"
                + (state.Name == Binding && missingVersion is not null ? $" Install a libstdc++ with {missingVersion} (GCC 13 or later)." : "");
    }
}
