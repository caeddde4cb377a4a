// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Text;
using System.Text;
using Weft.Proxy.Io;

namespace Weft.Proxy.Telemetry;

/// <summary>Puts one log line together in a buffer that is used again; fields and lines have limits, so it always fits.</summary>
internal sealed class LogLine
{
    /// <summary>Longest text of one field; the rest is cut off.</summary>
    public const int MaxField = 2048;

    /// <summary>Room for all fields at their longest.</summary>
    private const int Room = 32 * MaxField;

    private readonly byte[] _bytes = new byte[Room];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, Length);

    public void Clear() => Length = 0;

    public void Raw(ReadOnlySpan<byte> bytes)
    {
        var count = Math.Min(bytes.Length, Room - Length);
        bytes[..count].CopyTo(_bytes.AsSpan(Length));
        Length += count;
    }

    /// <summary>A field's text, <c>-</c> if there is none.</summary>
    public void Text(ReadOnlySpan<byte> text) => Raw(text.IsEmpty ? "-"u8 : text[..Math.Min(text.Length, MaxField)]);

    public void Text(string text)
    {
        if (text.Length == 0)
        {
            Raw("-"u8);
            return;
        }

        // A character takes three bytes at most.
        var shown = text.AsSpan(0, Math.Min(text.Length, MaxField / 3));
        if (Encoding.UTF8.TryGetBytes(shown, _bytes.AsSpan(Length), out var written))
        {
            Length += written;
        }
    }

    public void Number(long number)
    {
        if (Utf8Formatter.TryFormat(number, _bytes.AsSpan(Length), out var written))
        {
            Length += written;
        }
    }

    /// <summary><c>2026-01-02T03:04:05.678Z</c>.</summary>
    public void Time(DateTime utc)
    {
        Digits(utc.Year, 4);
        Raw("-"u8);
        Digits(utc.Month, 2);
        Raw("-"u8);
        Digits(utc.Day, 2);
        Raw("T"u8);
        Digits(utc.Hour, 2);
        Raw(":"u8);
        Digits(utc.Minute, 2);
        Raw(":"u8);
        Digits(utc.Second, 2);
        Raw("."u8);
        Digits(utc.Millisecond, 3);
        Raw("Z"u8);
    }

    /// <summary><c>10.0.0.1:80</c> or <c>[fd00::1]:80</c>; <c>-</c> for none.</summary>
    public void Address(IpEndpoint address)
    {
        if (address.IsNone)
        {
            Raw("-"u8);
            return;
        }

        Span<byte> text = stackalloc byte[IpEndpoint.LongestAddressText];
        var length = address.FormatAddress(text);
        if (address.IsV4)
        {
            Raw(text[..length]);
        }
        else
        {
            Raw("["u8);
            Raw(text[..length]);
            Raw("]"u8);
        }

        Raw(":"u8);
        Number(address.Port);
    }

    private void Digits(int number, int count)
    {
        Span<byte> digits = stackalloc byte[count];
        for (var i = count - 1; i >= 0; i--)
        {
            digits[i] = (byte)('0' + (number % 10));
            number /= 10;
        }

        Raw(digits);
    }
}
