// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Model.Plan;
using Weft.Protocols.Http1;
using Weft.Proxy.Routing;

namespace Weft.Proxy.Telemetry;

/// <summary>
/// The metrics of one loop. The loop adds without locks; anybody may read at any time. Nothing is allocated for what was seen before.
/// </summary>
internal sealed class LoopMetrics(WorkloadNamePlan own)
{
    /// <summary>Series of one loop, requests and TCP each; what would be one more is only counted in <see cref="Overflowed"/>.</summary>
    public const int MaxSeries = 4096;

    /// <summary>Different hosts that are named where a cluster belongs to no service; the others are <c>unknown</c>.</summary>
    public const int MaxHosts = 512;

    /// <summary>Long connections report their bytes this often.</summary>
    public const int TcpReportSeconds = 15;

    private const int CacheSlots = 256;

    private readonly SeriesLabels _labels = new(own);
    private readonly Dictionary<SeriesKey, RequestSeries> _requests = [];
    private readonly Dictionary<SeriesKey, TcpSeries> _tcp = [];
    private readonly ByteMap<string> _hosts = new();
    private readonly RequestSeries?[] _cache = new RequestSeries?[CacheSlots];
    private RequestSeries[] _requestList = [];
    private TcpSeries[] _tcpList = [];
    private readonly long[] _limitHits = new long[Enum.GetValues<ProxyLimit>().Length];
    private long _overflowed;

    /// <summary>The series so far; a snapshot that other threads may walk over.</summary>
    public ReadOnlySpan<RequestSeries> Requests => Volatile.Read(ref _requestList);

    public ReadOnlySpan<TcpSeries> Tcp => Volatile.Read(ref _tcpList);

    /// <summary>Requests and connections that were not counted because there are too many series.</summary>
    public long Overflowed => Volatile.Read(ref _overflowed);

    /// <summary>Somebody ran into a limit.</summary>
    public void Hit(ProxyLimit limit) => Volatile.Write(ref _limitHits[(int)limit], _limitHits[(int)limit] + 1);

    /// <summary>A parser refused bytes: a limit, if that is why.</summary>
    public void Hit(Http1Error error)
    {
        if (ProxyLimits.Of(error) is var limit and not ProxyLimit.None)
        {
            Hit(limit);
        }
    }

    public long HitsOf(ProxyLimit limit) => Volatile.Read(ref _limitHits[(int)limit]);

    /// <summary>Counts a request at its end.</summary>
    public void Count(in RequestRecord record)
    {
        var protocol = record.IsGrpc ? SeriesProtocol.Grpc : SeriesProtocol.Http;
        var connection = record.Connection;
        var key = KeyOf(
            record.Direction, protocol, connection, HostOf(record), record.Flags) with
        {
            Code = record.Status,
            GrpcStatus = record.IsGrpc ? record.GrpcStatus : -1,
        };
        ref var cached = ref _cache[key.Slot(CacheSlots)];
        if (cached is null || !cached.Key.IsSameAs(key))
        {
            if (Find(key) is not { } found)
            {
                Volatile.Write(ref _overflowed, _overflowed + 1);
                return;
            }

            // Found by value: from here on the objects of this request are the ones to recognise it by.
            cached = found;
        }

        cached.Count(record);
    }

    /// <summary>The counters of an opaque connection; null (and counted) if there are too many.</summary>
    public TcpSeries? TcpFor(TrafficDirection direction, in ConnectionFactsRecord connection, string flags)
    {
        var key = KeyOf(direction, SeriesProtocol.Tcp, connection, "", flags);
        if (_tcp.TryGetValue(key, out var series))
        {
            return series;
        }

        if (_tcp.Count >= MaxSeries)
        {
            Volatile.Write(ref _overflowed, _overflowed + 1);
            return null;
        }

        _tcp[key] = series = new TcpSeries(key, _labels.Write(key));
        Volatile.Write(ref _tcpList, [.. _tcpList, series]);
        return series;
    }

    private static SeriesKey KeyOf(
        TrafficDirection direction, SeriesProtocol protocol, in ConnectionFactsRecord connection, string host, string flags) => new(
            direction,
            protocol,
            connection.IsMutualTls,
            connection.Peer,
            connection.PeerPrincipal,
            connection.OwnPrincipal,
            connection.Service,
            connection.Cluster,
            host,
            0,
            -1,
            flags);

    private RequestSeries? Find(in SeriesKey key)
    {
        if (_requests.TryGetValue(key, out var series))
        {
            return series;
        }

        if (_requests.Count >= MaxSeries)
        {
            return null;
        }

        _requests[key] = series = new RequestSeries(key, _labels.Write(key));
        Volatile.Write(ref _requestList, [.. _requestList, series]);
        return series;
    }

    /// <summary>A client names the service that it calls; a server does not believe what a caller writes into Host.</summary>
    private string HostOf(in RequestRecord record)
    {
        if (record.Connection.Service is not null || record.Direction == TrafficDirection.Inbound || record.Authority.IsEmpty)
        {
            return "";
        }

        if (_hosts.TryGet(record.Authority, out var host))
        {
            return host;
        }

        if (_hosts.Count >= MaxHosts)
        {
            return "";
        }

        host = Encoding.UTF8.GetString(record.Authority);
        _hosts.TryAdd(record.Authority.ToArray(), host);
        return host;
    }
}
