// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Text;

namespace Weft.Protocols.Http2;

/// <content>What goes out: header sections, DATA as far as the windows let it, and the small frames.</content>
public sealed partial class Http2Connection
{
    private const int LongestGoAwayText = 256;

    private Http2Stream? _headerStream;
    private int _headerStart;
    private int _sendWindow = DefaultWindow;

    /// <summary>
    /// Begins a header section: a request's or response's head, an interim response, or trailers. Fields follow by <see cref="Header"/>, pseudo-headers
    /// first, and <see cref="EndHeaders"/> completes it; nothing else may be called between. False if the stream can send no more.
    /// </summary>
    public bool BeginHeaders(Http2Stream stream)
    {
        if (_headerStream is not null)
        {
            throw new InvalidOperationException("A header section is open already; complete it by EndHeaders.");
        }

        if (!CanSend(stream) || (stream.Id == 0 && !TryNumber(stream)))
        {
            return false;
        }

        _headerStream = stream;
        _headerStart = _output.Length;
        WriteFrameHeader(0, FrameType.Headers, FrameFlag.None, stream.Id);
        _encoder.BeginBlock(_output);
        return true;
    }

    /// <summary>
    /// One field; the name is sent in lower case. A sensitive value is marked never to be remembered by anybody on the way; the values of
    /// authorization, cookie and set-cookie are treated so in any case.
    /// </summary>
    public void Header(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, bool sensitive = false)
    {
        var stream = _headerStream ?? throw new InvalidOperationException("No header section is open; begin one by BeginHeaders.");
        if (Role == Http2Role.Client && name.SequenceEqual(":method"u8))
        {
            // What the answer's Content-Length means depends on it.
            stream.State |= value.SequenceEqual("HEAD"u8) ? StreamState.AskedHead
                : value.SequenceEqual("CONNECT"u8) ? StreamState.AskedConnect : StreamState.None;
        }

        _encoder.Encode(_output, name, value, sensitive);
    }

    /// <summary>Completes the header section that <see cref="BeginHeaders"/> began. May end the stream, and so lead to <see cref="IHttp2Events.OnClosed"/>.</summary>
    public void EndHeaders(bool endStream)
    {
        var stream = _headerStream ?? throw new InvalidOperationException("No header section is open; begin one by BeginHeaders.");
        _headerStream = null;
        stream.State |= StreamState.SentHead | (endStream ? StreamState.SentEnd : StreamState.None);
        var length = _output.Length - _headerStart - FrameHeader.Length;
        var flags = endStream ? FrameFlag.EndStream : FrameFlag.None;
        if (length <= _peerMaxFrame)
        {
            new FrameHeader(length, FrameType.Headers, (byte)(flags | FrameFlag.EndHeaders), stream.Id).Encode(_output.Written[_headerStart..]);
        }
        else
        {
            SplitBlock(length, flags, stream.Id);
        }

        FinishIfDone(stream);
    }

    /// <summary>
    /// Sends body bytes as far as windows and output let them through and returns how many were taken. If it is all of them,
    /// <paramref name="endStream"/> is taken too; if it is less, <see cref="IHttp2Events.OnWritable"/> tells when to go on. 0 on a stream
    /// that can send no more. May end the stream, and so lead to <see cref="IHttp2Events.OnClosed"/>.
    /// </summary>
    public int SendData(Http2Stream stream, ReadOnlySpan<byte> data, bool endStream)
    {
        if (!CanSend(stream))
        {
            return 0;
        }

        if (!stream.Is(StreamState.SentHead))
        {
            throw new InvalidOperationException("DATA cannot be sent before the head of the message.");
        }

        var taken = Math.Min(data.Length, Writable(stream));
        var all = taken == data.Length;
        WriteData(stream, data[..taken], all && endStream);
        if (all)
        {
            StopWaiting(stream);
            stream.WaitedMs = 0;
            stream.SentWhileWaiting = 0;
        }
        else
        {
            Wait(stream, taken);
        }

        if (all && endStream)
        {
            stream.State |= StreamState.SentEnd;
            FinishIfDone(stream);
        }

        return taken;
    }

    /// <summary>Bytes that <see cref="SendData"/> would take now.</summary>
    public int Writable(Http2Stream stream) => CanSend(stream) && CanSendSome(stream)
        ? Math.Min(Math.Min(stream.SendWindow, _sendWindow), Limits.MaxQueuedOutputBytes - _output.Length)
        : 0;

