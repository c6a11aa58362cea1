using System.Text;

namespace DiffEqLang.Deqc.Files;

/// <summary>A file to be written: where, and with what bytes.</summary>
internal sealed record OutputFile(string Path, byte[] Content)
{
    /// <summary>Text as UTF-8 without a byte-order mark.</summary>
    public static OutputFile OfText(string path, string text) => new(path, new UTF8Encoding(false).GetBytes(text));
}

/// <summary>
/// Writes several files as one: all are first written under temporary names beside their targets, and only when
/// every one of them stands complete on the disk are they renamed. A failure leaves what was there.
/// </summary>
internal static class OutputFiles
{
    /// <summary>Writes one file; see <see cref="Write(IReadOnlyList{OutputFile})"/>.</summary>
    public static void Write(OutputFile file) => Write([file]);

    /// <summary>Writes them all or none.</summary>
    /// <exception cref="CommandFailure">One cannot be written.</exception>
    public static void Write(IReadOnlyList<OutputFile> files)
    {
        var written = new List<(string Temporary, string Target)>();
        try
        {
            foreach (var file in files.Select(ThroughLinks)) written.Add((WriteBeside(file), file.Path));
            foreach (var (temporary, target) in written) Attempt(target, () => File.Move(temporary, target, overwrite: true));
        }
        finally
        {
            foreach (var (temporary, _) in written) File.Delete(temporary);
        }
    }

    /// <summary>Removes a file.</summary>
    /// <exception cref="CommandFailure">It cannot be removed.</exception>
    public static void Remove(string path) => Attempt(path, () => File.Delete(path));

    /// <summary>A file's text where it exists.</summary>
    /// <exception cref="CommandFailure">It exists and cannot be read, or is a directory.</exception>
    public static string? ReadExisting(string path)
    {
        if (Directory.Exists(path)) throw CommandFailure.File($"{path} is a directory: a file is to be written there; remove it or choose another place with -o");
        return File.Exists(path) ? Attempt(path, () => File.ReadAllText(path)) : null;
    }

    // A link stays a link: what it leads to is written.
    private static OutputFile ThroughLinks(OutputFile file) => Attempt(file.Path, () =>
    {
        var place = new FileInfo(file.Path);
        return place.LinkTarget is null ? file : file with { Path = place.ResolveLinkTarget(returnFinalTarget: true)!.FullName };
    });

    private static string WriteBeside(OutputFile file) => Attempt(file.Path, () =>
    {
        if (Directory.Exists(file.Path)) throw new IOException("it is a directory");
        var folder = Path.GetDirectoryName(Path.GetFullPath(file.Path))!;
        if (NearestExisting(folder) is { } existing && !Directory.Exists(existing)) throw new IOException($"{Path.GetFileName(existing)} is a file, not a folder");
        Directory.CreateDirectory(folder);
        var temporary = Path.Combine(folder, $".{Path.GetFileName(file.Path)}.{Environment.ProcessId}.tmp");
        try
        {
            File.WriteAllBytes(temporary, file.Content);
            return temporary;
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    });

    private static string? NearestExisting(string? path)
    {
        while (path is not null && !Path.Exists(path)) path = Path.GetDirectoryName(path);
        return path;
    }

    private static void Attempt(string path, Action write) => Attempt(path, () =>
    {
        write();
        return true;
    });

    private static T Attempt<T>(string path, Func<T> act)
    {
        try
        {
            return act();
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw CommandFailure.File($"{path} cannot be written: {problem.Message.TrimEnd('.')}; choose another place with -o");
        }
    }
}
