namespace DiffEqLang.Deqc.Files;

/// <summary>Reads what the user names; every failure says what to do.</summary>
internal static class InputFile
{
    /// <summary>The bytes of a file.</summary>
    /// <exception cref="CommandFailure">It cannot be read.</exception>
    public static byte[] Read(string path)
    {
        if (Directory.Exists(path)) throw CommandFailure.File($"{path} is a directory: name a .deq file in it");
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception problem) when (problem is FileNotFoundException or DirectoryNotFoundException)
        {
            throw CommandFailure.File($"{path}: there is no such file{Nearest(path)}");
        }
        catch (UnauthorizedAccessException)
        {
            throw CommandFailure.File($"{path}: reading is not permitted; chmod +r or run as its owner");
        }
        catch (Exception problem) when (problem is IOException or ArgumentException or NotSupportedException)
        {
            // .NET names the full path once more behind the reason.
            throw CommandFailure.File($"{path} cannot be read: {problem.Message.Split(" : '")[0].TrimEnd('.')}");
        }
    }

    /// <summary>
    /// The .deq files that words name: a file is itself, a directory all below it but build output and hidden folders.
    /// Sorted, each once.
    /// </summary>
    /// <exception cref="CommandFailure">A directory holds none or cannot be listed.</exception>
    public static IReadOnlyList<string> Expand(IEnumerable<string> words)
    {
        var files = new List<string>();
        foreach (var word in words)
        {
            if (!Directory.Exists(word)) files.Add(word);
            else files.AddRange(Below(word));
        }

        return [.. files.DistinctBy(Path.GetFullPath)];
    }

    private static IReadOnlyList<string> Below(string folder)
    {
        try
        {
            var found = new List<string>();
            Collect(new DirectoryInfo(folder), folder, found);
            found.Sort(StringComparer.Ordinal);
            return found.Count > 0 ? found : throw CommandFailure.File($"{folder}: there is no .deq file in this directory");
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw CommandFailure.File($"{folder} cannot be listed: {problem.Message}");
        }
    }

    private static void Collect(DirectoryInfo folder, string shown, List<string> found)
    {
        found.AddRange(folder.EnumerateFiles("*.deq").Select(file => Path.Combine(shown, file.Name)));
        foreach (var inner in folder.EnumerateDirectories())
        {
            if (inner.Name is "bin" or "obj" or "node_modules" || inner.Name.StartsWith('.') || inner.LinkTarget is not null) continue;
            Collect(inner, Path.Combine(shown, inner.Name), found);
        }
    }

    private static string Nearest(string path)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path));
        if (!Directory.Exists(folder)) return "";
        var names = Directory.EnumerateFiles(folder, "*.deq").Select(file => Path.GetFileName(file)!);
        return CommandLine.DidYouMean(Path.GetFileName(path), names);
    }
}
