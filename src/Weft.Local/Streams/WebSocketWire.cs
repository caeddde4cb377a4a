// SPDX-License-Identifier: Apache-2.0

using System.Net.WebSockets;
using Weft.Local.Serving;

namespace Weft.Local.Streams;

/// <summary>A command's streams in the messages of a WebSocket, whose first byte says which (v4 and v5.channel.k8s.io).</summary>
internal sealed class WebSocketWire(WebSocket socket) : ExecWire
{
    /// <summary>Longer messages are refused; kubectl's have 32 KiB.</summary>
    public const int MaxMessageBytes = 1024 * 1024;

    private const byte StatusChannel = 3;

    /// <summary>Of v5: the second byte names a channel that the client has closed.</summary>
    private const byte CloseChannel = 255;

    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly byte[] _buffer = new byte[MaxMessageBytes];

    public override async Task<(ExecChannel Channel, byte[] Bytes)?> ReadAsync(CancellationToken ct)
    {
        while (await ReceiveAsync(ct) is { } length)
        {
            var message = _buffer.AsMemory(0, length);
            switch (length == 0 ? (byte)1 : message.Span[0])
            {
                case (byte)ExecChannel.Input when length > 1:
                    return (ExecChannel.Input, message[1..].ToArray());
                case (byte)ExecChannel.Resize when Size(message.Span[1..]) is { } size:
                    return (ExecChannel.Resize, size);
                case CloseChannel when length == 2 && message.Span[1] == (byte)ExecChannel.Input:
                    return (ExecChannel.Input, []);
            }
        }

        return null;
    }

    public override async Task WriteAsync(ExecChannel channel, ReadOnlyMemory<byte> bytes, CancellationToken ct) =>
        await SendAsync((byte)channel, bytes, ct);

    public override async Task EndAsync(int exitCode, string problem, CancellationToken ct)
    {
        await SendAsync(StatusChannel, Status(exitCode, problem), ct);
        try
        {
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", ct);
        }
        catch (WebSocketException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    public override ValueTask DisposeAsync()
    {
        socket.Dispose();
        _writing.Dispose();
        return base.DisposeAsync();
    }

    private async Task SendAsync(byte channel, ReadOnlyMemory<byte> bytes, CancellationToken ct)
    {
        byte[] message = [channel, .. bytes.Span];
        await _writing.WaitAsync(ct);
        try
        {
            await socket.SendAsync(message, WebSocketMessageType.Binary, endOfMessage: true, ct);
        }
        catch (WebSocketException e)
        {
            throw new IOException(e.Message, e);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>One whole message into the buffer; its length, or null at the end.</summary>
    private async Task<int?> ReceiveAsync(CancellationToken ct)
    {
        var length = 0;
        try
        {
            while (true)
            {
                if (length == _buffer.Length)
                {
                    throw new FormatException($"A message of the client has more than {MaxMessageBytes} bytes.");
                }

                var got = await socket.ReceiveAsync(_buffer.AsMemory(length), ct);
                if (got.MessageType == WebSocketMessageType.Close)
                {
                    return null;
                }

                length += got.Count;
                if (got.EndOfMessage)
                {
                    return length;
                }
            }
        }
        catch (WebSocketException e)
        {
            throw new IOException(e.Message, e);
        }
    }
}
