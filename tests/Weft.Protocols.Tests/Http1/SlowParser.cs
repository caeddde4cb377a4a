// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Weft.Protocols.Tests.Http1;

/// <summary>
/// The same grammar written the plain way, from RFC 9110 and 9112, over whole texts with regular expressions: the oracle for the
/// fast parser. It knows no limits; tests keep their inputs below them. The result is as <see cref="Conversation"/>'s, with
/// <c>refused</c> for every error.
/// </summary>
internal static partial class SlowParser
{
    internal static string Read(byte[] bytes)
    {
        var text = Encoding.Latin1.GetString(bytes);
        var words = new List<string>();
        while (text.Length > 0)
        {
            var word = ReadMessage(ref text);
            words.Add(word);
            if (word is "refused" or "wait")
            {
                break;
            }
        }

        return string.Join(" | ", words);
    }

    private static string ReadMessage(ref string text)
    {
        var empty = 0;
        string? line;
        while ((line = NextLine(ref text)) == "" && empty++ < 4)
        {
        }

        if (line is null or "" or "\n")
        {
            // Either no complete line yet, or a fifth empty line, or a line with a bare LF.
            return line is null ? Incomplete(text) : "refused";
        }

        var start = StartLine().Match(line);
        if (!start.Success || !TargetIsValid(start.Groups[1].Value, start.Groups[2].Value))
        {
            return "refused";
        }

        var (method, target, version) = (start.Groups[1].Value, start.Groups[2].Value, start.Groups[3].Value);
        var fields = new List<(string Name, string Value)>();
        while ((line = NextLine(ref text)) is not "")
        {
            if (line is null)
            {
                return "wait";
            }

            var field = Field().Match(line);
            if (!field.Success || !FieldIsValid(field.Groups[1].Value.ToLowerInvariant(), field.Groups[2].Value.Trim(' ', '\t'), fields))
            {
                return "refused";
            }
        }

        return Path(target, version, fields) is { } path && UpgradeIsRight(method, version, fields) ? ReadBody(ref text, $"{method} {path}", version, fields) : "refused";
    }

    /// <summary>A first line that is not complete is waited for, unless its first character or the method's length cannot be right.</summary>
    private static string Incomplete(string text) =>
        text.Length == 0 || text[0] == '\r' || (Token().IsMatch(text[..1]) && text.Split(' ')[0].Length <= 32) ? "wait" : "refused";

    private static bool FieldIsValid(string name, string value, List<(string Name, string Value)> fields)
    {
        var repeated = fields.Any(field => field.Name == name);
        fields.Add((name, value));
        return name switch
        {
            "host" => !repeated && AuthorityIsValid(value),
            "content-length" => !repeated && Digits().IsMatch(value)
                && UInt128.TryParse(value, CultureInfo.InvariantCulture, out var length) && length <= long.MaxValue,
            "transfer-encoding" => !repeated && value.Equals("chunked", StringComparison.OrdinalIgnoreCase),
            "authorization" => !repeated,
            "expect" => value.Equals("100-continue", StringComparison.OrdinalIgnoreCase),
            _ => true,
        };
    }

