using System.Globalization;
using System.Text;

namespace DiffEqLang.Deqc.Reporting;

/// <summary>A line of source laid out in terminal columns: tabs expanded, wide characters counted twice.</summary>
internal sealed class Columns
{
    private const int TabWidth = 4;
    private readonly List<(string Text, int Column, int Width)> cells = [];
    private readonly int[] columnOfUnit;

    public Columns(string line)
    {
        columnOfUnit = new int[line.Length + 1];
        var (unit, column) = (0, 0);
        foreach (var rune in line.EnumerateRunes())
        {
            var width = rune.Value == '\t' ? TabWidth - column % TabWidth : WidthOf(rune);
            for (var i = 0; i < rune.Utf16SequenceLength; i++) columnOfUnit[unit + i] = column;
            cells.Add((Visible(rune, width), column, width));
            unit += rune.Utf16SequenceLength;
            column += width;
        }

        columnOfUnit[line.Length] = column;
        Width = column;
    }

    /// <summary>Columns of the whole line.</summary>
    public int Width { get; }

    /// <summary>The terminal column (from 0) of a place given in UTF-16 units (from 0); past the end, the end.</summary>
    public int At(int unit) => columnOfUnit[Math.Clamp(unit, 0, columnOfUnit.Length - 1)];

    /// <summary>What stands between two terminal columns.</summary>
    public string Slice(int from, int to)
    {
        var text = new StringBuilder();
        foreach (var (cell, column, width) in cells)
        {
            if (column >= from && column + width <= to) text.Append(cell);
        }

        return text.ToString();
    }

    private static string Visible(Rune rune, int width) =>
        rune.Value == '\t' ? new string(' ', width)
        : Rune.IsControl(rune) ? "\uFFFD"
        : rune.ToString();

    // Unicode Standard Annex 11: East Asian wide and fullwidth ranges, and emoji, take two columns.
    private static int WidthOf(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format => 0,
        _ => rune.Value is (>= 0x1100 and <= 0x115F) or (>= 0x2E80 and <= 0xA4CF) or (>= 0xAC00 and <= 0xD7A3)
            or (>= 0xF900 and <= 0xFAFF) or (>= 0xFE30 and <= 0xFE6F) or (>= 0xFF00 and <= 0xFF60)
            or (>= 0xFFE0 and <= 0xFFE6) or (>= 0x1F300 and <= 0x1FAFF) or (>= 0x20000 and <= 0x3FFFD)
            ? 2 : 1,
    };
}
