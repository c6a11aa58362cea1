using System.Text;
using DiffEqLang.Deqc.Files;
using DiffEqLang.Runtime;
using DiffEqLang.Tableaux;

namespace DiffEqLang.Deqc.Solving;

/// <summary>A method as the command line writes it where its tableau stands in a file: <c>rk("mine.json")</c>.</summary>
internal static class TableauFile
{
    private const string Opening = "rk(";

    /// <summary>The method; null where the text is the name of one.</summary>
    /// <exception cref="CommandFailure">There is no such file, or it gives no method.</exception>
    public static Method? MethodOf(string text)
    {
        if (!text.StartsWith(Opening, StringComparison.Ordinal) || !text.EndsWith(')')) return null;
        var path = text[Opening.Length..^1].Trim().Trim('"', '\'');
        try
        {
            return Methods.Rk(RungeKuttaTableau.FromJson(Encoding.UTF8.GetString(InputFile.Read(path))));
        }
        catch (FormatException refused)
        {
            throw CommandFailure.Usage($"--method {text}: {refused.Message}");
        }
    }
}
