namespace DiffEqLang.Runtime;

/// <summary>One native library and what became of it.</summary>
/// <param name="Name">Its file name.</param>
/// <param name="Path">Where it was found; null where it was not.</param>
/// <param name="Error">The loader's message where it did not load.</param>
public sealed record NativeLibraryState(string Name, string? Path, string? Error)
{
    /// <summary>Whether it is loaded.</summary>
    public bool Loaded => Path is not null && Error is null;
}

/// <summary>How libtorch and its binding were found and loaded; what <c>deqc doctor</c> prints.</summary>
/// <param name="Platform">The runtime identifier, such as <c>linux-x64</c>.</param>
/// <param name="Handled">Whether this platform's libraries are loaded here; elsewhere TorchSharp does it alone.</param>
/// <param name="SearchDirectories">The folders that were searched, in order.</param>
/// <param name="Libraries">The libraries, in the order of loading.</param>
/// <param name="PatchedVersion">The symbol version that the system lacks and that was made weak in a private copy; null where that was not needed.</param>
/// <param name="PatchedCopy">The private copy.</param>
/// <param name="Hints">What to do, where something is amiss; one sentence each.</param>
public sealed record NativeReport(
    string Platform,
    bool Handled,
    IReadOnlyList<string> SearchDirectories,
    IReadOnlyList<NativeLibraryState> Libraries,
    string? PatchedVersion,
    string? PatchedCopy,
    IReadOnlyList<string> Hints)
{
    /// <summary>Whether nothing stands in the way of computing.</summary>
    public bool Usable => Hints.Count == 0;

    /// <summary>Whether a CUDA build of libtorch is loaded and finds a device. Loads torch; false where that is not usable.</summary>
    public bool CudaAvailable => Usable && TorchSharp.torch.cuda.is_available();
}
