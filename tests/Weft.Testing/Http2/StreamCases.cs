// SPDX-License-Identifier: Apache-2.0

namespace Weft.Testing.Http2;

/// <summary>States, numbers and limits of streams: RFC 9113 section 5.</summary>
internal static class StreamCases
{
    internal static IReadOnlyList<ConformanceCase> All { get; } =
    [
        On("5.1", "DATA on an idle stream", c => c.Data(1, true, 4), WireError.Protocol),
        On("5.1", "RST_STREAM on an idle stream", c => c.Send(RawFrame.OfNumber(RawFrame.ResetStream, 1, 8)), WireError.Protocol),
        On("5.1", "WINDOW_UPDATE on an idle stream", c => c.Send(RawFrame.OfNumber(RawFrame.WindowUpdate, 1, 8)), WireError.Protocol),
        On("5.1", "CONTINUATION on an idle stream", c => c.Send(new RawFrame(RawFrame.Continuation, 4, 1, [])), WireError.Protocol),
        FramingCases.After("5.1", "PRIORITY on an idle stream is nothing", c =>
        {
            c.Send(new RawFrame(RawFrame.Priority, 0, 7, new byte[5]));
            c.ExpectAlive();
        }),
        OnHalfClosed("DATA after the end of the request", c => c.Data(1, true, 4), WireError.StreamClosed),
        OnHalfClosed("HEADERS after the end of the request", c => c.Headers(1, true, c.Get), WireError.StreamClosed),
        OnHalfClosed("CONTINUATION after the end of the request", c => c.Send(new RawFrame(RawFrame.Continuation, 4, 1, [])), WireError.Protocol),
        OnReset("DATA after the client's reset", c => c.Data(1, true, 4), WireError.StreamClosed),
        OnReset("HEADERS after the client's reset", c => c.Headers(1, true, c.Get), WireError.StreamClosed),
        OnReset("CONTINUATION after the client's reset", c => c.Send(new RawFrame(RawFrame.Continuation, 4, 1, [])), WireError.Protocol),
        OnDone("DATA on a stream that is over", c => c.Data(1, true, 4), WireError.StreamClosed),
        OnDone("HEADERS on a stream that is over", c => c.Headers(1, true, c.Get), WireError.StreamClosed),
        OnDone("CONTINUATION on a stream that is over", c => c.Send(new RawFrame(RawFrame.Continuation, 4, 1, [])), WireError.Protocol),
        FramingCases.After("5.1", "WINDOW_UPDATE, RST_STREAM and PRIORITY on a stream that is over are nothing", c =>
        {
            c.Headers(1, true, c.Get);
            c.ExpectAnswer(1);
            c.Send(
                RawFrame.OfNumber(RawFrame.WindowUpdate, 1, 8),
                RawFrame.OfNumber(RawFrame.ResetStream, 1, 8),
                new RawFrame(RawFrame.Priority, 0, 1, new byte[5]));
            c.ExpectAlive();
        }),
        On("5.1.1", "A client's stream has an even number", c => c.Headers(2, true, c.Get), WireError.Protocol),
        FramingCases.After("5.1.1", "A stream's number is lower than one before", c =>
        {
            c.Headers(5, true, c.Get);
            c.ExpectAnswer(5);
            c.Headers(3, true, c.Get);
            c.ExpectConnectionError(WireError.Protocol, WireError.StreamClosed);
        }),
        FramingCases.After("5.1.2", "A stream over the announced number is refused", c =>
        {
            if (c.MaxConcurrentStreams is not ({ } most and <= 1000))
            {
                throw new InvalidOperationException("The server announces no bound of 1000 streams or fewer.");
            }

            var last = 1 + (2 * (int)most);
            for (var id = 1; id <= last; id += 2)
            {
                c.Headers(id, false, c.Post);
            }

            c.ExpectOnlyStreamError(last, WireError.RefusedStream);
        }),
        FramingCases.After("5.3.1", "HEADERS that depend on themselves", c =>
        {
            c.Send(new RawFrame(RawFrame.Headers, RawFrame.EndStream | RawFrame.EndHeaders | RawFrame.HasPriority, 1, [0, 0, 0, 1, 0, .. RawFrame.Block(c.Get)]));
            c.ExpectStreamError(1, WireError.Protocol);
        }),
        FramingCases.After("5.3.1", "A PRIORITY that depends on itself", c =>
        {
            c.Headers(1, false, c.Post);
            c.Send(new RawFrame(RawFrame.Priority, 0, 1, [0, 0, 0, 1, 0]));
            c.ExpectStreamError(1, WireError.Protocol);
        }),
        FramingCases.After("5.3", "HEADERS with a priority are taken", c =>
        {
            c.Send(new RawFrame(RawFrame.Headers, RawFrame.EndStream | RawFrame.EndHeaders | RawFrame.HasPriority, 1, [0, 0, 0, 0, 15, .. RawFrame.Block(c.Get)]));
            c.ExpectAnswer(1);
        }),
    ];

    private static ConformanceCase On(string section, string name, Action<ConformanceClient> send, WireError code) =>
        FramingCases.After(section, name, c =>
        {
            send(c);
            c.ExpectConnectionError(code);
        });

    private static ConformanceCase OnHalfClosed(string name, Action<ConformanceClient> send, WireError code) =>
        FramingCases.After("5.1", name, c =>
        {
            // No window: the answer's end cannot leave, so the stream stays half closed.
            c.Send(RawFrame.OfSettings((4, 0)));
            c.Headers(1, true, c.Get);
            c.Expect("the answer's head", frame => frame.Type == RawFrame.Headers);
            send(c);
            c.ExpectStreamError(1, code);
        });

    private static ConformanceCase OnReset(string name, Action<ConformanceClient> send, WireError code) =>
        FramingCases.After("5.1", name, c =>
        {
            c.Headers(1, false, c.Post);
            c.Send(RawFrame.OfNumber(RawFrame.ResetStream, 1, 8));
            send(c);
            c.ExpectStreamError(1, code);
        });

    private static ConformanceCase OnDone(string name, Action<ConformanceClient> send, WireError code) =>
        FramingCases.After("5.1", name, c =>
        {
            c.Headers(1, true, c.Get);
            c.ExpectAnswer(1);
            send(c);
            c.ExpectConnectionError(code);
        });
}
