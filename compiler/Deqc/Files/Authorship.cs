using DiffEqLang.Compiler;

namespace DiffEqLang.Deqc.Files;

/// <summary>Who wrote a file that stands where generated code is to go.</summary>
internal enum Authorship
{
    /// <summary>deqc, and nobody changed it since.</summary>
    Deqc,

    /// <summary>deqc, and somebody changed it since.</summary>
    EditedByHand,

    /// <summary>Somebody else.</summary>
    Other,
}

/// <summary>Tells whose a file is by the header that deqc writes.</summary>
internal static class Author
{
    /// <summary>Who wrote this text. Line ends do not count: version control may have changed them.</summary>
    public static Authorship Of(string text) => Compilation.ReadHeader(text.Replace("\r\n", "\n")) switch
    {
        null => Authorship.Other,
        { IsEdited: true } => Authorship.EditedByHand,
        _ => Authorship.Deqc,
    };
}
