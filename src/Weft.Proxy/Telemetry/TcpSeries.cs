// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Telemetry;

/// <summary>The counters of all opaque connections that look alike. Written by one loop, read by others at any time.</summary>
internal sealed class TcpSeries(SeriesKey key, string labels)
{
    private long _opened;
    private long _closed;
    private long _sent;
    private long _received;

    public SeriesKey Key { get; } = key;

    public string Labels { get; } = labels;

    public long Opened => Volatile.Read(ref _opened);

    public long Closed => Volatile.Read(ref _closed);

    /// <summary>Bytes to clients.</summary>
    public long Sent => Volatile.Read(ref _sent);

    /// <summary>Bytes from clients.</summary>
    public long Received => Volatile.Read(ref _received);

    public void CountOpened() => Volatile.Write(ref _opened, _opened + 1);

    public void CountClosed() => Volatile.Write(ref _closed, _closed + 1);

    /// <summary>Bytes since the last call; long connections report every <see cref="LoopMetrics.TcpReportSeconds"/>.</summary>
    public void CountBytes(long sent, long received)
    {
        Volatile.Write(ref _sent, _sent + sent);
        Volatile.Write(ref _received, _received + received);
    }
}
