using System.Buffers.Binary;
using System.Text;

namespace DiffEqLang.Runtime;

/// <summary>
/// The symbol versions that a 64-bit little-endian ELF library asks of others (its <c>.gnu.version_r</c> section), and the
/// marking of one of them as weak, so that the loader no longer refuses the library where that version is missing.
/// </summary>
/// <remarks>
/// Layout: System V ABI, chapter 4; Linux Standard Base Core 5.0, section 10.7 "Symbol Versioning".
/// </remarks>
internal sealed class ElfVersionNeeds
{
    private const uint DynamicSymbols = 11;            // SHT_DYNSYM
    private const uint VersionNeeds = 0x6ffffffe;      // SHT_GNU_verneed
    private const uint SymbolVersions = 0x6fffffff;    // SHT_GNU_versym
    private const ushort WeakVersion = 0x2;            // VER_FLG_WEAK
    private const int SymbolSize = 24;                 // sizeof(Elf64_Sym)

    private readonly byte[] _file;
    private readonly List<Section> _sections = [];

    private ElfVersionNeeds(byte[] file)
    {
        _file = file;
        var table = checked((int)UInt64At(0x28));
        var (size, count) = (UInt16At(0x3A), UInt16At(0x3C));
        for (var i = 0; i < count; i++)
        {
            var at = table + i * size;
            _sections.Add(new Section(UInt32At(at + 4), (int)UInt64At(at + 24), (int)UInt64At(at + 32), (int)UInt32At(at + 40)));
        }
    }

    private readonly record struct Section(uint Kind, int Offset, int Size, int Link);

    /// <summary>One version asked for.</summary>
    /// <param name="Name">Such as <c>GLIBCXX_3.4.32</c>.</param>
    /// <param name="Index">By which the symbol table refers to it.</param>
    /// <param name="IsWeak">Whether the loader only warns where it is missing.</param>
    /// <param name="FlagsOffset">Of its flags in the file.</param>
    public readonly record struct Need(string Name, ushort Index, bool IsWeak, int FlagsOffset);

    /// <summary>Reads a library; null where the bytes are not a 64-bit little-endian ELF file with sections.</summary>
    public static ElfVersionNeeds? Read(byte[] file)
    {
        ReadOnlySpan<byte> elf64LittleEndian = [0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1];
        if (file.Length < 0x40 || !file.AsSpan().StartsWith(elf64LittleEndian)) return null;
        try
        {
            return new ElfVersionNeeds(file);
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or OverflowException)
        {
            return null;    // cut short, or not what it claims to be
        }
    }

    /// <summary>All versions asked for.</summary>
    public IEnumerable<Need> Needs()
    {
        foreach (var section in _sections.Where(s => s.Kind == VersionNeeds && s.Size > 0))
        {
            var strings = _sections[section.Link].Offset;
            for (int file = section.Offset, next = -1; next != 0; file += next)
            {
                var versions = UInt16At(file + 2);
                var at = file + (int)UInt32At(file + 8);
                for (var i = 0; i < versions; i++)
                {
                    var flags = UInt16At(at + 4);
                    yield return new Need(
                        StringAt(strings + (int)UInt32At(at + 8)), UInt16At(at + 6), (flags & WeakVersion) != 0, at + 4);
                    at += (int)UInt32At(at + 12);
                }

                next = (int)UInt32At(file + 12);
            }
        }
    }

    /// <summary>The names of the dynamic symbols that are asked for in a version.</summary>
    public IEnumerable<string> SymbolsOf(Need need)
    {
        var symbols = _sections.First(s => s.Kind == DynamicSymbols);
        var versions = _sections.First(s => s.Kind == SymbolVersions);
        var strings = _sections[symbols.Link].Offset;
        for (var i = 0; i < symbols.Size / SymbolSize; i++)
            if ((UInt16At(versions.Offset + 2 * i) & 0x7fff) == need.Index)
                yield return StringAt(strings + (int)UInt32At(symbols.Offset + SymbolSize * i));
    }

    /// <summary>A copy of the library in which the need is weak.</summary>
    public byte[] WithWeak(Need need)
    {
        var copy = (byte[])_file.Clone();
        var flags = copy.AsSpan(need.FlagsOffset, 2);
        BinaryPrimitives.WriteUInt16LittleEndian(flags, (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(flags) | WeakVersion));
        return copy;
    }

    private ushort UInt16At(int at) => BinaryPrimitives.ReadUInt16LittleEndian(_file.AsSpan(at, 2));

    private uint UInt32At(int at) => BinaryPrimitives.ReadUInt32LittleEndian(_file.AsSpan(at, 4));

    private ulong UInt64At(int at) => BinaryPrimitives.ReadUInt64LittleEndian(_file.AsSpan(at, 8));

    private string StringAt(int at) => Encoding.UTF8.GetString(_file, at, _file.AsSpan(at).IndexOf((byte)0));
}
