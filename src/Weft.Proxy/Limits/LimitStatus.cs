// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Grpc;
using Weft.Proxy.Io;
using Weft.Proxy.Stacks;

namespace Weft.Proxy.Limits;

/// <summary>What a rate-limit service says about one description of a request.</summary>
internal readonly ref struct LimitStatus
{
    internal static LimitStatus None => default;

    internal bool IsKnown { get; private init; }

    internal uint Requests { get; private init; }

    /// <summary>0 where the service does not say in which time.</summary>
    internal int WindowSeconds { get; private init; }

    internal uint Remaining { get; private init; }

    internal long ResetSeconds { get; private init; }

    private ReadOnlySpan<byte> Name { get; init; }

    /// <summary>False if it names no limit.</summary>
    internal static bool TryRead(ReadOnlySpan<byte> message, out LimitStatus status)
    {
        status = default;
        var reader = new ProtoReader(message);
        ReadOnlySpan<byte> limit = default;
        ulong remaining = 0;
        long reset = 0;
        var isKnown = false;
        while (reader.Read())
        {
            switch (reader.Field)
            {
                case 2:
                    limit = reader.Bytes;
                    isKnown = true;
                    break;
                case 3:
                    remaining = reader.Number;
                    break;
                case 4:
                    reset = Seconds(reader.Bytes);
                    break;
            }
        }

        if (reader.IsDamaged || !isKnown)
        {
            return false;
        }

        ulong requests = 0;
        ulong unit = 0;
        ReadOnlySpan<byte> name = default;
        var inner = new ProtoReader(limit);
        while (inner.Read())
        {
            switch (inner.Field)
            {
                case 1:
                    requests = inner.Number;
                    break;
                case 2:
                    unit = inner.Number;
                    break;
                case 3:
                    name = inner.Bytes;
                    break;
            }
        }

        status = new LimitStatus
        {
            IsKnown = true,
            Requests = (uint)requests,
            WindowSeconds = Window(unit),
            Remaining = (uint)remaining,
            ResetSeconds = reset,
            Name = name,
        };
        return !inner.IsDamaged;
    }

    /// <summary><c>, 10;w=60;name="per-address"</c>.</summary>
    internal void AppendPolicy(ref NativeBuffer lines)
    {
        lines.Append(", "u8);
        HeadWriter.AppendNumber(ref lines, Requests);
        lines.Append(";w="u8);
        HeadWriter.AppendNumber(ref lines, WindowSeconds);
        if (!Name.IsEmpty && AddedLine.IsValue(Name) && Name.IndexOf((byte)'"') < 0)
        {
            lines.Append(";name=\""u8);
            lines.Append(Name);
            lines.Append("\""u8);
        }
    }

    private static long Seconds(ReadOnlySpan<byte> duration)
    {
        var reader = new ProtoReader(duration);
        long seconds = 0;
        while (reader.Read())
        {
            seconds = reader.Field == 1 ? (long)reader.Number : seconds;
        }

        return Math.Max(0, seconds);
    }

    /// <summary>SECOND, MINUTE, HOUR, DAY, MONTH, YEAR, WEEK.</summary>
    private static int Window(ulong unit) => unit switch
    {
        1 => 1,
        2 => 60,
        3 => 3_600,
        4 => 86_400,
        5 => 2_592_000,
        6 => 31_536_000,
        7 => 604_800,
        _ => 0,
    };
}
