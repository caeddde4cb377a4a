// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Grpc;

/// <summary>
/// Decodes base64 (RFC 4648 section 4) that comes in pieces of any size. Padding may stand in the middle, behind every part that was encoded
/// for itself; anything else that is not canonical is refused.
/// </summary>
public struct Base64Reader
{
    private const int GroupLength = 4;
    private const byte Padding = (byte)'=';
    private const byte NoDigit = 0xFF;

    private static readonly byte[] _digits = MakeDigits();

    private uint _bits;
    private int _count;
    private int _padding;

    /// <summary>No group of four is incomplete: the text may end here.</summary>
    public readonly bool IsWhole => _count == 0;

    /// <summary>
    /// Takes text until it is used up or the output is full. False where it is no base64; what was written before that is right.
    /// </summary>
    /// <param name="text">Becomes what was not taken.</param>
    /// <param name="output">Room for at least three bytes.</param>
    /// <param name="written">Bytes of the output.</param>
    public bool TryRead(ref ReadOnlySpan<byte> text, scoped Span<byte> output, out int written)
    {
        written = 0;
        var at = 0;
        while (at < text.Length && output.Length - written >= GroupLength - 1)
        {
            var octet = text[at++];
            if (octet == Padding)
            {
                // Only the last one or two of a group.
                if (_count < 2)
                {
                    return false;
                }

                _padding++;
                _bits <<= 6;
            }
            else
            {
                var digit = _padding > 0 ? NoDigit : _digits[octet];
                if (digit == NoDigit)
                {
                    return false;
                }

                _bits = (_bits << 6) | digit;
            }

            if (++_count == GroupLength && !TryEndGroup(output, ref written))
            {
                return false;
            }
        }

        text = text[at..];
        return true;
    }

    private bool TryEndGroup(Span<byte> output, ref int written)
    {
        // Bits behind the last octet would make two texts of one value.
        var unused = (1u << (8 * _padding)) - 1;
        if ((_bits & unused) != 0)
        {
            return false;
        }

        output[written++] = (byte)(_bits >> 16);
        if (_padding < 2)
        {
            output[written++] = (byte)(_bits >> 8);
        }

        if (_padding == 0)
        {
            output[written++] = (byte)_bits;
        }

        this = default;
        return true;
    }

    private static byte[] MakeDigits()
    {
        var digits = new byte[256];
        digits.AsSpan().Fill(NoDigit);
        var alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"u8;
        for (var i = 0; i < alphabet.Length; i++)
        {
            digits[alphabet[i]] = (byte)i;
        }

        return digits;
    }
}
