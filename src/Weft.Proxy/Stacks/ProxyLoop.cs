// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Model.Plan;
using Weft.Protocols.Grpc;
using Weft.Protocols.Http1;
using Weft.Protocols.Http2;
using Weft.Proxy.Balancing;
using Weft.Proxy.Compression;
using Weft.Proxy.Filters;
using Weft.Proxy.Io;
using Weft.Proxy.Listeners;
using Weft.Proxy.Overload;
using Weft.Proxy.Telemetry;
using Weft.Proxy.Tls;
using Weft.Proxy.Tunnels;
using Weft.Proxy.Upstreams;

namespace Weft.Proxy.Stacks;

/// <summary>Everything that one loop owns; nothing here is touched by another thread but the plan's reference.</summary>
internal sealed class ProxyLoop : IDisposable
{
    /// <summary>Memory that the output buffer keeps between messages.</summary>
    internal const int KeptOutputSize = 256 * 1024;

    private readonly Stack<Exchange> _exchanges = new();
    private readonly Stack<ShadowStream> _shadows = new();
    private readonly Stack<Http2DownstreamStream> _downstreamStreams = new();
    private readonly Stack<Http2UpstreamStream> _upstreamStreams = new();
    private readonly Dictionary<string, LoopCluster> _clusters = [];
    private readonly Stack<ExchangeExtras> _extras = new();
    private readonly Stack<Question> _questions = new();
    private readonly Stack<BodyCompressor> _compressors = new();
    private readonly byte[] _idBytes = new byte[16];
    private int _shadowCount;
    private int _questionCount;
    private int _compressorCount;

    /// <summary>One message at a time is put together here before it is written.</summary>
    internal NativeBuffer Out;

    /// <summary>Heads that came as HTTP/2 fields are put into text here, for the parser.</summary>
    internal NativeBuffer HeadText;

    /// <summary>A question to another service, or a request's description, is put together here.</summary>
    internal NativeBuffer QuestionText;

    internal ProxyLoop(int index, EventLoop events, ProxySettings settings, Random random)
    {
        Index = index;
        Events = events;
        Random = random;
        Tls = new TlsEngine(events);
        Contexts = new TlsContexts(() => events.Now);
        Connector = new Connector(events, Tls, Contexts) { Tunnels = new HboneClients(this) };
        Pools = new PoolTable(events, Connector, settings.ConnectionsPerEndpoint);
        Date = new DateText(settings.Clock);
        Connections = new ConnectionTable(events, settings.ListenerDrainMs, settings.Clients);
        PeerMetadata = KeepPeerNames.Encode(settings.Workload);
        OwnName = Encoding.UTF8.GetBytes($"{(settings.Workload.App.Length > 0 ? settings.Workload.App : settings.Workload.Workload)}.{settings.Workload.Namespace}");
        Metrics = new LoopMetrics(settings.Workload);
        Log = settings.Log;
        Plan = settings.FirstPlan;
    }

    internal int Index { get; }

    internal EventLoop Events { get; }

    internal LoopMetrics Metrics { get; }

    /// <summary>Null without an access log.</summary>
    internal LoopLog? Log { get; }

    internal Random Random { get; }

    internal TlsEngine Tls { get; }

    internal TlsContexts Contexts { get; }

    internal Connector Connector { get; }

    /// <summary>What the loop's HTTP/2 connections share.</summary>
    internal Http2Pool Http2 { get; } = new();

    /// <summary>The same for connections that carry others.</summary>
    internal Http2Pool TunnelHttp2 { get; } = new();

    internal PoolTable Pools { get; }

    internal DateText Date { get; }

    internal byte[] PeerMetadata { get; }

    /// <summary>The workload and its namespace, as Istio names a proxy's own cluster.</summary>
    internal byte[] OwnName { get; }

    /// <summary>The plan for what begins now. Set by one volatile write; who has begun keeps the one they have.</summary>
    internal LoadedPlan Plan
    {
        get => Volatile.Read(ref field);
        private set => Volatile.Write(ref field, value);
    }

