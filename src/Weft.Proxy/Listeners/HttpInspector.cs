// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Listeners;

/// <summary>Tells HTTP from other bytes by the first line.</summary>
internal static class HttpInspector
{
    /// <summary>A first line longer than this is not taken for HTTP.</summary>
    internal const int LineLimit = 8 * 1024;

    private static readonly string[] _http10 = ["http/1.0"];
    private static readonly string[] _http11 = ["http/1.1"];
    private static readonly string[] _h2c = ["h2c"];

    private static readonly string[] _methods =
    [
        "GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "CONNECT", "TRACE", "PROPFIND", "PROPPATCH", "MKCOL", "COPY",
        "MOVE", "LOCK", "UNLOCK", "SEARCH", "REPORT", "MERGE", "PURGE", "BIND", "NOTIFY", "SUBSCRIBE", "UNSUBSCRIBE", "LINK", "UNLINK",
    ];

    private static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    /// <summary>Null: more bytes are needed. Else the protocols found; none for other bytes.</summary>
    internal static IReadOnlyList<string>? Inspect(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < Preface.Length ? Preface.StartsWith(bytes) : bytes.StartsWith(Preface))
        {
            return bytes.Length < Preface.Length ? null : _h2c;
        }

        if (!BeginsWithMethod(bytes))
        {
            return [];
        }

        var end = bytes.IndexOf((byte)'\n');
        if (end < 0)
        {
            return bytes.Length > LineLimit ? [] : null;
        }

        var line = bytes[..end];
        if (line.EndsWith("\r"u8))
        {
            line = line[..^1];
        }

        return line.EndsWith(" HTTP/1.1"u8) ? _http11 : line.EndsWith(" HTTP/1.0"u8) ? _http10 : [];
    }

    private static bool BeginsWithMethod(ReadOnlySpan<byte> bytes)
    {
        foreach (var method in _methods)
        {
            var common = Math.Min(bytes.Length, method.Length);
            if (System.Text.Ascii.Equals(bytes[..common], method.AsSpan(0, common)) &&
                (bytes.Length <= method.Length || bytes[method.Length] == (byte)' '))
            {
                return true;
            }
        }

        return false;
    }
}
