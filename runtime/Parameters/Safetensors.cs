using System.Buffers.Binary;
using System.Text.Json;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>What a safetensors file holds.</summary>
/// <param name="Tensors">By name, on the CPU.</param>
/// <param name="Metadata">Free text by key.</param>
public sealed record SafetensorsContent(IReadOnlyDictionary<string, Tensor> Tensors, IReadOnlyDictionary<string, string> Metadata);

/// <summary>
/// Reads and writes safetensors files, which Python's safetensors package reads and writes too: the header's length
/// in 8 little-endian bytes, a JSON header with each tensor's dtype, shape and byte range, then the bytes.
/// </summary>
/// <remarks>Format: https://github.com/huggingface/safetensors#format.</remarks>
public static class Safetensors
{
    private const int LengthBytes = 8;

    /// <summary>The bound that the format's own reader sets, so that a damaged length cannot ask for all memory.</summary>
    private const long LongestHeader = 100_000_000;

    private const string MetadataKey = "__metadata__";

    private static readonly (string Name, ScalarType Dtype, int Bytes)[] Dtypes =
    [
        ("F64", ScalarType.Float64, 8), ("I64", ScalarType.Int64, 8),
        ("F32", ScalarType.Float32, 4), ("I32", ScalarType.Int32, 4),
        ("F16", ScalarType.Float16, 2), ("BF16", ScalarType.BFloat16, 2), ("I16", ScalarType.Int16, 2),
        ("I8", ScalarType.Int8, 1), ("U8", ScalarType.Byte, 1), ("BOOL", ScalarType.Bool, 1),
    ];

    /// <summary>Writes a file. It appears whole or not at all: a failure leaves what was there before.</summary>
    /// <exception cref="NotSupportedException">A tensor's dtype has no name in the format.</exception>
    public static void Write(
        string path, IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        // Larger elements first, so that every tensor starts at a multiple of its element's size.
        var ordered = tensors
            .OrderByDescending(entry => DtypeOf(entry.Value).Bytes)
            .ThenBy(entry => entry.Key, StringComparer.Ordinal)
            .ToList();
        var full = Path.GetFullPath(path);
        var unfinished = $"{full}.{Guid.NewGuid():N}.tmp";
        try
        {
            using (var stream = new FileStream(unfinished, FileMode.CreateNew, FileAccess.Write))
            {
                WriteHeader(stream, ordered, metadata);
                foreach (var (_, tensor) in ordered) WriteData(stream, tensor);
                stream.Flush(flushToDisk: true);
            }

            File.Move(unfinished, full, overwrite: true);
        }
        finally
        {
            File.Delete(unfinished);
        }
    }

