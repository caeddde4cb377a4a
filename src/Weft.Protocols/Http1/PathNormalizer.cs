// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Http1;

/// <summary>Brings paths into the form in which they are matched, in place: no rule makes a path longer.</summary>
public static class PathNormalizer
{
    private const int EscapeLength = 3;

    /// <summary>
    /// Normalises the path of a parsed request where it stands; target, path and query of the head then say where the new ones are, and
    /// the bytes between target and version mean nothing any more.
    /// </summary>
    /// <param name="bytes">The head's bytes.</param>
    /// <param name="head">Changed where the path changes.</param>
    /// <param name="rules">What to do.</param>
    /// <param name="slashesDecoded">An escaped slash was decoded.</param>
    /// <returns>False if the path is refused (400).</returns>
    public static bool TryNormalize(Span<byte> bytes, RequestHead head, PathRules rules, out bool slashesDecoded)
    {
        slashesDecoded = false;
        if (head.Path.Length == 0 || head.Form is TargetForm.Asterisk or TargetForm.Authority)
        {
            return true;
        }

        var path = bytes.Slice(head.Path.Start, head.Path.Length);
        if (!TryNormalize(path, rules, out var length, out slashesDecoded))
        {
            return false;
        }

        if (length != path.Length)
        {
            MoveTogether(bytes, head, length);
        }

        return true;
    }

    /// <summary>Normalises a path that begins with a slash; the result stands at its front. False if it is refused.</summary>
    public static bool TryNormalize(Span<byte> path, PathRules rules, out int length, out bool slashesDecoded)
    {
        length = path.Length;
        slashesDecoded = false;
        if (IsNormal(path, rules))
        {
            return true;
        }

        if ((rules & PathRules.RefuseEscapedSlashes) != PathRules.None && IndexOfEscapedSlash(path) >= 0)
        {
            return false;
        }

        if ((rules & PathRules.DecodeSlashes) != PathRules.None)
        {
            var before = length;
            length = DecodeSlashes(path);
            slashesDecoded = length != before;
        }

        if ((rules & PathRules.Normalize) != PathRules.None && !TryResolve(path[..length], out length))
        {
            return false;
        }

        length = (rules & PathRules.MergeSlashes) != PathRules.None ? MergeSlashes(path[..length]) : length;
        return true;
    }

    /// <summary>True for nearly every path that anybody sends: nothing in it that a rule could change.</summary>
    private static bool IsNormal(ReadOnlySpan<byte> path, PathRules rules) =>
        path.IndexOfAny((byte)'%', (byte)'\\') < 0 && path.IndexOf("/."u8) < 0
        && ((rules & PathRules.MergeSlashes) == PathRules.None || path.IndexOf("//"u8) < 0);

    private static void MoveTogether(Span<byte> bytes, RequestHead head, int length)
    {
        var path = head.Path;
        var end = path.Start + length;
        head.Path = new TextRange(path.Start, length);
        if (head.HasQuery)
        {
            bytes.Slice(path.End, head.Query.Length + 1).CopyTo(bytes[end..]);
            head.Query = new TextRange(end + 1, head.Query.Length);
            end = head.Query.End;
        }

        head.Target = new TextRange(head.Target.Start, end - head.Target.Start);
    }

    private static int IndexOfEscapedSlash(ReadOnlySpan<byte> path)
    {
        for (var at = 0; path[at..].IndexOf((byte)'%') is var next and >= 0; at += next + 1)
        {
            if (EscapedSlash(path[(at + next)..]) != 0)
            {
                return at + next;
            }
        }

        return -1;
    }

    /// <summary>The slash or backslash that the text begins with in escaped form; 0 if it does not.</summary>
    private static byte EscapedSlash(ReadOnlySpan<byte> text) => text switch
    {
        [(byte)'%', (byte)'2', (byte)'f' or (byte)'F', ..] => (byte)'/',
        [(byte)'%', (byte)'5', (byte)'c' or (byte)'C', ..] => (byte)'\\',
        _ => 0,
    };

    private static int DecodeSlashes(Span<byte> path)
    {
        var written = 0;
        for (var read = 0; read < path.Length; read++)
        {
            var slash = EscapedSlash(path[read..]);
            path[written++] = slash != 0 ? slash : path[read];
            read += slash != 0 ? EscapeLength - 1 : 0;
        }

        return written;
    }

    /// <summary>One pass: segments are decoded to where they belong, and taken away again if they turn out to be dots.</summary>
    private static bool TryResolve(Span<byte> path, out int length)
    {
        length = 0;
        var written = 1;
        var segment = 1;
        path[0] = (byte)'/';
        for (var read = 1; read < path.Length; read++)
        {
            var octet = path[read];
            if (octet is (byte)'/' or (byte)'\\')
            {
                if (!TryEndSegment(path, ref segment, ref written, last: false))
                {
                    return false;
                }

                continue;
            }

            if (octet == '%')
            {
                if (path.Length - read < EscapeLength || !TryReadHex(path[read + 1], path[read + 2], out var decoded))
                {
                    return false;
                }

                if (!Octets.HostName.Contains(decoded))
                {
                    path.Slice(read, EscapeLength).CopyTo(path[written..]);
                    written += EscapeLength;
                    read += EscapeLength - 1;
                    continue;
                }

                octet = decoded;
                read += EscapeLength - 1;
            }

            path[written++] = octet;
        }

        if (!TryEndSegment(path, ref segment, ref written, last: true))
        {
            return false;
        }

        length = written;
        return true;
    }

    /// <summary>The segment is complete: a dot goes, two dots take the segment before them along, anything else gets its slash.</summary>
    private static bool TryEndSegment(Span<byte> path, ref int segment, ref int written, bool last)
    {
        var text = path[segment..written];
        if (text is [(byte)'.', (byte)';', ..] or [(byte)'.', (byte)'.', (byte)';', ..])
        {
            return false;
        }

        if (text is [(byte)'.'])
        {
            written = segment;
        }
        else if (text is [(byte)'.', (byte)'.'])
        {
            // The root has no parent; else back to behind the slash in front of the segment before.
            written = segment == 1 ? 1 : path[..(segment - 1)].LastIndexOf((byte)'/') + 1;
        }
        else if (!last)
        {
            path[written++] = (byte)'/';
        }

        segment = written;
        return true;
    }

    private static int MergeSlashes(Span<byte> path)
    {
        var written = 1;
        for (var read = 1; read < path.Length; read++)
        {
            if (path[read] != '/' || path[written - 1] != '/')
            {
                path[written++] = path[read];
            }
        }

        return written;
    }

    private static bool TryReadHex(byte high, byte low, out byte value)
    {
        value = 0;
        if (!char.IsAsciiHexDigit((char)high) || !char.IsAsciiHexDigit((char)low))
        {
            return false;
        }

        value = (byte)((HexValue(high) << 4) | HexValue(low));
        return true;
    }

    private static int HexValue(byte digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}
