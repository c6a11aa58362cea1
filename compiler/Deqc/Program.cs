using System.Text;
using DiffEqLang.Deqc.Reporting;

namespace DiffEqLang.Deqc;

/// <summary>The entry of the command.</summary>
public static class Program
{
    /// <summary>Runs deqc on the process's console.</summary>
    public static int Main(string[] arguments)
    {
        System.Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        return CommandLine.Run(arguments, Terminal.OfProcess());
    }
}
