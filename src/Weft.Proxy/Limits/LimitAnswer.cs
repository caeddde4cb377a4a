// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Grpc;
using Weft.Proxy.Io;
using Weft.Proxy.Stacks;

namespace Weft.Proxy.Limits;

/// <summary>A RateLimitResponse, read where it lies. The service is another program: nothing of it is passed on that would not be a field line.</summary>
internal readonly ref struct LimitAnswer
{
    internal const int ResponseLines = 3;
    internal const int RequestLines = 4;

    /// <summary>Of one answer; what is more is left out.</summary>
    internal const int MaxLines = 32;

    private const int CodeField = 1;
    private const int StatusField = 2;
    private const int BodyField = 5;
    private const int OverLimit = 2;

    private readonly ReadOnlySpan<byte> _message;

    private LimitAnswer(ReadOnlySpan<byte> message, bool isTooMuch, ReadOnlySpan<byte> body)
    {
        _message = message;
        IsTooMuch = isTooMuch;
        Body = body;
    }

    internal bool IsTooMuch { get; }

    /// <summary>Of the answer to what is too much.</summary>
    internal ReadOnlySpan<byte> Body { get; }

    /// <summary>False if it is no such message, or says neither yes nor no.</summary>
    internal static bool TryRead(ReadOnlySpan<byte> message, out LimitAnswer answer)
    {
        ulong code = 0;
        ReadOnlySpan<byte> body = default;
        var reader = new ProtoReader(message);
        while (reader.Read())
        {
            if (reader.Field == CodeField)
            {
                code = reader.Number;
            }
            else if (reader.Field == BodyField)
            {
                body = reader.Bytes;
            }
        }

        answer = new LimitAnswer(message, code == OverLimit, body);
        return !reader.IsDamaged && code is 1 or OverLimit;
    }

    /// <summary>The field lines that it wants to be added; those that are none, or that say how a message is framed or routed, are left out.</summary>
    internal void AppendLines(ref NativeBuffer lines, int field)
    {
        var reader = new ProtoReader(_message);
        for (var count = 0; reader.Read() && count < MaxLines;)
        {
            if (reader.Field != field)
            {
                continue;
            }

            ReadOnlySpan<byte> name = default;
            ReadOnlySpan<byte> value = default;
            var header = new ProtoReader(reader.Bytes);
            while (header.Read())
            {
                name = header.Field == 1 ? header.Bytes : name;
                value = header.Field is 2 or 3 && !header.Bytes.IsEmpty ? header.Bytes : value;
            }

            if (!header.IsDamaged && AddedLine.IsUsable(name, value))
            {
                HeadWriter.AppendLine(ref lines, name, value);
                count++;
            }
        }
    }

    /// <summary>The limit that is nearest: how much it allows, with all policies behind it, what is left, and until when.</summary>
    internal void AppendLimits(ref NativeBuffer lines)
    {
        var nearest = LimitStatus.None;
        var reader = new ProtoReader(_message);
        while (reader.Read())
        {
            if (reader.Field == StatusField && LimitStatus.TryRead(reader.Bytes, out var status) && (!nearest.IsKnown || status.Remaining < nearest.Remaining))
            {
                nearest = status;
            }
        }

        if (!nearest.IsKnown)
        {
            return;
        }

        lines.Append("x-ratelimit-limit: "u8);
        HeadWriter.AppendNumber(ref lines, nearest.Requests);
        reader = new ProtoReader(_message);
        for (var count = 0; reader.Read() && count < MaxLines;)
        {
            if (reader.Field == StatusField && LimitStatus.TryRead(reader.Bytes, out var status) && status.WindowSeconds > 0)
            {
                status.AppendPolicy(ref lines);
                count++;
            }
        }

        lines.Append("\r\nx-ratelimit-remaining: "u8);
        HeadWriter.AppendNumber(ref lines, nearest.Remaining);
        lines.Append("\r\nx-ratelimit-reset: "u8);
        HeadWriter.AppendNumber(ref lines, nearest.ResetSeconds);
        lines.Append("\r\n"u8);
    }
}