    private bool CanSend(Http2Stream stream) =>
        Failure is null && (stream.State & (StreamState.SentEnd | StreamState.Reset | StreamState.Gone)) == StreamState.None;

    private bool CanSendSome(Http2Stream stream) =>
        stream.SendWindow > 0 && _sendWindow > 0 && _output.Length < Limits.MaxQueuedOutputBytes;

    /// <summary>Streams are numbered in the order in which their heads leave (RFC 9113 section 5.1.1).</summary>
    private bool TryNumber(Http2Stream stream)
    {
        if (_drain != Drain.None || _peerIsLeaving)
        {
            return false;
        }

        var id = _nextStream;
        _nextStream += 2;
        PutOnWire(stream, id);
        return true;
    }

    private void WriteData(Http2Stream stream, ReadOnlySpan<byte> data, bool ends)
    {
        if (data.IsEmpty && !ends)
        {
            return;
        }

        stream.SendWindow -= data.Length;
        _sendWindow -= data.Length;
        do
        {
            var part = data[..Math.Min(data.Length, _peerMaxFrame)];
            data = data[part.Length..];
            WriteFrameHeader(part.Length, FrameType.Data, ends && data.IsEmpty ? FrameFlag.EndStream : FrameFlag.None, stream.Id);
            _output.Append(part);
            Pool.Count.DataFramesSent++;
            _window.CountDataSent();
        }
        while (!data.IsEmpty);
    }

    /// <summary>Makes HEADERS and CONTINUATION frames of a block that is too long for one: the tail moves up to make room for headers.</summary>
    private void SplitBlock(int length, byte flags, int id)
    {
        var frames = ((length - 1) / _peerMaxFrame) + 1;
        var more = (frames - 1) * FrameHeader.Length;
        _output.Reserve(more);
        _output.Advance(more);
        var bytes = _output.Written[_headerStart..];
        for (var frame = frames - 1; frame >= 0; frame--)
        {
            var from = frame * _peerMaxFrame;
            var count = Math.Min(_peerMaxFrame, length - from);
            var to = from + (frame * FrameHeader.Length);
            bytes.Slice(FrameHeader.Length + from, count).CopyTo(bytes[(FrameHeader.Length + to)..]);
            var last = frame == frames - 1 ? FrameFlag.EndHeaders : FrameFlag.None;
            var header = frame == 0
                ? new FrameHeader(count, FrameType.Headers, (byte)(flags | last), id)
                : new FrameHeader(count, FrameType.Continuation, last, id);
            header.Encode(bytes[to..]);
        }
    }

    private void WriteReset(int id, Http2ErrorCode code)
    {
        if (Failure is null)
        {
            _resets ??= new ResetMemory();
            _resets.Add(id);
            WriteInt32Frame(FrameType.ResetStream, id, (int)code);
        }
    }

    private void WriteWindowUpdate(int id, int increment) => WriteInt32Frame(FrameType.WindowUpdate, id, increment);

    private void WriteInt32Frame(FrameType type, int id, int value)
    {
        WriteFrameHeader(4, type, FrameFlag.None, id);
        BinaryPrimitives.WriteInt32BigEndian(_output.Reserve(4), value);
        _output.Advance(4);
        _queuedControlFrames++;
    }

    private void WriteGoAway(int last, Http2ErrorCode code, string text)
    {
        // A caller may fail in the middle of a header section; half a frame must not stand before the GOAWAY.
        if (_headerStream is not null)
        {
            _output.Advance(_headerStart - _output.Length);
            _headerStream = null;
        }

        Span<byte> bytes = stackalloc byte[LongestGoAwayText];
        Encoding.UTF8.TryGetBytes(text.AsSpan(0, Math.Min(text.Length, LongestGoAwayText / 3)), bytes, out var length);
        WriteFrameHeader(8 + length, FrameType.GoAway, FrameFlag.None, 0);
        var span = _output.Reserve(8 + length);
        BinaryPrimitives.WriteInt32BigEndian(span, last);
        BinaryPrimitives.WriteInt32BigEndian(span[4..], (int)code);
        bytes[..length].CopyTo(span[8..]);
        _output.Advance(8 + length);
    }

    private void WriteFrameHeader(int length, FrameType type, byte flags, int id)
    {
        new FrameHeader(length, type, flags, id).Encode(_output.Reserve(FrameHeader.Length));
        _output.Advance(FrameHeader.Length);
    }
}
