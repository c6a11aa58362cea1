using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.RegularExpressions;

namespace DiffEqLang.Runtime;

/// <summary>
/// A private copy of a native library that loads where the system's libstdc++ is older than the one it was linked with.
/// </summary>
/// <remarks>
/// A library built with GCC 13 asks for GLIBCXX_3.4.32 for the sake of one symbol, which only keeps iostreams initialised and
/// to which nothing is bound; Debian 12 and Ubuntu 22.04 end at 3.4.30. The copy has that one need marked weak.
/// </remarks>
internal static partial class PatchedLibrary
{
    /// <summary>Symbols that may be missing at run time: a marker emitted for every file that includes &lt;iostream&gt;.</summary>
    private static readonly string[] Dispensable = ["_ZSt21ios_base_library_initv"];

    /// <summary>
    /// The version that the loader missed, out of its message; null where the load failed for another reason.
    /// </summary>
    public static string? MissingVersion(string loaderMessage) =>
        MissingVersionPattern().Match(loaderMessage) is { Success: true } match ? match.Groups[1].Value : null;

    /// <summary>
    /// The library with the need for <paramref name="version"/> made weak; null where a symbol that matters is
    /// behind it, or where the library does not ask for it.
    /// </summary>
    public static byte[]? Patch(byte[] library, string version)
    {
        var elf = ElfVersionNeeds.Read(library);
        var need = elf?.Needs().Where(n => n.Name == version).Select(n => (ElfVersionNeeds.Need?)n).FirstOrDefault();
        if (elf is null || need is null) return null;
        return elf.SymbolsOf(need.Value).All(Dispensable.Contains) ? elf.WithWeak(need.Value) : null;
    }

    /// <summary>Loads patched bytes from the per-user cache, where they are put if need be, or else from a temporary file.</summary>
    /// <returns>The library's handle and the file it was loaded from.</returns>
    public static (nint Handle, string Path) Load(byte[] original, byte[] patched, string fileName)
    {
        if (TryCache(CacheFolder(), original, patched, fileName) is { } cached)
            return (NativeLibrary.Load(cached), cached);
        var folder = Directory.CreateTempSubdirectory("diffeqlang-");    // ours alone (mode 700)
        try
        {
            var path = Path.Combine(folder.FullName, fileName);
            File.WriteAllBytes(path, patched);
            return (NativeLibrary.Load(path), path);
        }
        finally
        {
            folder.Delete(recursive: true);    // a loaded library lives on without its name
        }
    }

    /// <summary>
    /// The patched copy's place in a cache: a folder named after the original's hash. Written beside it and renamed, so
    /// that processes at the same moment never see half a file. Null where the cache cannot be written.
    /// </summary>
    public static string? TryCache(string cache, byte[] original, byte[] patched, string fileName)
    {
        var folder = Path.Combine(cache, Convert.ToHexStringLower(SHA256.HashData(original).AsSpan(0, 16)));
        var path = Path.Combine(folder, fileName);
        try
        {
            if (File.Exists(path) && File.ReadAllBytes(path).AsSpan().SequenceEqual(patched)) return path;
            Directory.CreateDirectory(folder);
            var draft = Path.Combine(folder, $"{Environment.ProcessId}-{Guid.NewGuid():N}.tmp");
            File.WriteAllBytes(draft, patched);
            File.Move(draft, path, overwrite: true);
            return path;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string CacheFolder()
    {
        var cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
        if (string.IsNullOrEmpty(cache) || !Path.IsPathRooted(cache))
            cache = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        return Path.Combine(cache, "diffeqlang", "native");
    }

    [GeneratedRegex(@"version .(GLIBCXX_[0-9.]+). not found")]
    private static partial Regex MissingVersionPattern();
}
