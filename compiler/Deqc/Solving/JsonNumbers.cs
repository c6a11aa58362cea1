using System.Text.Encodings.Web;
using System.Text.Json;

namespace DiffEqLang.Deqc.Solving;

/// <summary>JSON as deqc prints it: one object, numbers in their shortest round-trip form, NaN and infinities as strings.</summary>
internal static class JsonNumbers
{
    /// <summary>Writes one object and a line end.</summary>
    public static void WriteObject(TextWriter output, Action<Utf8JsonWriter> content)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            content(json);
            json.WriteEndObject();
        }

        output.WriteLine(System.Text.Encoding.UTF8.GetString(buffer.ToArray()));
    }

    /// <summary>One number.</summary>
    public static void WriteNumber(this Utf8JsonWriter json, double value, bool single = false)
    {
        if (double.IsNaN(value)) json.WriteStringValue("NaN");
        else if (double.IsInfinity(value)) json.WriteStringValue(value > 0 ? "Infinity" : "-Infinity");
        else if (single) json.WriteNumberValue((float)value);
        else json.WriteNumberValue(value);
    }

    /// <summary>Nested lists of the shape; a bare number where it has no axes.</summary>
    public static void WriteNumbers(this Utf8JsonWriter json, ReadOnlySpan<long> shape, ReadOnlySpan<double> values, bool single = false)
    {
        if (shape.IsEmpty)
        {
            json.WriteNumber(values[0], single);
            return;
        }

        json.WriteStartArray();
        var length = shape[0] == 0 ? 0 : values.Length / (int)shape[0];
        for (var i = 0; i < shape[0]; i++) json.WriteNumbers(shape[1..], values.Slice(i * length, length), single);
        json.WriteEndArray();
    }
}
