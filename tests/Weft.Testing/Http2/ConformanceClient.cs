// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Text;

namespace Weft.Testing.Http2;

/// <summary>
/// A client that sends exactly what a case says and judges what comes back. A connection error is a GOAWAY with the code; where the
/// RFC allows to treat a stream error as one of the connection, that is good too.
/// </summary>
public sealed class ConformanceClient(IByteTransport transport, string authority = "weft.test")
{
    private readonly List<byte> _received = [];
    private readonly List<RawFrame> _frames = [];
    private readonly List<string> _seen = [];
    private bool _closed;

    /// <summary>A request that every server must take.</summary>
    public IReadOnlyList<(string Name, string Value)> Get =>
        [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", authority)];

    /// <summary>The same for a request with content.</summary>
    public IReadOnlyList<(string Name, string Value)> Post =>
        [(":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", authority)];

    /// <summary>SETTINGS_MAX_CONCURRENT_STREAMS of the server, if it said any.</summary>
    public uint? MaxConcurrentStreams { get; private set; }

    /// <summary>Preface and settings both ways, acknowledged.</summary>
    public void Handshake(params (int Id, uint Value)[] settings)
    {
        transport.Send([.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. RawFrame.OfSettings(settings).Encode()]);
        var theirs = Expect("the server's SETTINGS", frame => frame.Type == RawFrame.Settings && frame.Flags == 0);
        for (var at = 0; at < theirs.Payload.Length; at += 6)
        {
            if (BinaryPrimitives.ReadUInt16BigEndian(theirs.Payload.AsSpan(at)) == 3)
            {
                MaxConcurrentStreams = BinaryPrimitives.ReadUInt32BigEndian(theirs.Payload.AsSpan(at + 2));
            }
        }

        Send(new RawFrame(RawFrame.Settings, RawFrame.Ack, 0, []));
        Expect("the acknowledgement of SETTINGS", frame => frame.Type == RawFrame.Settings && frame.Flags == RawFrame.Ack);
    }

    public void Raw(ReadOnlySpan<byte> bytes) => transport.Send(bytes.ToArray());

    public void Send(params RawFrame[] frames) => transport.Send([.. frames.SelectMany(frame => frame.Encode())]);

    /// <summary>A whole header section in one frame.</summary>
    public void Headers(int stream, bool end, params IEnumerable<(string Name, string Value)> fields) =>
        Block(stream, end, RawFrame.Block(fields));

    public void Block(int stream, bool end, byte[] block) =>
        Send(new RawFrame(RawFrame.Headers, (byte)(RawFrame.EndHeaders | (end ? RawFrame.EndStream : 0)), stream, block));

    public void Data(int stream, bool end, int length) =>
        Send(new RawFrame(RawFrame.Data, end ? RawFrame.EndStream : (byte)0, stream, new byte[length]));

    /// <summary>The response's head, then its end.</summary>
    public void ExpectAnswer(int stream)
    {
        Expect($"the answer on stream {stream}", frame => frame.Type == RawFrame.Headers && frame.Stream == stream);
        if ((_frames[^1].Flags & RawFrame.EndStream) == 0)
        {
            Expect($"the end of stream {stream}", frame => frame.Stream == stream && frame.Type is RawFrame.Data or RawFrame.Headers
                && (frame.Flags & RawFrame.EndStream) != 0);
        }
    }

    /// <summary>The connection goes on: it answers PING.</summary>
    public void ExpectAlive()
    {
        Send(new RawFrame(RawFrame.Ping, 0, 0, [.. "alive??!"u8]));
        Expect("the answer to PING", frame => frame.Type == RawFrame.Ping && frame.Flags == RawFrame.Ack
            && frame.Payload.AsSpan().SequenceEqual("alive??!"u8));
    }

    /// <summary>The whole connection ends, with one of the codes in its GOAWAY.</summary>
    public void ExpectConnectionError(params WireError[] codes)
    {
        var goAway = Expect($"GOAWAY {string.Join(" or ", codes)}", frame => frame.Type == RawFrame.GoAway, orClosed: codes.Contains(WireError.None));
        if (goAway.Type == RawFrame.GoAway && !codes.Contains(CodeOf(goAway)))
        {
            Fail($"GOAWAY {string.Join(" or ", codes)}", $"GOAWAY {CodeOf(goAway)}");
        }
    }

    /// <summary>The stream ends with one of the codes, or the connection does.</summary>
    public void ExpectStreamError(int stream, params WireError[] codes)
    {
        var wanted = $"RST_STREAM {string.Join(" or ", codes)} on stream {stream}";
        var end = Expect(wanted, frame => frame.Type == RawFrame.GoAway || (frame.Type == RawFrame.ResetStream && frame.Stream == stream));
        if (!codes.Contains(CodeOf(end)))
        {
            Fail(wanted, $"code {CodeOf(end)}");
        }
    }

    /// <summary>The stream ends with this code and the connection goes on: one client's mistake must not hurt others on the connection.</summary>
    public void ExpectOnlyStreamError(int stream, WireError code)
    {
        var wanted = $"RST_STREAM {code} on stream {stream}";
        var end = Expect(wanted, frame => frame.Type == RawFrame.GoAway || (frame.Type == RawFrame.ResetStream && frame.Stream == stream));
        if (end.Type == RawFrame.GoAway || CodeOf(end) != code)
        {
            Fail(wanted, $"frame {end.Type}, code {CodeOf(end)}");
        }

        ExpectAlive();
    }

    /// <summary>The first frame that fits; frames before it are passed over.</summary>
    public RawFrame Expect(string what, Func<RawFrame, bool> fits, bool orClosed = false)
    {
        while (true)
        {
            if (Next() is not { } frame)
            {
                if (orClosed && _closed)
                {
                    return new RawFrame(255, 0, 0, []);
                }

                Fail(what, _closed ? "the end of the connection" : "nothing");
                throw new InvalidOperationException();
            }

            _frames.Add(frame);
            if (fits(frame))
            {
                return frame;
            }
        }
    }

    private static WireError CodeOf(RawFrame frame) =>
        (WireError)BinaryPrimitives.ReadInt32BigEndian(frame.Payload.AsSpan(frame.Type == RawFrame.GoAway ? 4 : 0));

    private RawFrame? Next()
    {
        while (!_closed && (_received.Count < 9 || _received.Count < 9 + LengthOfFirst()))
        {
            var bytes = transport.Receive();
            if (bytes is null)
            {
                return null;
            }

            _closed = bytes.Length == 0;
            _received.AddRange(bytes);
        }

        if (_received.Count < 9 || _received.Count < 9 + LengthOfFirst())
        {
            return null;
        }

        var length = LengthOfFirst();
        byte[] header = [.. _received.Take(9)];
        var frame = new RawFrame(
            header[3], header[4], BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(5)) & int.MaxValue, [.. _received.Skip(9).Take(length)]);
        _received.RemoveRange(0, 9 + length);
        _seen.Add($"{frame.Type}/{frame.Flags:x}/{frame.Stream} {Encoding.ASCII.GetString(frame.Type == RawFrame.GoAway ? frame.Payload.AsSpan(8) : default)}".TrimEnd());
        return frame;
    }

    private int LengthOfFirst() => (_received[0] << 16) | (_received[1] << 8) | _received[2];

    private void Fail(string wanted, string got) =>
        throw new InvalidOperationException($"Expected {wanted}, got {got}. Frames before (type/flags/stream): {string.Join(", ", _seen)}");
}

/// <summary>One thing that a server must do.</summary>
/// <param name="Section">Where it is said.</param>
/// <param name="Name">A sentence.</param>
/// <param name="Run">Sends and expects, on a new connection.</param>
public sealed record ConformanceCase(string Section, string Name, Action<ConformanceClient> Run)
{
    /// <summary>Every case there is.</summary>
    public static IReadOnlyList<ConformanceCase> All { get; } =
        [.. FramingCases.All, .. StreamCases.All, .. ControlCases.All, .. MessageCases.All, .. HpackCases.All];

    /// <summary>The case of that name.</summary>
    public static ConformanceCase Named(string name) => All.Single(one => one.Name == name);
}