    /// <summary>What is given up at the moment.</summary>
    internal OverloadLevel Overload { get; set; }

    /// <summary>Client connections, for draining and stopping.</summary>
    internal ConnectionTable Connections { get; }

    /// <summary>What happened to the loop itself.</summary>
    internal LifeCounters Life { get; } = new();

    /// <summary>Who speaks first where the protocol is not declared.</summary>
    internal SpeakerTable Speakers { get; } = new();

    /// <summary>Names that peers told; the same names are the same object, which metrics recognise at a glance.</summary>
    internal PeerNameTable PeerNames { get; } = new();

    internal long Timestamp() => Events.Clock.GetTimestamp();

    internal long ElapsedMs(long since) => (long)Events.Clock.GetElapsedTime(since).TotalMilliseconds;

    internal Exchange RentExchange() => _exchanges.TryPop(out var exchange) ? exchange : new Exchange(this);

    internal void Return(Exchange exchange) => _exchanges.Push(exchange);

    internal ExchangeExtras RentExtras() => _extras.TryPop(out var extras) ? extras : new ExchangeExtras();

    internal void Return(ExchangeExtras extras)
    {
        extras.Reset();
        _extras.Push(extras);
    }

    /// <summary>For a copy of a request; null where there are as many as there may be.</summary>
    internal ShadowStream? RentShadow()
    {
        if (_shadowCount == ShadowStream.Limit)
        {
            return null;
        }

        _shadowCount++;
        return _shadows.TryPop(out var stream) ? stream : new ShadowStream(this);
    }

    internal void Return(ShadowStream stream)
    {
        _shadowCount--;
        _shadows.Push(stream);
    }

    /// <summary>For a call to another service; null where there are as many as there may be.</summary>
    internal Question? RentQuestion()
    {
        if (_questionCount == Question.Limit)
        {
            return null;
        }

        _questionCount++;
        return _questions.TryPop(out var question) ? question : new Question(this);
    }

    internal void Return(Question question)
    {
        _questionCount--;
        _questions.Push(question);
    }

    /// <summary>For an answer; null where there are as many as there may be.</summary>
    internal BodyCompressor? RentCompressor()
    {
        if (_compressorCount == BodyCompressor.Limit)
        {
            return null;
        }

        _compressorCount++;
        return _compressors.TryPop(out var compressor) ? compressor : new BodyCompressor();
    }

    internal void Return(BodyCompressor compressor)
    {
        _compressorCount--;
        _compressors.Push(compressor);
    }

    internal Http2DownstreamStream RentHttp2Downstream() => _downstreamStreams.TryPop(out var stream) ? stream : new Http2DownstreamStream();

    internal void Return(Http2DownstreamStream stream) => _downstreamStreams.Push(stream);

    internal Http2UpstreamStream RentHttp2Upstream() => _upstreamStreams.TryPop(out var stream) ? stream : new Http2UpstreamStream();

    internal void Return(Http2UpstreamStream stream) => _upstreamStreams.Push(stream);

    /// <summary>A random UUID (version 4) as text.</summary>
    internal void MakeRequestId(Span<byte> text)
    {
        Random.NextBytes(_idBytes);
        _idBytes[6] = (byte)((_idBytes[6] & 0x0F) | 0x40);
        _idBytes[8] = (byte)((_idBytes[8] & 0x3F) | 0x80);
        new Guid(_idBytes, bigEndian: true).TryFormat(text, out _);
    }

    /// <summary>Serves a plan from now on.</summary>
    internal void Adopt(LoadedPlan plan)
    {
        foreach (var (name, entry) in plan.Clusters)
        {
            if (!_clusters.TryGetValue(name, out var known))
            {
                _clusters[name] = known = new LoopCluster(Pools, entry.Shared, Index, Random);
            }

            known.Update(entry, Random);
            entry.Join(Index, known);
        }

        if (_clusters.Count > plan.Clusters.Count)
        {
            foreach (var name in _clusters.Keys.Where(name => plan.FindCluster(name) is null).ToArray())
            {
                _clusters.Remove(name, out var gone);
                gone!.Close();
            }
        }

        Contexts.Use(plan.Credentials);
        Plan = plan;
        Connections.Follow(plan.Plan);
        Connections.Judge(plan.Access);
    }

