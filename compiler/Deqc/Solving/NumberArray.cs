using System.Globalization;

namespace DiffEqLang.Deqc.Solving;

/// <summary>Numbers with a shape, row-major; the empty shape is one number.</summary>
internal sealed record NumberArray(IReadOnlyList<long> Shape, double[] Values)
{
    /// <summary>Reads <c>1.5</c>, <c>[1, 2]</c> or <c>[[1, 2], [3, 4]]</c>.</summary>
    /// <exception cref="FormatException">With what is wrong, to follow "name=...: ".</exception>
    public static NumberArray Parse(string text) => new Reader(text).Read();

    /// <summary>To six significant digits, for a person.</summary>
    public NumberArray Rounded() => this with { Values = [.. Values.Select(value => double.Parse(Number.Brief(value), CultureInfo.InvariantCulture))] };

    /// <summary>The value as the command line writes it.</summary>
    public override string ToString()
    {
        if (Shape.Count == 0) return Values[0].ToString("R", CultureInfo.InvariantCulture);
        var length = Values.Length / Math.Max(1, (int)Shape[0]);
        var items = Enumerable.Range(0, (int)Shape[0])
            .Select(i => new NumberArray([.. Shape.Skip(1)], Values[(i * length)..((i + 1) * length)]).ToString());
        return $"[{string.Join(", ", items)}]";
    }

    private sealed class Reader(string text)
    {
        // Deeper than any tensor; keeps a hostile argument from overflowing the stack.
        private const int MostAxes = 8;
        private readonly List<double> values = [];
        private int position;

        public NumberArray Read()
        {
            var shape = ReadItem(0);
            SkipSpace();
            if (position < text.Length) throw new FormatException($"unexpected '{text[position..]}' after the value");
            return new NumberArray(shape, [.. values]);
        }

        private List<long> ReadItem(int depth)
        {
            SkipSpace();
            if (position < text.Length && text[position] == '[') return ReadList(depth);
            values.Add(ReadNumber());
            return [];
        }

        private List<long> ReadList(int depth)
        {
            if (depth == MostAxes) throw new FormatException($"lists are nested more than {MostAxes} deep");
            position++;
            List<long>? inner = null;
            var count = 0L;
            do
            {
                var shape = ReadItem(depth + 1);
                if (inner is not null && !inner.SequenceEqual(shape)) throw new FormatException("the rows of the list differ in length");
                inner = shape;
                count++;
            }
            while (Take(','));
            if (!Take(']')) throw new FormatException("a ']' is missing");
            return [count, .. inner];
        }

        private double ReadNumber()
        {
            var start = position;
            while (position < text.Length && text[position] is not (',' or '[' or ']')) position++;
            var word = text[start..position].Trim();
            if (word.Length == 0) throw new FormatException("a number is missing");
            if (Number.TryParse(word, out var value)) return value;
            throw new FormatException($"'{word}' is not a number");
        }

        private bool Take(char expected)
        {
            SkipSpace();
            if (position >= text.Length || text[position] != expected) return false;
            position++;
            return true;
        }

        private void SkipSpace()
        {
            while (position < text.Length && char.IsWhiteSpace(text[position])) position++;
        }
    }
}

/// <summary>Numbers as the command line spells them, whatever the machine's language.</summary>
internal static class Number
{
    /// <summary><c>1</c>, <c>0.5</c>, <c>1e-3</c>, <c>2_000</c>, <c>inf</c>, <c>-inf</c>, <c>nan</c>.</summary>
    public static bool TryParse(string word, out double value)
    {
        (var known, value) = word.ToLowerInvariant() switch
        {
            "inf" or "+inf" => (true, double.PositiveInfinity),
            "-inf" => (true, double.NegativeInfinity),
            "nan" => (true, double.NaN),
            _ => (false, 0),
        };
        return known || double.TryParse(word.Replace("_", ""), NumberStyles.Float, CultureInfo.InvariantCulture, out value);
    }

    /// <summary>The number that an option asks for.</summary>
    /// <exception cref="CommandFailure">It is none.</exception>
    public static double Parse(string option, string word) =>
        TryParse(word.Trim(), out var value) && double.IsFinite(value) ? value : throw CommandFailure.Usage($"{option}: '{word}' is not a finite number");

    /// <summary>Short, for a person.</summary>
    public static string Brief(double value) => value.ToString("G6", CultureInfo.InvariantCulture);
}
