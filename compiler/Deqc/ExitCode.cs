namespace DiffEqLang.Deqc;

/// <summary>What the process tells its caller.</summary>
public enum ExitCode
{
    /// <summary>Everything asked for was done.</summary>
    Done = 0,

    /// <summary>A model has errors, or checked-in code is stale.</summary>
    ModelErrors = 1,

    /// <summary>The command line is wrong.</summary>
    CommandLineWrong = 2,

    /// <summary>The solve did not reach its end.</summary>
    SolveFailed = 3,

    /// <summary>A file could not be read or written.</summary>
    FileFailed = 4,

    /// <summary>A mistake in deqc itself (EX_SOFTWARE of sysexits.h).</summary>
    InternalError = 70,
}

/// <summary>Ends a verb with one line for the user: what is wrong and what to do.</summary>
/// <param name="code">The process's exit code.</param>
/// <param name="message">The line, without a full stop's need for context.</param>
public sealed class CommandFailure(ExitCode code, string message) : Exception(message)
{
    /// <summary>The process's exit code.</summary>
    public ExitCode Code { get; } = code;

    /// <summary>The command line asks for something that cannot be.</summary>
    public static CommandFailure Usage(string message) => new(ExitCode.CommandLineWrong, message);

    /// <summary>A file could not be read or written.</summary>
    public static CommandFailure File(string message) => new(ExitCode.FileFailed, message);
}
