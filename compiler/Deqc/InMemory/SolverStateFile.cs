using DiffEqLang.Runtime;

namespace DiffEqLang.Deqc.InMemory;

/// <summary>The file that a solve is kept in, to go on later.</summary>
internal static class SolverStateFile
{
    /// <summary>Reads it; the caller disposes it.</summary>
    /// <exception cref="CommandFailure">There is none, or it holds something else.</exception>
    public static SolverState Read(string path)
    {
        try
        {
            return SolverState.Load(path);
        }
        catch (Exception problem) when (problem is FileNotFoundException or DirectoryNotFoundException)
        {
            throw CommandFailure.File($"{path}: there is no such file; deqc run --checkpoint {path} writes one");
        }
        catch (Exception problem) when (problem is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw CommandFailure.File(problem.Message);
        }
    }

    /// <summary>Writes it, whole or not at all.</summary>
    /// <exception cref="CommandFailure">That is not possible.</exception>
    public static void Write(string path, SolverState state)
    {
        try
        {
            state.Save(path);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw CommandFailure.File($"{path} cannot be written: {problem.Message}");
        }
    }
}
