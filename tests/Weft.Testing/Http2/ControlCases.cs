// SPDX-License-Identifier: Apache-2.0

namespace Weft.Testing.Http2;

/// <summary>What each type of frame may be: RFC 9113 sections 6.1 to 6.9.</summary>
internal static class ControlCases
{
    private const uint Most = int.MaxValue;

    internal static IReadOnlyList<ConformanceCase> All { get; } =
    [
        OnConnection("6.1", "DATA on no stream", c => c.Data(0, true, 4), WireError.Protocol),
        FramingCases.After("6.1", "DATA with padding are taken", c =>
        {
            c.Headers(1, false, c.Post);
            c.Send(new RawFrame(RawFrame.Data, RawFrame.Padded | RawFrame.EndStream, 1, [3, 1, 2, 0, 0, 0]));
            c.ExpectAnswer(1);
        }),
        OnConnection("6.1", "DATA with more padding than payload", c =>
        {
            c.Headers(1, false, c.Post);
            c.Send(new RawFrame(RawFrame.Data, RawFrame.Padded | RawFrame.EndStream, 1, [4, 1, 0, 0]));
        }, WireError.Protocol),
        OnConnection("6.1", "DATA with padding and no payload", c =>
        {
            c.Headers(1, false, c.Post);
            c.Send(new RawFrame(RawFrame.Data, RawFrame.Padded, 1, []));
        }, WireError.FrameSize),
        OnConnection("6.2", "HEADERS on no stream", c => c.Headers(0, true, c.Get), WireError.Protocol),
        FramingCases.After("6.2", "HEADERS with padding are taken", c =>
        {
            c.Send(new RawFrame(RawFrame.Headers, RawFrame.Padded | RawFrame.EndStream | RawFrame.EndHeaders, 1, [2, .. RawFrame.Block(c.Get), 0, 0]));
            c.ExpectAnswer(1);
        }),
        OnConnection("6.2", "HEADERS with more padding than payload", c =>
            c.Send(new RawFrame(RawFrame.Headers, RawFrame.Padded | RawFrame.EndStream | RawFrame.EndHeaders, 1, [200, .. RawFrame.Block(c.Get)])),
            WireError.Protocol),
        OnConnection("6.2", "HEADERS too short for their priority", c =>
            c.Send(new RawFrame(RawFrame.Headers, RawFrame.HasPriority | RawFrame.EndStream | RawFrame.EndHeaders, 1, [0, 0, 0])), WireError.FrameSize),
        OnConnection("6.3", "PRIORITY on no stream", c => c.Send(new RawFrame(RawFrame.Priority, 0, 0, new byte[5])), WireError.Protocol),
        FramingCases.After("6.3", "PRIORITY of another length than 5", c =>
        {
            c.Headers(1, false, c.Post);
            c.Send(new RawFrame(RawFrame.Priority, 0, 1, new byte[4]));
            c.ExpectStreamError(1, WireError.FrameSize);
        }),
        OnConnection("6.4", "RST_STREAM on no stream", c => c.Send(RawFrame.OfNumber(RawFrame.ResetStream, 0, 8)), WireError.Protocol),
        OnConnection("6.4", "RST_STREAM of another length than 4", c =>
        {
            c.Headers(1, false, c.Post);
            c.Send(new RawFrame(RawFrame.ResetStream, 0, 1, new byte[3]));
        }, WireError.FrameSize),
        OnConnection("6.5", "An acknowledgement with a payload", c =>
            c.Send(new RawFrame(RawFrame.Settings, RawFrame.Ack, 0, new byte[6])), WireError.FrameSize),
        OnConnection("6.5", "SETTINGS on a stream", c => c.Send(new RawFrame(RawFrame.Settings, 0, 1, new byte[6])), WireError.Protocol),
        OnConnection("6.5", "SETTINGS of a length that is not whole", c =>
            c.Send(new RawFrame(RawFrame.Settings, 0, 0, new byte[3])), WireError.FrameSize),
        OnConnection("6.5.2", "ENABLE_PUSH is 2", c => c.Send(RawFrame.OfSettings((2, 2))), WireError.Protocol),
        OnConnection("6.5.2", "INITIAL_WINDOW_SIZE is over 2^31-1", c => c.Send(RawFrame.OfSettings((4, Most + 1))), WireError.FlowControl),
        OnConnection("6.5.2", "MAX_FRAME_SIZE is under 2^14", c => c.Send(RawFrame.OfSettings((5, 16_383))), WireError.Protocol),
        OnConnection("6.5.2", "MAX_FRAME_SIZE is over 2^24-1", c => c.Send(RawFrame.OfSettings((5, 16_777_216))), WireError.Protocol),
        FramingCases.After("6.5.2", "A setting that nobody knows is ignored", c =>
        {
            c.Send(RawFrame.OfSettings((0xFF, 1)));
            c.ExpectAlive();
        }),
        FramingCases.After("6.5.3", "The last of several values counts", c =>
        {
            c.Send(RawFrame.OfSettings((4, 100), (4, 1)));
            c.Headers(1, true, c.Get);
            ExpectData(c, 1);
        }),
        FramingCases.After("6.5.3", "SETTINGS are acknowledged", c =>
        {
            c.Send(RawFrame.OfSettings());
            c.Expect("the acknowledgement", frame => frame.Type == RawFrame.Settings && frame.Flags == RawFrame.Ack);
        }),
        FramingCases.After("6.7", "PING comes back", c => c.ExpectAlive()),
        FramingCases.After("6.7", "A PING that is an answer is not answered", c =>
        {
            c.Send(new RawFrame(RawFrame.Ping, RawFrame.Ack, 0, [.. "unasked!"u8]), new RawFrame(RawFrame.Ping, 0, 0, [.. "asked it"u8]));
            var first = c.Expect("the answer to PING", frame => frame.Type == RawFrame.Ping);
            if (!first.Payload.AsSpan().SequenceEqual("asked it"u8))
            {
                throw new InvalidOperationException("An answer was answered.");
            }
        }),
        OnConnection("6.7", "PING on a stream", c => c.Send(new RawFrame(RawFrame.Ping, 0, 1, new byte[8])), WireError.Protocol),
        OnConnection("6.7", "PING of another length than 8", c => c.Send(new RawFrame(RawFrame.Ping, 0, 0, new byte[6])), WireError.FrameSize),
        OnConnection("6.8", "GOAWAY on a stream", c => c.Send(new RawFrame(RawFrame.GoAway, 0, 1, new byte[8])), WireError.Protocol),
        OnConnection("6.8", "GOAWAY shorter than 8", c => c.Send(new RawFrame(RawFrame.GoAway, 0, 0, new byte[7])), WireError.FrameSize),
        FramingCases.After("6.8", "Streams go on after the client's GOAWAY", c =>
        {
            c.Headers(1, false, c.Post);
            c.Send(new RawFrame(RawFrame.GoAway, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0, .. "bye"u8]));
            c.Data(1, true, 1);
            c.ExpectAnswer(1);
        }),
        OnConnection("6.9", "WINDOW_UPDATE of 0 for the connection", c => c.Send(RawFrame.OfNumber(RawFrame.WindowUpdate, 0, 0)), WireError.Protocol),
        FramingCases.After("6.9", "WINDOW_UPDATE of 0 for a stream", c =>
        {
            c.Headers(1, false, c.Post);
            c.Send(RawFrame.OfNumber(RawFrame.WindowUpdate, 1, 0));
            c.ExpectStreamError(1, WireError.Protocol);
        }),
        OnConnection("6.9", "WINDOW_UPDATE of another length than 4", c =>
            c.Send(new RawFrame(RawFrame.WindowUpdate, 0, 0, new byte[3])), WireError.FrameSize),
        FramingCases.After("6.9.1", "No more DATA comes than the window lets through", c =>
        {
            c.Send(RawFrame.OfSettings((4, 1)));
            c.Headers(1, true, c.Get);
            ExpectData(c, 1);
        }),
        OnConnection("6.9.1", "The connection's window goes over 2^31-1", c =>
            c.Send(RawFrame.OfNumber(RawFrame.WindowUpdate, 0, Most), RawFrame.OfNumber(RawFrame.WindowUpdate, 0, Most)), WireError.FlowControl),
        FramingCases.After("6.9.1", "A stream's window goes over 2^31-1", c =>
        {
            c.Headers(1, false, c.Post);
            c.Send(RawFrame.OfNumber(RawFrame.WindowUpdate, 1, Most), RawFrame.OfNumber(RawFrame.WindowUpdate, 1, Most));
            c.ExpectStreamError(1, WireError.FlowControl);
        }),
        FramingCases.After("6.9.2", "A window that is opened by SETTINGS lets DATA through", c =>
        {
            c.Send(RawFrame.OfSettings((4, 0)));
            c.Headers(1, true, c.Get);
            c.Send(RawFrame.OfSettings((4, 1)));
            ExpectData(c, 1);
        }),
        FramingCases.After("6.9.2", "A window that SETTINGS put below 0 counts from there", c =>
        {
            c.Send(RawFrame.OfSettings((4, 3)));
            c.Headers(1, true, c.Get);
            ExpectData(c, 3);
            c.Send(RawFrame.OfSettings((4, 2)), RawFrame.OfNumber(RawFrame.WindowUpdate, 1, 2));
            ExpectData(c, 1);
        }),
        OnConnection("8.4", "A client's PUSH_PROMISE", c =>
        {
            c.Headers(1, false, c.Post);
            c.Send(new RawFrame(RawFrame.PushPromise, RawFrame.EndHeaders, 1, [0, 0, 0, 2, .. RawFrame.Block(c.Get)]));
        }, WireError.Protocol),
    ];

    private static ConformanceCase OnConnection(string section, string name, Action<ConformanceClient> send, WireError code) =>
        FramingCases.After(section, name, c =>
        {
            send(c);
            c.ExpectConnectionError(code);
        });

    private static void ExpectData(ConformanceClient c, int length)
    {
        var data = c.Expect("DATA", frame => frame.Type == RawFrame.Data);
        if (data.Payload.Length != length)
        {
            throw new InvalidOperationException($"Expected {length} bytes of DATA, got {data.Payload.Length}.");
        }
    }
}