    /// <summary>The pool of an endpoint for the next try, another than those that were tried if there is another.</summary>
    internal EndpointPool? ChoosePool(Exchange exchange, out EndpointState? endpoint, out Failure failure)
    {
        endpoint = null;
        failure = default;
        var cluster = exchange.Cluster!;
        var state = cluster.On(Index);
        if (cluster.Plan.Kind == ClusterKind.OriginalDestination)
        {
            if (IsOwn(exchange.Client.Destination, exchange.Client.ListenerAddress))
            {
                failure = new Failure(FailureKind.NoHealthyEndpoint, "the connection was made to the proxy's own port");
                return null;
            }

            return state.PoolFor(exchange.Client.Destination, meshed: false, ProtocolOf(exchange, cluster.Plan));
        }

        endpoint = state.Pick(new PickRequest(Random, Events.Now) { Hash = exchange.HashFor(cluster.Plan), Tried = exchange.Tried, LeftBehind = exchange.LeftBehind });
        if (endpoint is null)
        {
            failure = new Failure(FailureKind.NoHealthyEndpoint);
            return null;
        }

        return state.PoolFor(endpoint.Address, endpoint.Plan.Meshed, ProtocolOf(exchange, cluster.Plan));
    }

    private static WireProtocol ProtocolOf(Exchange exchange, ClusterPlan cluster) => exchange.Request.Method == KnownMethod.Connect
        ? WireProtocol.Opaque
        : SpeaksHttp2(exchange, cluster) ? WireProtocol.Http2 : WireProtocol.Http1;

    private static bool SpeaksHttp2(Exchange exchange, ClusterPlan cluster) => exchange.IsQuestion || cluster.Protocol switch
    {
        UpstreamProtocol.Http2 => true,
        UpstreamProtocol.AsClient => GoesOnAsHttp2(exchange),

        // A connection that was captured goes where the client wanted, and speaks what the client spoke.
        _ => cluster.Kind == ClusterKind.OriginalDestination && GoesOnAsHttp2(exchange),
    };

    /// <summary>What was gRPC-Web is gRPC now, which there is over HTTP/2 only.</summary>
    private static bool GoesOnAsHttp2(Exchange exchange) => exchange.Downstream.IsHttp2 || exchange.WebForm != GrpcWebForm.None;

    /// <summary>A connection that capture did not change leads to the listener itself; forwarding it would never end.</summary>
    internal static bool IsOwn(IpEndpoint destination, IpEndpoint listener) => destination.Port == listener.Port;

    public void Dispose()
    {
        Contexts.Dispose();
        Tls.Dispose();
        Out.Free();
        HeadText.Free();
        QuestionText.Free();
        Events.Dispose();
    }
}

/// <summary>What a proxy is told once, at its start.</summary>
/// <param name="Clock">Where time comes from.</param>
/// <param name="Workload">How this workload names itself.</param>
/// <param name="Log">The loop's way into the access log; null without one.</param>
/// <param name="FirstPlan">What is served before there is a plan.</param>
/// <param name="ConnectionsPerEndpoint">Open connections of the loop to one endpoint; above this requests wait for one.</param>
/// <param name="ListenerDrainMs">How long connections get whose listener or chain is gone from the plan.</param>
/// <param name="Clients">How many clients may be connected, to all loops together.</param>
internal sealed record ProxySettings(
    TimeProvider Clock,
    WorkloadNamePlan Workload,
    LoopLog? Log,
    LoadedPlan FirstPlan,
    int ConnectionsPerEndpoint,
    int ListenerDrainMs,
    ClientLimit Clients);
