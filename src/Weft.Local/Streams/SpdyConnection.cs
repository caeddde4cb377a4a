// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Threading.Channels;

namespace Weft.Local.Streams;

/// <summary>
/// The server's side of a SPDY/3.1 connection as kubectl speaks it: port-forward always (inside a WebSocket), exec and attach when
/// told not to use WebSockets. As kubectl's own it has no flow control: a stream that nobody reads holds the others up.
/// </summary>
internal sealed class SpdyConnection(Stream transport) : IAsyncDisposable
{
    /// <summary>More streams than these at one time are refused, longer frames end the connection.</summary>
    public const int MaxStreams = 1000;
    public const int MaxFrameBytes = 1024 * 1024;

    private const int HeadBytes = 8;
    private const int Version = 3;
    private const int RefusedStream = 3;

    private readonly ConcurrentDictionary<int, SpdyStream> _streams = new();
    private readonly Channel<SpdyStream> _opened = Channel.CreateUnbounded<SpdyStream>();
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly SpdyHeaders _headers = new();

    private enum Control
    {
        Open = 1,
        Reply = 2,
        Reset = 3,
        Settings = 4,
        Ping = 6,
        GoAway = 7,
        Headers = 8,
        Window = 9,
    }

    /// <summary>Streams that the client has opened, in their order; ends with the connection.</summary>
    public ChannelReader<SpdyStream> Opened => _opened.Reader;

    /// <summary>Reads until the client has gone; every stream has ended then.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        try
        {
            var head = new byte[HeadBytes];
            while (await transport.ReadAtLeastAsync(head, HeadBytes, throwOnEndOfStream: false, ct) == HeadBytes)
            {
                var length = BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(4)) & 0xffffff;
                if (length > MaxFrameBytes)
                {
                    throw new FormatException($"A SPDY frame has {length} bytes, more than {MaxFrameBytes}.");
                }

                var body = new byte[length];
                await transport.ReadExactlyAsync(body, ct);
                if (!await TakeAsync(head, body, ct))
                {
                    return;
                }
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The client is gone.
        }
        finally
        {
            _opened.Writer.TryComplete();
            foreach (var stream in _streams.Values)
            {
                stream.End();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var stream in _streams.Values)
        {
            stream.End();
        }

        _headers.Dispose();
        _writing.Dispose();
        await transport.DisposeAsync();
    }

    internal async Task SendDataAsync(int id, ReadOnlyMemory<byte> bytes, bool last, CancellationToken ct)
    {
        var frame = new byte[HeadBytes + bytes.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, id);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(4), bytes.Length | (last ? 1 << 24 : 0));
        bytes.CopyTo(frame.AsMemory(HeadBytes));
        await SendAsync(frame, ct);
    }

    internal Task SendResetAsync(int id, int reason, CancellationToken ct)
    {
        var body = new byte[8];
        BinaryPrimitives.WriteInt32BigEndian(body, id);
        BinaryPrimitives.WriteInt32BigEndian(body.AsSpan(4), reason);
        return SendControlAsync(Control.Reset, body, ct);
    }

    internal void Forget(int id) => _streams.TryRemove(id, out _);

    /// <summary>False when the client says goodbye.</summary>
    private async Task<bool> TakeAsync(byte[] head, byte[] body, CancellationToken ct)
    {
        var first = BinaryPrimitives.ReadInt32BigEndian(head);
        var last = (head[4] & 1) != 0;
        if (first >= 0)
        {
            if (_streams.TryGetValue(first, out var stream))
            {
                await stream.ReceiveAsync(body, last, ct);
            }

            return true;
        }

        if ((first >> 16 & 0x7fff) is var version and not Version)
        {
            throw new FormatException($"A SPDY frame is of version {version}; this side speaks version {Version}.");
        }

        switch ((Control)(first & 0xffff))
        {
            case Control.Open when body.Length > 10:
                await OpenAsync(body, last, ct);
                return true;
            case Control.Reset when body.Length >= 4:
                if (_streams.TryRemove(Id(body), out var reset))
                {
                    reset.End();
                }

                return true;
            case Control.Ping:
                await SendControlAsync(Control.Ping, body, ct);
                return true;
            case Control.Headers when body.Length > 4:
                // Nobody sends them, but the compression's state would be lost with them.
                _headers.Decode(body.AsSpan(4));
                return true;
            case Control.GoAway:
                return false;
            case Control.Reply or Control.Settings or Control.Window:
                return true;
            default:
                throw new FormatException($"A SPDY frame is of the kind {first & 0xffff} with {body.Length} bytes, which nobody knows.");
        }
    }

    private async Task OpenAsync(byte[] body, bool last, CancellationToken ct)
    {
        var id = Id(body);
        var headers = _headers.Decode(body.AsSpan(10));
        var stream = new SpdyStream(this, id, headers);
        if (_streams.Count >= MaxStreams || !_streams.TryAdd(id, stream))
        {
            await SendResetAsync(id, RefusedStream, ct);
            return;
        }

        if (last)
        {
            stream.End();
        }

        byte[] reply = [.. body[..4], .. _headers.Encode(new Dictionary<string, string>(StringComparer.Ordinal))];
        await SendControlAsync(Control.Reply, reply, ct);
        _opened.Writer.TryWrite(stream);
    }

    private Task SendControlAsync(Control kind, byte[] body, CancellationToken ct)
    {
        var frame = new byte[HeadBytes + body.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, unchecked((int)0x80000000) | Version << 16 | (int)kind);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(4), body.Length);
        body.CopyTo(frame, HeadBytes);
        return SendAsync(frame, ct);
    }

    private async Task SendAsync(byte[] frame, CancellationToken ct)
    {
        await _writing.WaitAsync(ct);
        try
        {
            await transport.WriteAsync(frame, ct);
            await transport.FlushAsync(ct);
        }
        finally
        {
            _writing.Release();
        }
    }

    private static int Id(byte[] body) => BinaryPrimitives.ReadInt32BigEndian(body) & 0x7fffffff;
}
