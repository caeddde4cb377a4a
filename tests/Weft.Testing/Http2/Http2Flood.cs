// SPDX-License-Identifier: Apache-2.0

namespace Weft.Testing.Http2;

/// <summary>What a client sends to reach a limit whose passing ends its connection.</summary>
/// <param name="Limit">The limit's name, as the GOAWAY says it.</param>
/// <param name="Counted">How much of the limit a handshake has used.</param>
/// <param name="Send">Sends as much as is counted against the limit, on a new connection.</param>
public sealed record Http2Flood(string Limit, int Counted, Action<ConformanceClient, int> Send)
{
    private const int LargestFragment = 16_384;

    /// <summary>A ping that nobody has to tell from another one.</summary>
    public static RawFrame Ping { get; } = new(RawFrame.Ping, 0, 0, new byte[8]);

    /// <summary>Every such limit that a client reaches by sending alone.</summary>
    public static IReadOnlyDictionary<string, Http2Flood> All { get; } = new Http2Flood[]
    {
        new("MaxPeerResets", 0, (c, count) => Each(count, i =>
        {
            c.Headers((2 * i) + 1, false, c.Post);
            c.Send(RawFrame.OfNumber(RawFrame.ResetStream, (2 * i) + 1, 8));
        })),
        new("MaxForcedResets", 0, (c, count) => Each(count, i =>
        {
            c.Headers((2 * i) + 1, false, c.Post);
            c.Send(RawFrame.OfNumber(RawFrame.WindowUpdate, (2 * i) + 1, 0));
        })),
        new("MaxContinuationFrames", 0, (c, count) =>
        {
            c.Send(new RawFrame(RawFrame.Headers, RawFrame.EndStream, 1, RawFrame.Block(c.Get)));
            Each(count, i => c.Send(new RawFrame(RawFrame.Continuation, i == count - 1 ? RawFrame.EndHeaders : (byte)0, 1, RawFrame.Block(("x", "y")))));
        }),
        new("MaxHeaderBlockBytes", 0, SendBlock),
        new("HeaderBombFactor", 0, SendBomb),
        new("HeaderBombFactor times MaxHeaderListBytes or MaxHeaderFields", 0, (c, count) => c.Block(1, true, [.. Enumerable.Repeat((byte)0x82, count)])),
        new("MaxSettingsFrames", 2, (c, count) => Each(count, _ => c.Send(RawFrame.OfSettings()))),
        new("MaxSettingsEntries", 0, (c, count) => c.Send(RawFrame.OfSettings([.. Enumerable.Repeat((0xFF, 0u), count)]))),
        new("MaxPings", 0, (c, count) => Each(count, _ => c.Send(Ping))),
        new("MaxEmptyFrames", 0, (c, count) =>
        {
            c.Headers(1, false, c.Post);
            Each(count, _ => c.Data(1, false, 0));
        }),
        new("MaxPriorityFrames", 0, (c, count) => Each(count, _ => c.Send(new RawFrame(RawFrame.Priority, 0, 9, new byte[5])))),
        new("MaxWindowUpdates", 0, (c, count) => Each(count, _ => c.Send(RawFrame.OfNumber(RawFrame.WindowUpdate, 0, 1)))),
        new("MaxUnknownFrames", 0, (c, count) => Each(count, _ => c.Send(new RawFrame(99, 0, 0, new byte[3])))),
    }.ToDictionary(flood => flood.Limit);

    private static void Each(int count, Action<int> action)
    {
        for (var i = 0; i < count; i++)
        {
            action(i);
        }
    }

    /// <summary>A header block of so many bytes in as few frames as it takes.</summary>
    private static void SendBlock(ConformanceClient c, int count)
    {
        var get = RawFrame.Block(c.Get);
        var left = count - get.Length;
        var value = new string('y', left);
        byte[] block = [.. get, .. RawFrame.Block(("x", value[..(left - (RawFrame.Block(("x", value)).Length - left))]))];
        var fragments = block.Chunk(LargestFragment).ToArray();
        for (var i = 0; i < fragments.Length; i++)
        {
            var flags = i == fragments.Length - 1 ? RawFrame.EndHeaders : 0;
            c.Send(i == 0
                ? new RawFrame(RawFrame.Headers, (byte)(flags | RawFrame.EndStream), 1, fragments[i])
                : new RawFrame(RawFrame.Continuation, (byte)flags, 1, fragments[i]));
        }
    }

    /// <summary>A header list of so many bytes: one field that is put into the table and named again and again, and one for the rest.</summary>
    private static void SendBomb(ConformanceClient c, int count)
    {
        var value = new string('a', Math.Min(4000, count / 20));
        var size = value.Length + 33;
        var times = (count / size) - 1;
        var first = RawFrame.Block(("x", value));
        first[0] = 0x40;
        c.Block(1, true, [.. first, .. Enumerable.Repeat((byte)0xBE, times - 1), .. RawFrame.Block(("y", new string('b', count - (times * size) - 33)))]);
    }
}
