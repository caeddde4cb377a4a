// SPDX-License-Identifier: Apache-2.0

using System.Threading.Channels;

namespace Weft.Local.Streams;

/// <summary>One stream of a <see cref="SpdyConnection"/>.</summary>
internal sealed class SpdyStream(SpdyConnection connection, int id, IReadOnlyDictionary<string, string> headers)
{
    private const int MaxWaitingFrames = 64;
    private const int MaxDataBytes = 32 * 1024;

    private readonly Channel<byte[]> _incoming = Channel.CreateBounded<byte[]>(MaxWaitingFrames);

    /// <summary>What the client said when it opened the stream; names in lower case.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; } = headers;

    /// <summary>The next bytes; null when the client has ended its side.</summary>
    public async Task<byte[]?> ReadAsync(CancellationToken ct)
    {
        while (await _incoming.Reader.WaitToReadAsync(ct))
        {
            if (_incoming.Reader.TryRead(out var bytes))
            {
                return bytes;
            }
        }

        return null;
    }

    public async Task WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken ct)
    {
        while (bytes.Length > 0)
        {
            var part = bytes[..Math.Min(bytes.Length, MaxDataBytes)];
            await connection.SendDataAsync(id, part, last: false, ct);
            bytes = bytes[part.Length..];
        }
    }

    /// <summary>Ends the stream: nothing more is said, nor heard.</summary>
    public async Task CloseAsync(CancellationToken ct)
    {
        End();
        await connection.SendDataAsync(id, default, last: true, ct);
        connection.Forget(id);
    }

    internal async Task ReceiveAsync(byte[] bytes, bool last, CancellationToken ct)
    {
        if (bytes.Length > 0)
        {
            try
            {
                await _incoming.Writer.WriteAsync(bytes, ct);
            }
            catch (ChannelClosedException)
            {
                // This side has stopped listening.
            }
        }

        if (last)
        {
            End();
        }
    }

    internal void End() => _incoming.Writer.TryComplete();
}
