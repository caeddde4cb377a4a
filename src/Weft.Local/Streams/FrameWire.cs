// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Text;
using Weft.Local.Serving;

namespace Weft.Local.Streams;

/// <summary>The node's own form (<see cref="ExecFrames"/>), for <c>weft exec</c>.</summary>
internal sealed class FrameWire(Stream stream) : ExecWire
{
    private readonly SemaphoreSlim _writing = new(1, 1);

    public override async Task<(ExecChannel Channel, byte[] Bytes)?> ReadAsync(CancellationToken ct)
    {
        var frame = await ExecFrames.ReadAsync(stream, ct);
        return frame is (ExecChannel.Input or ExecChannel.Resize, _) or null
            ? frame
            : throw new FormatException($"A client may not send on channel {frame.Value.Channel}.");
    }

    public override async Task WriteAsync(ExecChannel channel, ReadOnlyMemory<byte> bytes, CancellationToken ct)
    {
        await _writing.WaitAsync(ct);
        try
        {
            await ExecFrames.WriteAsync(stream, channel, bytes, ct);
        }
        finally
        {
            _writing.Release();
        }
    }

    public override async Task EndAsync(int exitCode, string problem, CancellationToken ct)
    {
        if (problem.Length > 0)
        {
            await WriteAsync(ExecChannel.Errors, Encoding.UTF8.GetBytes($"{problem}\n"), ct);
        }

        var code = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(code, exitCode);
        await WriteAsync(ExecChannel.ExitCode, code, ct);
    }

    public override ValueTask DisposeAsync()
    {
        _writing.Dispose();
        return base.DisposeAsync();
    }
}