    /// <summary>Reads a file.</summary>
    /// <exception cref="InvalidDataException">It is not a well-formed safetensors file; the message says where.</exception>
    public static SafetensorsContent Read(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read);
        try
        {
            using var header = ReadHeader(stream);
            var (entries, metadata) = Entries(header.RootElement);
            CheckLayout(entries, stream.Length - stream.Position);
            var dataStart = stream.Position;
            return new SafetensorsContent(
                entries.ToDictionary(entry => entry.Name, entry => ReadData(stream, dataStart, entry)), metadata);
        }
        catch (Exception problem) when (problem is InvalidDataException or JsonException or EndOfStreamException)
        {
            throw new InvalidDataException($"{path} is not a safetensors file that can be read: {problem.Message}", problem);
        }
    }

    /// <summary>One tensor of a header; its bytes are those from Start to End after the header.</summary>
    private sealed record Entry(string Name, ScalarType Dtype, int ElementBytes, long[] Shape, long Start, long End);

    private static (string Name, ScalarType Dtype, int Bytes) DtypeOf(Tensor tensor)
    {
        foreach (var known in Dtypes)
            if (known.Dtype == tensor.dtype)
                return known;
        throw new NotSupportedException($"Tensors of dtype {tensor.dtype} cannot be written as safetensors.");
    }

    private static void WriteHeader(
        Stream stream, IReadOnlyList<KeyValuePair<string, Tensor>> tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        using var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text))
        {
            json.WriteStartObject();
            if (metadata is not null) WriteMetadata(json, metadata);
            var offset = 0L;
            foreach (var (name, tensor) in tensors)
            {
                var (dtype, _, bytes) = DtypeOf(tensor);
                json.WriteStartObject(name);
                json.WriteString("dtype", dtype);
                WriteArray(json, "shape", tensor.shape);
                WriteArray(json, "data_offsets", [offset, offset += tensor.numel() * bytes]);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        while (text.Length % LengthBytes != 0) text.WriteByte((byte)' ');
        Span<byte> length = stackalloc byte[LengthBytes];
        BinaryPrimitives.WriteInt64LittleEndian(length, text.Length);
        stream.Write(length);
        text.WriteTo(stream);
    }

    private static void WriteMetadata(Utf8JsonWriter json, IReadOnlyDictionary<string, string> metadata)
    {
        json.WriteStartObject(MetadataKey);
        foreach (var (key, value) in metadata) json.WriteString(key, value);
        json.WriteEndObject();
    }

    private static void WriteArray(Utf8JsonWriter json, string name, ReadOnlySpan<long> numbers)
    {
        json.WriteStartArray(name);
        foreach (var n in numbers) json.WriteNumberValue(n);
        json.WriteEndArray();
    }

    private static void WriteData(Stream stream, Tensor tensor)
    {
        if (tensor.numel() == 0) return;
        using var scope = NewDisposeScope();
        stream.Write(tensor.detach().cpu().contiguous().bytes);
    }

    private static JsonDocument ReadHeader(Stream stream)
    {
        Span<byte> prefix = stackalloc byte[LengthBytes];
        if (stream.Length < LengthBytes) throw new InvalidDataException("it ends before the header's length.");
        stream.ReadExactly(prefix);
        var length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > LongestHeader || (long)length > stream.Length - LengthBytes)
            throw new InvalidDataException($"its header is said to be {length} bytes long, which the file does not hold.");
        var text = new byte[length];
        stream.ReadExactly(text);
        return JsonDocument.Parse(text, new JsonDocumentOptions { AllowDuplicateProperties = false });
    }

    private static (List<Entry> Entries, Dictionary<string, string> Metadata) Entries(JsonElement header)
    {
        if (header.ValueKind != JsonValueKind.Object) throw new InvalidDataException("its header is not a JSON object.");
        var entries = new List<Entry>();
        var metadata = new Dictionary<string, string>();
        foreach (var property in header.EnumerateObject())
            if (property.Name == MetadataKey)
                metadata = MetadataOf(property.Value);
            else
                entries.Add(EntryOf(property.Name, property.Value));
        return (entries, metadata);
    }

    private static Dictionary<string, string> MetadataOf(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object || value.EnumerateObject().Any(p => p.Value.ValueKind != JsonValueKind.String))
            throw new InvalidDataException($"{MetadataKey} is not a map from text to text.");
        return value.EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetString()!);
    }

    private static Entry EntryOf(string name, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object
            || !value.TryGetProperty("dtype", out var dtype) || dtype.ValueKind != JsonValueKind.String
            || !value.TryGetProperty("shape", out var shape)
            || !value.TryGetProperty("data_offsets", out var offsets))
            throw new InvalidDataException($"tensor '{name}' lacks its dtype, shape or data_offsets.");
        var known = Dtypes.FirstOrDefault(d => d.Name == dtype.GetString());
        if (known.Name is null)
            throw new InvalidDataException($"tensor '{name}' has dtype '{dtype.GetString()}', which is not known here.");
        return Numbers(name, "data_offsets", offsets) is [var start, var end]
            ? new Entry(name, known.Dtype, known.Bytes, Numbers(name, "shape", shape), start, end)
            : throw new InvalidDataException($"data_offsets of tensor '{name}' are not a start and an end.");
    }

    private static long[] Numbers(string name, string field, JsonElement array)
    {
        if (array.ValueKind == JsonValueKind.Array)
        {
            var numbers = array.EnumerateArray()
                .Select(n => n.ValueKind == JsonValueKind.Number && n.TryGetInt64(out var value) ? value : -1).ToArray();
            if (Array.TrueForAll(numbers, n => n >= 0)) return numbers;
        }

        throw new InvalidDataException($"{field} of tensor '{name}' is not a list of whole numbers from 0 on.");
    }

    /// <summary>The tensors must follow one another without gap or overlap and fill the file.</summary>
    private static void CheckLayout(IReadOnlyList<Entry> entries, long dataLength)
    {
        var reached = 0L;
        foreach (var entry in entries.OrderBy(e => e.Start).ThenBy(e => e.End))
        {
            if (entry.Start != reached)
                throw new InvalidDataException(
                    $"tensor '{entry.Name}' begins at byte {entry.Start} of the data, where byte {reached} was due.");
            if (entry.End - entry.Start != ByteCount(entry))
                throw new InvalidDataException(
                    $"tensor '{entry.Name}' of shape [{string.Join(", ", entry.Shape)}] has {entry.End - entry.Start} bytes, which do not fit it.");
            reached = entry.End;
        }

        if (reached != dataLength)
            throw new InvalidDataException($"its tensors take {reached} bytes; the file holds {dataLength}.");
    }

    private static Int128 ByteCount(Entry entry)
    {
        Int128 bytes = entry.ElementBytes;
        foreach (var n in entry.Shape)
            // A product past any file's size needs no further factor, unless that is 0.
            bytes = bytes > long.MaxValue && n > 0 ? bytes : bytes * n;
        return bytes;
    }

    private static Tensor ReadData(Stream stream, long dataStart, Entry entry)
    {
        var tensor = empty(entry.Shape, entry.Dtype, CPU);
        if (entry.End == entry.Start) return tensor;
        stream.Position = dataStart + entry.Start;
        stream.ReadExactly(tensor.bytes);
        return tensor;
    }
}
