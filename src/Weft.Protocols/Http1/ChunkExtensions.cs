// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Http1;

/// <summary>Checks <c>*( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )</c> (RFC 9112 7.1.1). What it says is ignored.</summary>
internal static class ChunkExtensions
{
    /// <summary>Text begins with a semicolon. An incomplete text is valid as long as it can still become so.</summary>
    internal static bool AreValid(ReadOnlySpan<byte> text, bool complete)
    {
        while (!text.IsEmpty)
        {
            if (text[0] != ';')
            {
                return false;
            }

            text = text[1..].TrimStart(" \t"u8);
            if (!SkipToken(ref text))
            {
                return !complete && text.IsEmpty;
            }

            text = text.TrimStart(" \t"u8);
            if (text is not [(byte)'=', ..])
            {
                continue;
            }

            text = text[1..].TrimStart(" \t"u8);
            if (text is [(byte)'"', ..])
            {
                if (!SkipQuoted(ref text))
                {
                    return !complete && text.IsEmpty;
                }
            }
            else if (!SkipToken(ref text))
            {
                return !complete && text.IsEmpty;
            }

            text = text.TrimStart(" \t"u8);
        }

        return true;
    }

    private static bool SkipToken(ref ReadOnlySpan<byte> text)
    {
        var end = text.IndexOfAnyExcept(Octets.Token);
        end = end < 0 ? text.Length : end;
        text = text[end..];
        return end > 0;
    }

    private static bool SkipQuoted(ref ReadOnlySpan<byte> text)
    {
        for (var i = 1; i < text.Length; i++)
        {
            if (text[i] == '"')
            {
                text = text[(i + 1)..];
                return true;
            }

            if (text[i] == '\\')
            {
                i++;
            }

            if (i < text.Length && !Octets.FieldValue.Contains(text[i]))
            {
                return false;
            }
        }

        text = default;
        return false;
    }
}