    private static bool AuthorityIsValid(string text)
    {
        var match = Authority().Match(text);
        return match.Success && (!match.Groups[1].Success || int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) is > 0 and < 65536);
    }

    private static bool TargetIsValid(string method, string target) =>
        !target.Split('?')[0].Contains("%00", StringComparison.Ordinal) && method is not ("CONNECT" or "TRACE")
        && (target[0] == '/' || (target == "*" && method == "OPTIONS")
            || (target != "*" && Absolute().Match(target) is { Success: true } absolute && AuthorityIsValid(absolute.Groups[1].Value)));

    private static string? Path(string target, string version, List<(string Name, string Value)> fields)
    {
        var host = fields.Find(field => field.Name == "host").Value;
        var options = fields.Where(field => field.Name == "connection").SelectMany(field => field.Value.Split(','));
        if ((host is null && version == "HTTP/1.1")
            || !options.All(option => option.Trim(' ', '\t') is var trimmed && (trimmed == "" || Token().IsMatch(trimmed))))
        {
            return null;
        }

        if (target[0] is '/' or '*')
        {
            return target.Split('?')[0];
        }

        var absolute = Absolute().Match(target);
        if (host is not null && !host.Equals(absolute.Groups[1].Value, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        return absolute.Groups[2].Value.Split('?')[0] is { Length: > 0 } path ? path : "/";
    }

    /// <summary>A WebSocket handshake needs its key and its version, once each and not named by Connection.</summary>
    private static bool UpgradeIsRight(string method, string version, List<(string Name, string Value)> fields)
    {
        var options = fields.Where(field => field.Name == "connection")
            .SelectMany(field => field.Value.Split(',')).Select(option => option.Trim(' ', '\t').ToLowerInvariant()).ToList();
        var upgrades = fields.Where(field => field.Name == "upgrade").Select(field => field.Value).ToList();
        var hasBody = fields.Exists(field => field.Name == "transfer-encoding")
            || fields.Exists(field => field.Name == "content-length" && field.Value != "0");
        if (method != "GET" || version != "HTTP/1.1" || hasBody || !options.Contains("upgrade")
            || upgrades is not [var protocol] || !protocol.Equals("websocket", StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        return Only("sec-websocket-version") == "13" && Only("sec-websocket-key") is { } key && WebSocketKey().IsMatch(key);

        string? Only(string name) => options.Contains(name) || fields.Count(field => field.Name == name) != 1
            ? null : fields.Find(field => field.Name == name).Value;
    }

    private static string ReadBody(ref string text, string words, string version, List<(string Name, string Value)> fields)
    {
        var length = fields.Find(field => field.Name == "content-length").Value;
        if (fields.Exists(field => field.Name == "transfer-encoding"))
        {
            return version == "HTTP/1.0" || length is not null ? "refused" : ReadChunks(ref text, words);
        }

        var count = length is null ? 0 : long.Parse(length, CultureInfo.InvariantCulture);
        if (count > text.Length)
        {
            return "wait";
        }

        var body = text[..(int)count];
        text = text[(int)count..];
        return $"{words}[{body}]";
    }

    private static string ReadChunks(ref string text, string words)
    {
        var body = new StringBuilder();
        while (true)
        {
            // What is there must be the beginning of a chunk, even if more is to come.
            var size = Chunk().Match(text);
            if (!size.Success)
            {
                return ChunkBegin().Match(text) is { Success: true } begin && SizeFits(begin.Groups[1].Value) ? "wait" : "refused";
            }

            if (!SizeFits(size.Groups[1].Value))
            {
                return "refused";
            }

            var count = UInt128.Parse(size.Groups[1].Value, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            text = text[size.Length..];
            if (count == 0)
            {
                return ReadTrailers(ref text) ?? $"{words}[{body}]";
            }

            if (count + 2 > (UInt128)text.Length)
            {
                return count > (UInt128)text.Length || text[(int)count..] is "" or "\r" ? "wait" : "refused";
            }

            if (text.Substring((int)count, 2) != "\r\n")
            {
                return "refused";
            }

            body.Append(text, 0, (int)count);
            text = text[((int)count + 2)..];
        }
    }

    private static bool SizeFits(string digits) =>
        digits == "" || (digits.Length <= 16 && UInt128.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture) <= long.MaxValue);

    private static string? ReadTrailers(ref string text)
    {
        while (NextLine(ref text) is var line && line is not "")
        {
            if (line is null)
            {
                return "wait";
            }

            if (!Field().IsMatch(line))
            {
                return "refused";
            }
        }

        return null;
    }

    /// <summary>A line without its CR LF; null if none is complete; LF alone stands for a line that ends in a bare LF.</summary>
    private static string? NextLine(ref string text)
    {
        var end = text.IndexOf('\n', StringComparison.Ordinal);
        if (end < 0)
        {
            return null;
        }

        var line = text[..end];
        text = text[(end + 1)..];
        return line.EndsWith('\r') ? line[..^1] : "\n";
    }

    private const string TokenSet = "[!#$%&'*+.^_`|~0-9A-Za-z-]";

    [GeneratedRegex($@"\A{TokenSet}+\z")]
    private static partial Regex Token();

    [GeneratedRegex($@"\A({TokenSet}{{1,32}}) ([!-""$-~]+) (HTTP/1\.[01])\z")]
    private static partial Regex StartLine();

    [GeneratedRegex($@"\A({TokenSet}+):([\t -~\x80-\xff]*)\z")]
    private static partial Regex Field();

    [GeneratedRegex(@"\A[A-Za-z0-9+/]{22}==\z")]
    private static partial Regex WebSocketKey();

    [GeneratedRegex(@"\A(?:0|[1-9][0-9]*)\z")]
    private static partial Regex Digits();

    [GeneratedRegex(@"\A(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]{2,}\])(?::([0-9]{1,5}))?\z")]
    private static partial Regex Authority();

    [GeneratedRegex(@"\A[Hh][Tt][Tt][Pp]://([^/?]*)([/?].*)?\z")]
    private static partial Regex Absolute();

    private const string Extensions =
        $@"(?:;[\t ]*{TokenSet}+[\t ]*(?:=[\t ]*(?:{TokenSet}+|""(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"")[\t ]*)?)*";

    [GeneratedRegex($@"\A([0-9A-Fa-f]+){Extensions}\r\n")]
    private static partial Regex Chunk();

    /// <summary>A chunk's first line that can still become complete: cut behind its CR, or in the middle of an extension.</summary>
    [GeneratedRegex($@"\A(?:\z|([0-9A-Fa-f]{{1,16}}){Extensions}(?:\r|;[\t ]*(?:{TokenSet}+[\t ]*(?:=[\t ]*(?:{TokenSet}*|""(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*\\?))?)?)?\z)")]
    private static partial Regex ChunkBegin();
}
