// SPDX-License-Identifier: Apache-2.0

namespace Weft.Testing.Http2;

/// <summary>Preface, frames and header blocks: RFC 9113 sections 3 and 4, 6.10, and 7.</summary>
internal static class FramingCases
{
    internal static IReadOnlyList<ConformanceCase> All { get; } =
    [
        new("3.4", "A preface is answered by SETTINGS", c => c.Handshake()),
        new("3.4", "Another preface is refused", c =>
        {
            c.Raw("PRI * HTTP/3.0\r\n\r\nSM\r\n\r\n"u8);
            c.ExpectConnectionError(WireError.Protocol, WireError.None);
        }),
        new("3.4", "The first frame must be SETTINGS", c =>
        {
            c.Raw("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8);
            c.Send(new RawFrame(RawFrame.Ping, 0, 0, new byte[8]));
            c.ExpectConnectionError(WireError.Protocol);
        }),
        new("3.4", "An acknowledgement is no first SETTINGS", c =>
        {
            c.Raw("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8);
            c.Send(new RawFrame(RawFrame.Settings, RawFrame.Ack, 0, []));
            c.ExpectConnectionError(WireError.Protocol);
        }),
        After("4.1", "A frame of an unknown type is ignored", c =>
        {
            c.Send(new RawFrame(0x16, 0xFF, 0, new byte[8]));
            c.ExpectAlive();
        }),
        After("4.1", "Flags that a frame does not have are ignored", c =>
        {
            c.Send(new RawFrame(RawFrame.Ping, 0x16, 0, [.. "flagged!"u8]));
            c.Expect("the answer to PING", frame => frame.Type == RawFrame.Ping && frame.Payload.AsSpan().SequenceEqual("flagged!"u8));
        }),
        After("4.1", "The reserved bit is ignored", c =>
        {
            c.Send(new RawFrame(RawFrame.Ping, 0, int.MinValue, [.. "reserved"u8]));
            c.Expect("the answer to PING", frame => frame.Type == RawFrame.Ping && frame.Payload.AsSpan().SequenceEqual("reserved"u8));
        }),
        After("4.2", "DATA of 2^14 bytes is taken", c =>
        {
            c.Headers(1, false, c.Post);
            c.Data(1, true, 16_384);
            c.ExpectAnswer(1);
        }),
        After("4.2", "DATA over the largest frame is refused", c =>
        {
            c.Headers(1, false, c.Post);
            c.Data(1, true, 16_385);
            c.ExpectStreamError(1, WireError.FrameSize);
        }),
        After("4.2", "HEADERS over the largest frame end the connection", c =>
        {
            c.Block(1, true, [.. RawFrame.Block(c.Get), .. RawFrame.Block(("x", new string('a', 16_385)))]);
            c.ExpectConnectionError(WireError.FrameSize);
        }),
        After("4.3", "A header block that cannot be decoded ends the connection", c =>
        {
            c.Block(1, true, [.. RawFrame.Block(c.Get), 0x40, 0x01, 0x00, 0x00, 0x05]);
            c.ExpectConnectionError(WireError.Compression);
        }),
        After("4.3", "A priority stands inside a header block", c => Inside(c, new RawFrame(RawFrame.Priority, 0, 1, new byte[5]))),
        After("4.3", "Headers of another stream stand inside a header block", c =>
            Inside(c, new RawFrame(RawFrame.Headers, 5, 3, RawFrame.Block(c.Get)))),
        After("5.5", "An unknown frame stands inside a header block", c => Inside(c, new RawFrame(0x16, 0, 0, new byte[8]))),
        After("6.10", "Continuations make one header block", c =>
        {
            c.Send(Begin(c), Fragment(1, 0), Fragment(1, 0), Fragment(1, RawFrame.EndHeaders));
            c.ExpectAnswer(1);
        }),
        After("6.10", "DATA stand inside a header block", c => Inside(c, new RawFrame(RawFrame.Data, 0, 1, new byte[4]))),
        After("6.10", "A continuation is on no stream", c => Inside(c, Fragment(0, RawFrame.EndHeaders))),
        After("6.10", "A continuation is on another stream", c => Inside(c, Fragment(3, RawFrame.EndHeaders))),
        After("6.10", "A continuation follows headers that have ended", c =>
        {
            c.Headers(1, false, c.Post);
            c.Send(Fragment(1, RawFrame.EndHeaders));
            c.ExpectConnectionError(WireError.Protocol);
        }),
        After("6.10", "A continuation follows a continuation that has ended", c =>
        {
            c.Send(Begin(c), Fragment(1, RawFrame.EndHeaders), Fragment(1, RawFrame.EndHeaders));
            c.ExpectConnectionError(WireError.Protocol);
        }),
        After("6.10", "A continuation follows DATA", c =>
        {
            c.Headers(1, false, c.Post);
            c.Data(1, false, 4);
            c.Send(Fragment(1, RawFrame.EndHeaders));
            c.ExpectConnectionError(WireError.Protocol);
        }),
        After("7", "Unknown error codes mean nothing special", c =>
        {
            c.Headers(1, false, c.Post);
            c.Send(RawFrame.OfNumber(RawFrame.ResetStream, 1, 0xFF));
            c.ExpectAlive();
        }),
    ];

    internal static ConformanceCase After(string section, string name, Action<ConformanceClient> run) => new(section, name, c =>
    {
        c.Handshake();
        run(c);
    });

    private static RawFrame Begin(ConformanceClient c) => new(RawFrame.Headers, RawFrame.EndStream, 1, RawFrame.Block(c.Get));

    private static RawFrame Fragment(int stream, byte flags) => new(RawFrame.Continuation, flags, stream, RawFrame.Block(("x", "y")));

    private static void Inside(ConformanceClient c, RawFrame frame)
    {
        c.Send(Begin(c), frame);
        c.ExpectConnectionError(WireError.Protocol);
    }
}
