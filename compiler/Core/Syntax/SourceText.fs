/// From the bytes of a file to its text. Reading files is deqc's business.
module internal DiffEqLang.Compiler.Syntax.SourceText

open System
open System.Buffers
open System.Text
open System.Text.Unicode
open DiffEqLang.Contracts

/// A model of 80,000 equations fits; what is larger was most likely not meant for this compiler.
let maxBytes = 4 * 1024 * 1024

let private spanAt path (textBefore: ReadOnlySpan<char>) =
    let line = textBefore.Count '\n' + 1
    let column = textBefore.Length - (textBefore.LastIndexOf '\n' + 1) + 1
    SourceSpan(path, line, column, line, column + 1)

let private startOf path = SourceSpan(path, 1, 1, 1, 1)

/// Line ends as LF. Columns stay what they were, since a CR stands behind the last of them.
let private withUnixLines (text: string) =
    if text.Contains '\r' then
        text.Replace("\r\n", "\n").Replace('\r', '\n')
    else
        text

let private tooLarge path (length: int) =
    let megabytes = float length / (1024.0 * 1024.0)

    Diagnostic(
        DiagnosticCatalogue.FileTooLarge,
        $"the file has {megabytes:F1} MiB; a model may have {maxBytes / (1024 * 1024)} MiB",
        startOf path,
        Hint = "split it into files that import each other, or name the file that was meant"
    )

let private invalidUtf8 path (textBefore: ReadOnlySpan<char>) (bad: byte) =
    Diagnostic(
        DiagnosticCatalogue.InvalidUtf8,
        $"the byte 0x{bad:X2} is not UTF-8",
        spanAt path textBefore,
        Hint = "save the file as UTF-8"
    )

let private isUtf16 (bytes: byte[]) =
    bytes.Length >= 2
    && ((bytes[0] = 0xFFuy && bytes[1] = 0xFEuy) || (bytes[0] = 0xFEuy && bytes[1] = 0xFFuy))

let private decodeUtf8 path (bytes: byte[]) : Result<string, Diagnostic> =
    let marked = bytes.AsSpan().StartsWith(ReadOnlySpan [| 0xEFuy; 0xBBuy; 0xBFuy |])
    let content = if marked then ReadOnlySpan(bytes, 3, bytes.Length - 3) else ReadOnlySpan bytes
    let buffer: char[] = Array.zeroCreate content.Length
    let mutable read = 0
    let mutable written = 0
    // isFinalBlock: a sequence cut off at the end of the file is invalid too.
    let status =
        Utf8.ToUtf16(
            content,
            Span buffer,
            &read,
            &written,
            replaceInvalidSequences = false,
            isFinalBlock = true
        )

    if status = OperationStatus.Done then
        Ok(String(buffer, 0, written))
    else
        Error(invalidUtf8 path (Span.op_Implicit (buffer.AsSpan(0, written))) content[read])

/// The text of a file: UTF-8, with or without byte-order mark, with any line ends; or what keeps it from being one.
let decode (path: string) (bytes: byte[]) : Result<SourceFile, Diagnostic> =
    if bytes.Length > maxBytes then
        Error(tooLarge path bytes.Length)
    elif isUtf16 bytes then
        Error(
            Diagnostic(
                DiagnosticCatalogue.InvalidUtf8,
                "the file is UTF-16, not UTF-8",
                startOf path,
                Hint = "save the file as UTF-8"
            )
        )
    else
        match decodeUtf8 path bytes with
        | Error diagnostic -> Error diagnostic
        | Ok text ->
            match text.IndexOf '\000' with
            | -1 -> Ok(SourceFile(path, withUnixLines text))
            | at ->
                Error(
                    Diagnostic(
                        DiagnosticCatalogue.NulCharacter,
                        "the file holds a NUL character: it is no text",
                        spanAt path (text.AsSpan(0, at))
                    )
                )
