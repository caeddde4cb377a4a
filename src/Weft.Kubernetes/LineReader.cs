// SPDX-License-Identifier: Apache-2.0

namespace Weft.Kubernetes;

/// <summary>Cuts a stream into lines of a bounded length.</summary>
internal sealed class LineReader(Stream stream, int maxLineBytes)
{
    private byte[] _buffer = new byte[16 * 1024];
    private int _start;
    private int _end;
    private int _scanned;

    /// <summary>The next line without its end, valid until the next call; null at the end of the stream.</summary>
    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(CancellationToken cancellation)
    {
        while (true)
        {
            var at = _buffer.AsSpan(_scanned, _end - _scanned).IndexOf((byte)'\n');
            if (at >= 0)
            {
                var line = _buffer.AsMemory(_start, _scanned + at - _start);
                _start = _scanned = _scanned + at + 1;
                return line;
            }

            _scanned = _end;
            MakeRoom();
            var read = await stream.ReadAsync(_buffer.AsMemory(_end), cancellation);
            if (read == 0)
            {
                // A line that the server did not finish is not an event.
                return null;
            }

            _end += read;
        }
    }

    private void MakeRoom()
    {
        if (_end - _start > maxLineBytes)
        {
            throw new KubernetesException(
                $"The API sent a watch event of more than {maxLineBytes} bytes; the limit is {nameof(KubernetesLimits)}.{nameof(KubernetesLimits.MaxWatchLineBytes)}.");
        }

        if (_end < _buffer.Length)
        {
            return;
        }

        var target = _start > _buffer.Length / 2 ? _buffer : new byte[_buffer.Length * 2];
        Buffer.BlockCopy(_buffer, _start, target, 0, _end - _start);
        _buffer = target;
        _end -= _start;
        _scanned -= _start;
        _start = 0;
    }
}
