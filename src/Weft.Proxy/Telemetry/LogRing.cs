// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Telemetry;

/// <summary>
/// Bytes from one writer (a loop) to one reader (the log's thread) without locks. A line that does not fit is dropped and counted: a
/// slow disk must not stop traffic.
/// </summary>
internal sealed class LogRing
{
    /// <summary>Bytes that wait for the reader at most; a power of two.</summary>
    public const int Capacity = 256 * 1024;

    private readonly byte[] _bytes = new byte[Capacity];
    private long _written;
    private long _read;
    private long _dropped;
    private int _sleeping;

    public long Dropped => Volatile.Read(ref _dropped);

    /// <summary>Bytes that wait.</summary>
    public int Waiting => (int)(Volatile.Read(ref _written) - Volatile.Read(ref _read));

    /// <summary>Called by the writer only.</summary>
    public bool TryWrite(ReadOnlySpan<byte> line)
    {
        var written = _written;
        if (line.Length > Capacity - (int)(written - Volatile.Read(ref _read)))
        {
            Volatile.Write(ref _dropped, _dropped + 1);
            return false;
        }

        var at = (int)(written & (Capacity - 1));
        var first = Math.Min(line.Length, Capacity - at);
        line[..first].CopyTo(_bytes.AsSpan(at));
        line[first..].CopyTo(_bytes);

        // A fence as well: either the writer sees below that the reader sleeps, or the reader sees the line before it does.
        Interlocked.Exchange(ref _written, written + line.Length);
        return true;
    }

    /// <summary>Called by the writer behind a line: true if the reader sleeps and must be woken, once.</summary>
    public bool TakeSleeping()
    {
        if (Volatile.Read(ref _sleeping) == 0)
        {
            return false;
        }

        Volatile.Write(ref _sleeping, 0);
        return true;
    }

    /// <summary>Called by the reader only: false if a line waits already; after true the next line's writer is told.</summary>
    public bool ReaderMaySleep()
    {
        Interlocked.Exchange(ref _sleeping, 1);
        return Waiting == 0;
    }

    /// <summary>Called by the reader only: moves what waits into a stream, whole lines because writers write whole lines.</summary>
    public void Drain(Stream stream)
    {
        var read = _read;
        var written = Volatile.Read(ref _written);
        while (read < written)
        {
            var at = (int)(read & (Capacity - 1));
            var count = (int)Math.Min(written - read, Capacity - at);
            try
            {
                stream.Write(_bytes, at, count);
            }
            finally
            {
                // Bytes that could not be written are gone, too: trying them again would stop the log for ever.
                read += count;
                Volatile.Write(ref _read, read);
            }
        }
    }
}
