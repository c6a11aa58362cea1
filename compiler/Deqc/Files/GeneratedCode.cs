using DiffEqLang.Contracts;

namespace DiffEqLang.Deqc.Files;

/// <summary>What stands where a generated file is to go.</summary>
internal enum Freshness
{
    /// <summary>Exactly what would be written.</summary>
    Fresh,

    /// <summary>Nothing.</summary>
    Missing,

    /// <summary>What deqc wrote from an earlier model or version.</summary>
    Stale,

    /// <summary>What somebody changed by hand.</summary>
    EditedByHand,

    /// <summary>What deqc did not write.</summary>
    Foreign,
}

/// <summary>A generated file and its place.</summary>
/// <param name="Source">The .deq file it comes from.</param>
/// <param name="Path">Where it goes.</param>
/// <param name="Text">What is to stand there; null where nothing may stand any more.</param>
internal sealed record GeneratedCode(string Source, string Path, string? Text)
{
    /// <summary>Compares what stands there now.</summary>
    public Freshness Compare() => OutputFiles.ReadExisting(Path) switch
    {
        null => Text is null ? Freshness.Fresh : Freshness.Missing,
        var text when text.Replace("\r\n", "\n") == Text => Freshness.Fresh,
        var text => Author.Of(text) switch
        {
            Authorship.Deqc => Freshness.Stale,
            Authorship.EditedByHand => Freshness.EditedByHand,
            Authorship.Other => Freshness.Foreign,
            var author => throw new InvalidOperationException($"Unknown authorship {author}."),
        },
    };

    /// <summary>Gives each file its place; without a directory, a folder Generated beside the model.</summary>
    /// <exception cref="CommandFailure">Two models would share one file.</exception>
    public static IReadOnlyList<GeneratedCode> Place(IEnumerable<(string Source, GeneratedFile File)> files, string? directory)
    {
        var given = files.ToList();
        var placed = given.Select(f => new GeneratedCode(f.Source, PathOf(f.Source, f.File.FileName), f.File.Text)).ToList();
        var clash = placed.GroupBy(f => System.IO.Path.GetFullPath(f.Path), StringComparer.OrdinalIgnoreCase).FirstOrDefault(g => g.Count() > 1)?.ToList();
        return clash is null
            ? [.. placed, .. given.Select(f => (f.Source, f.File.Model)).Distinct().SelectMany(Obsolete)]
            : throw CommandFailure.Usage($"{clash[0].Source} and {clash[1].Source} would both write {clash[0].Path}: rename a model, or build them with different -o");

        string PathOf(string source, string name) => System.IO.Path.Combine(directory ?? Beside(source), name);

        // A model that lost its code for registers must not keep the file: it would still be compiled.
        IEnumerable<GeneratedCode> Obsolete((string Source, string Model) model) => GeneratedFile.NamesFor(model.Model)
            .Select(name => new GeneratedCode(model.Source, PathOf(model.Source, name), null))
            .Where(file => placed.All(p => p.Path != file.Path) && File.Exists(file.Path));
    }

    /// <summary>Writes what is not fresh and removes what is obsolete, all or nothing.</summary>
    /// <returns>What was written or removed.</returns>
    /// <exception cref="CommandFailure">A file would be lost, or one cannot be written.</exception>
    public static IReadOnlyList<GeneratedCode> Write(IReadOnlyList<GeneratedCode> files, bool force)
    {
        var due = files.Select(file => (file, state: file.Compare())).Where(f => f.state != Freshness.Fresh).ToList();
        foreach (var (file, state) in due)
        {
            if (!force && state == Freshness.EditedByHand)
                throw CommandFailure.File($"{file.Path} was edited by hand since deqc wrote it, and nothing was written: move the changes to a partial class in another file, or use --force to lose them");
            if (!force && state == Freshness.Foreign)
                throw CommandFailure.File($"{file.Path} was not written by deqc, and nothing was written: move it away, choose another place with -o, or use --force to lose it");
        }

        OutputFiles.Write([.. due.Where(f => f.file.Text is not null).Select(f => OutputFile.OfText(f.file.Path, f.file.Text!))]);
        foreach (var (file, _) in due.Where(f => f.file.Text is null)) OutputFiles.Remove(file.Path);
        return [.. due.Select(f => f.file)];
    }

    private static string Beside(string source) =>
        System.IO.Path.Combine(System.IO.Path.GetDirectoryName(source) ?? "", "Generated");
}
