// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Grpc;

/// <summary>Reads <c>grpc-timeout</c>: at most eight digits and a unit (gRPC over HTTP/2, "Timeout").</summary>
public static class GrpcTimeout
{
    private const int MaxDigits = 8;

    /// <summary>False where it is malformed, which is as if it were not there. A part of a millisecond counts as a whole one.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out long milliseconds)
    {
        milliseconds = 0;
        if (text.Length is < 2 or > MaxDigits + 1)
        {
            return false;
        }

        long number = 0;
        foreach (var digit in text[..^1])
        {
            if (!char.IsAsciiDigit((char)digit))
            {
                return false;
            }

            number = (number * 10) + digit - '0';
        }

        milliseconds = text[^1] switch
        {
            (byte)'H' => number * 3_600_000,
            (byte)'M' => number * 60_000,
            (byte)'S' => number * 1000,
            (byte)'m' => number,
            (byte)'u' => (number + 999) / 1000,
            (byte)'n' => (number + 999_999) / 1_000_000,
            _ => -1,
        };
        return milliseconds >= 0;
    }
}
