// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Telemetry;

/// <summary>The counters of all requests that look alike. Written by one loop, read by others at any time.</summary>
internal sealed class RequestSeries(SeriesKey key, string labels)
{
    private long _requests;
    private long _requestMessages;
    private long _responseMessages;

    public SeriesKey Key { get; } = key;

    /// <summary>The labels as Prometheus writes them, without braces.</summary>
    public string Labels { get; } = labels;

    public long Requests => Volatile.Read(ref _requests);

    /// <summary>gRPC messages from clients, and to them.</summary>
    public long RequestMessages => Volatile.Read(ref _requestMessages);

    public long ResponseMessages => Volatile.Read(ref _responseMessages);

    /// <summary>Durations in thousandths of a millisecond.</summary>
    public Histogram Duration { get; } = new();

    public Histogram RequestBytes { get; } = new();

    public Histogram ResponseBytes { get; } = new();

    public void Count(in RequestRecord record)
    {
        const int Thousandths = 1000;
        Volatile.Write(ref _requests, _requests + 1);
        if (record.IsGrpc)
        {
            Volatile.Write(ref _requestMessages, _requestMessages + record.RequestMessages);
            Volatile.Write(ref _responseMessages, _responseMessages + record.ResponseMessages);
        }

        Duration.Add(record.Duration.Ticks / TimeSpan.TicksPerMicrosecond);
        RequestBytes.Add((record.RequestBytes + record.RequestHeadBytes) * Thousandths);
        ResponseBytes.Add((record.ResponseBytes + record.ResponseHeadBytes) * Thousandths);
    }
}
