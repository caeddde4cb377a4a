// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Text;

namespace Weft.Proxy.Listeners;

/// <summary>
/// Tells HTTP from other bytes by the first line. What looks like HTTP but breaks its rules is called HTTP, so that the strict parser refuses
/// it: as opaque bytes it would pass every HTTP policy.
/// </summary>
internal static class HttpInspector
{
    /// <summary>A first line longer than this is not waited for.</summary>
    internal const int LineLimit = 8 * 1024;

    private const int LongestUnknownMethod = 32;

    private static readonly string[] _http10 = ["http/1.0"];
    private static readonly string[] _http11 = ["http/1.1"];
    private static readonly string[] _h2c = ["h2c"];

    private static readonly SearchValues<byte> _token =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    private static readonly string[] _methods =
    [
        "GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "CONNECT", "TRACE", "PROPFIND", "PROPPATCH", "MKCOL", "COPY",
        "MOVE", "LOCK", "UNLOCK", "SEARCH", "REPORT", "MERGE", "PURGE", "BIND", "NOTIFY", "SUBSCRIBE", "UNSUBSCRIBE", "LINK", "UNLINK",
    ];

    /// <summary>What every HTTP/2 client sends first (RFC 9113 section 3.4).</summary>
    internal static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    /// <summary>Null: more bytes are needed. Else the protocols found; none for other bytes.</summary>
    /// <param name="bytes">All there are so far.</param>
    /// <param name="timedOut">No more are waited for: what began like HTTP is taken for it.</param>
    internal static IReadOnlyList<string>? Inspect(ReadOnlySpan<byte> bytes, bool timedOut = false)
    {
        // A server may skip empty lines before a request (RFC 9112 §2.2), so they do not hide one.
        bytes = bytes.TrimStart("\r\n"u8);
        if (bytes.IsEmpty)
        {
            return timedOut ? [] : null;
        }

        if (bytes.Length < Preface.Length ? Preface.StartsWith(bytes) : bytes.StartsWith(Preface))
        {
            return bytes.Length == Preface.Length || bytes.StartsWith(Preface) ? _h2c
                : !timedOut ? null
                : bytes.Length < "PRI".Length ? _http11
                : _h2c;
        }

        var end = bytes.IndexOfAnyExcept(_token);
        if (end < 0 ? !IsKnown(bytes, whole: false) : !BeginsRequest(bytes, end))
        {
            return [];
        }

        var lineEnd = end < 0 ? -1 : bytes.IndexOf((byte)'\n');
        if (lineEnd < 0)
        {
            return bytes.Length > LineLimit || timedOut ? _http11 : null;
        }

        return OfLine(bytes[..lineEnd]);
    }

    private static bool IsKnown(ReadOnlySpan<byte> word, bool whole)
    {
        foreach (var method in _methods)
        {
            if (word.Length <= method.Length && (!whole || word.Length == method.Length) &&
                Ascii.Equals(word, method.AsSpan(0, word.Length)))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>A method, a space and what may be a target; one that nobody knows only before a path or a URL.</summary>
    private static bool BeginsRequest(ReadOnlySpan<byte> bytes, int end)
    {
        if (end == 0 || bytes[end] != ' ')
        {
            return false;
        }

        var target = bytes[(end + 1)..];
        foreach (var c in target)
        {
            if (c is (byte)'\r' or (byte)'\n')
            {
                break;
            }

            if (c is (< (byte)' ' and not (byte)'\t') or 0x7F)
            {
                return false;
            }
        }

        return IsKnown(bytes[..end], whole: true) ||
            (end <= LongestUnknownMethod && (target.StartsWith("/"u8) || StartsWithScheme(target)));
    }

    private static bool StartsWithScheme(ReadOnlySpan<byte> target) =>
        target.Length >= "http".Length && Ascii.EqualsIgnoreCase(target[.."http".Length], "http"u8);

    private static string[] OfLine(ReadOnlySpan<byte> line)
    {
        line = line.TrimEnd(" \t\r"u8);
        var version = line[(line.LastIndexOfAny((byte)' ', (byte)'\t') + 1)..];
        if (version.Length < "HTTP/1".Length || !Ascii.EqualsIgnoreCase(version[.."HTTP/1".Length], "HTTP/1"u8))
        {
            return [];
        }

        return version.SequenceEqual("HTTP/1.0"u8) ? _http10 : _http11;
    }
}
