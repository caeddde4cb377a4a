// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace Weft.Protocols.Http1;

/// <summary>Reads <c>method SP target SP version</c> (RFC 9112 3).</summary>
internal static class RequestLine
{
    internal static Http1Error Parse(ReadOnlySpan<byte> line, RequestHead head, Http1Rules rules)
    {
        var start = head.LineStart - 2 - line.Length;
        head.StartLineStart = start;
        var space = line.IndexOf((byte)' ');
        if (space <= 0)
        {
            return space == 0 || !Octets.IsToken(line) ? Http1Error.Method : Http1Error.RequestLine;
        }

        var method = line[..space];
        if (space > rules.MaxMethodBytes || !Octets.IsToken(method))
        {
            return space > rules.MaxMethodBytes ? Http1Error.MethodTooLong : Http1Error.Method;
        }

        var rest = line[(space + 1)..];
        var second = rest.IndexOf((byte)' ');
        if (second < 0)
        {
            return Http1Error.RequestLine;
        }

        if (second > rules.MaxTargetBytes)
        {
            return Http1Error.TargetTooLong;
        }

        head.MethodText = new TextRange(start, space);
        head.Method = KnownMethods.Classify(method);
        var target = rest[..second];
        if (rules.CutFragment && target.IndexOf((byte)'#') is > 0 and var hash)
        {
            if (target[(hash + 1)..].ContainsAnyExcept(Octets.Target))
            {
                return Http1Error.Target;
            }

            target = target[..hash];
        }

        head.Target = new TextRange(start + space + 1, target.Length);
        return Version(rest[(second + 1)..], head) is var error and not Http1Error.None
            ? error
            : ParseTarget(target, head, rules);
    }

    internal static Http1Error Version(ReadOnlySpan<byte> version, MessageHead head)
    {
        if (version.Length != 8 || !version.StartsWith("HTTP/"u8) || version[6] != '.'
            || !char.IsAsciiDigit((char)version[5]) || !char.IsAsciiDigit((char)version[7]))
        {
            return Http1Error.Version;
        }

        if (version[5] != '1' || version[7] > '1')
        {
            return Http1Error.VersionNotSupported;
        }

        head.MinorVersion = (byte)(version[7] - '0');
        return Http1Error.None;
    }

    private static Http1Error ParseTarget(ReadOnlySpan<byte> target, RequestHead head, Http1Rules rules)
    {
        // A NUL ends a path for everything that is written in C; in a query it is the application's.
        if (target.IsEmpty || target.ContainsAnyExcept(Octets.Target)
            || (target.IndexOf("%00"u8) is >= 0 and var nul && target[..nul].IndexOf((byte)'?') < 0))
        {
            return Http1Error.Target;
        }

        if (head.Method == KnownMethod.Connect)
        {
            return Connect(target, head, rules);
        }

        if (head.Method == KnownMethod.Trace && !rules.AllowTrace)
        {
            return Http1Error.MethodNotAllowed;
        }

        if (target[0] == '/')
        {
            head.Form = TargetForm.Origin;
            SplitPath(target, head.Target.Start, head);
            return Http1Error.None;
        }

        if (target.Length == 1 && target[0] == '*')
        {
            head.Form = TargetForm.Asterisk;
            head.Path = head.Target;
            return head.Method == KnownMethod.Options ? Http1Error.None : Http1Error.TargetForm;
        }

        return Absolute(target, head, rules);
    }

    private static Http1Error Connect(ReadOnlySpan<byte> target, RequestHead head, Http1Rules rules)
    {
        if (!rules.AllowConnect)
        {
            return Http1Error.MethodNotAllowed;
        }

        head.Form = TargetForm.Authority;
        head.Authority = head.Target;
        return Authorities.TrySplit(target, out _, out var port) && port != 0 ? Http1Error.None : Http1Error.TargetForm;
    }

    private static Http1Error Absolute(ReadOnlySpan<byte> target, RequestHead head, Http1Rules rules)
    {
        var scheme = StartsWith(target, "http://"u8) ? 7
            : rules.AllowHttpsTarget && StartsWith(target, "https://"u8) ? 8 : 0;
        if (scheme == 0)
        {
            return Http1Error.TargetForm;
        }

        var rest = target[scheme..];
        var end = rest.IndexOfAny((byte)'/', (byte)'?');
        end = end < 0 ? rest.Length : end;
        if (!Authorities.TrySplit(rest[..end], out _, out _))
        {
            return Http1Error.TargetForm;
        }

        var start = head.Target.Start + scheme;
        head.Form = TargetForm.Absolute;
        head.Authority = new TextRange(start, end);
        SplitPath(rest[end..], start + end, head);
        return Http1Error.None;
    }

    private static void SplitPath(ReadOnlySpan<byte> text, int start, RequestHead head)
    {
        var mark = text.IndexOf((byte)'?');
        head.HasQuery = mark >= 0;
        head.Path = new TextRange(start, mark < 0 ? text.Length : mark);
        head.Query = mark < 0 ? default : new TextRange(start + mark + 1, text.Length - mark - 1);
    }

    private static bool StartsWith(ReadOnlySpan<byte> text, ReadOnlySpan<byte> lower) =>
        text.Length >= lower.Length && Ascii.EqualsIgnoreCase(text[..lower.Length], lower);
}
