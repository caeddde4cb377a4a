// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Balancing;
using Weft.Proxy.Io;
using Weft.Proxy.Listeners;
using Weft.Proxy.Telemetry;
using Weft.Proxy.Tls;
using Weft.Proxy.Tunnels;
using Weft.Proxy.Upstreams;

namespace Weft.Proxy.Stacks;

/// <summary>What an opaque TCP connection passes, in order. Read this first.</summary>
/// <remarks>
/// Before it: <see cref="AcceptedConnection"/> chose the chain and, where it says so, ended TLS.
/// 1. A cluster by weight: once, because a connection cannot be tried twice after its first byte.
/// 2. An endpoint of it; connecting begins at once, without waiting for the client, so that servers that speak first are heard.
/// 3. What the client says meanwhile is kept up to a limit, then the client waits.
/// 4. When connected, <see cref="BytePump"/> copies until both sides have ended, each end by itself.
/// 5. <see cref="Observe"/> counts and logs it.
/// </remarks>
internal sealed class TunnelStack : IByteHandler, ITimerOwner, IPumpOwner, IDrainable
{
    private const int DefaultIdleMs = 3_600_000;

    private readonly ProxyLoop _loop;
    private readonly ByteChannel _near;
    private readonly int _idleMs;
    private readonly LoopTimer _connectTimer;
    private readonly NearSide _nearSide;
    private NativeBuffer _early;
    private ByteChannel? _far;
    private BytePump? _pump;
    private long _reportedSent;
    private long _reportedReceived;
    private bool _nearEnded;
    private bool _ended;
    private bool _isCounted;

    private TunnelStack(ProxyLoop loop, ByteChannel near, AcceptedConnection accepted, string statPrefix, int idleMs)
    {
        _loop = loop;
        _near = near;
        Accepted = accepted;
        StatPrefix = statPrefix;
        _idleMs = idleMs > 0 ? idleMs : DefaultIdleMs;
        _connectTimer = new LoopTimer(this);
        _nearSide = new NearSide(this);
        StartedAt = loop.Timestamp();
    }

    internal AcceptedConnection Accepted { get; }

    internal string StatPrefix { get; }

    internal ClusterEntry? Cluster { get; private set; }

    internal EndpointState? Endpoint { get; private set; }

    internal IpEndpoint UpstreamAddress { get; private set; }

    internal Failure Failure { get; private set; }

    internal long StartedAt { get; }

    internal PeerIdentity? Peer => (_near as TlsChannel)?.Peer;

    internal PeerIdentity? UpstreamPeer { get; private set; }

    internal long Received => _pump?.FromNear ?? 0;

    internal long Sent => _pump?.FromFar ?? 0;

    internal ProxyLoop Loop => _loop;

    /// <summary>Where its bytes are counted; null before it is open, or where there are too many series.</summary>
    internal TcpSeries? Series { get; set; }

    /// <summary>Begins a tunnel as a TCP chain says.</summary>
    internal static void Start(ProxyLoop loop, ByteChannel near, AcceptedConnection accepted, TcpChainPlan plan, ReadOnlySpan<byte> early)
    {
        var tunnel = new TunnelStack(loop, near, accepted, plan.StatPrefix, plan.IdleTimeoutMs);
        tunnel.Begin(loop.Plan.FindCluster(ChooseName(plan, loop.Random)), early);
    }

    /// <summary>Begins a tunnel to a cluster that was chosen otherwise; null where none was found.</summary>
    internal static void Start(ProxyLoop loop, ByteChannel near, AcceptedConnection accepted, string statPrefix, ClusterEntry? cluster, ReadOnlySpan<byte> early) =>
        new TunnelStack(loop, near, accepted, statPrefix, 0).Begin(cluster, early);

    public void OnConnected()
    {
        _loop.Events.Timers.Start(_connectTimer, _loop.Events.Now + (LoopMetrics.TcpReportSeconds * 1000));
        UpstreamPeer = (_far as TlsChannel)?.Peer;
        if (Endpoint is { } endpoint)
        {
            Cluster!.On(_loop.Index).Reached(endpoint, _loop.Events.Clock.GetElapsedTime(StartedAt).TotalMilliseconds);
        }

        _pump = new BytePump(_loop.Events, _near, _far!, _idleMs, this);
        Observe.TunnelOpened(this);
        if (!_early.IsEmpty)
        {
            _pump.FeedFromNear(_early.Bytes);
            _early.Free();
        }

        if (_nearEnded)
        {
            _pump.EndFromNear();
        }

        _pump.Begin();
    }

    public void OnData(Span<byte> data)
    {
    }

    public void OnEndOfStream() => Fail(new Failure(FailureKind.ConnectFailed));

    public void OnDrained()
    {
    }

    public void OnFailed(ChannelError error) => Fail(new Failure(
        error.IsTls ? FailureKind.TlsFailed : FailureKind.ConnectFailed, error.Tls ?? IoException.Describe(error.Number)));

    public void OnTimer(LoopTimer timer)
    {
        if (_pump is null)
        {
            Fail(new Failure(FailureKind.ConnectTimeout));
            return;
        }

        // Long connections show their bytes while they last.
        ReportBytes();
        _loop.Events.Timers.Start(_connectTimer, _loop.Events.Now + (LoopMetrics.TcpReportSeconds * 1000));
    }

    /// <summary>Counts the bytes since the last report.</summary>
    internal void ReportBytes()
    {
        Series?.CountBytes(Sent - _reportedSent, Received - _reportedReceived);
        _reportedSent = Sent;
        _reportedReceived = Received;
    }

    public void OnPumpDone(BytePump pump, ChannelError error)
    {
        if (error.Number != 0 && Failure.IsNone)
        {
            Failure = new Failure(FailureKind.ConnectionClosed, error.Tls ?? IoException.Describe(error.Number));
        }

        End();
    }

    public void Drain()
    {
    }

    public void Shut()
    {
        if (_pump is { } pump)
        {
            pump.Abort();
        }
        else
        {
            Fail(new Failure(FailureKind.ClientGone));
        }
    }

    private static string ChooseName(TcpChainPlan plan, Random random)
    {
        var total = 0;
        foreach (var cluster in plan.Clusters)
        {
            total += cluster.Weight;
        }

        var point = total > 0 ? random.Next(total) : 0;
        foreach (var cluster in plan.Clusters)
        {
            point -= cluster.Weight;
            if (point < 0)
            {
                return cluster.Cluster;
            }
        }

        return plan.Clusters.Count > 0 ? plan.Clusters[0].Cluster : "";
    }

    private void Begin(ClusterEntry? cluster, ReadOnlySpan<byte> early)
    {
        _loop.Connections.Add(this);
        _near.Handler = _nearSide;
        _early.Append(early);
        Cluster = cluster;
        if (cluster is null)
        {
            Fail(new Failure(FailureKind.NoCluster));
            return;
        }

        var target = ChooseTarget(cluster);
        if (target is null)
        {
            Fail(new Failure(FailureKind.NoHealthyEndpoint));
            return;
        }

        UpstreamAddress = target.Address;
        var state = cluster.On(_loop.Index);
        if (!state.Shared.Breaker.MayConnect)
        {
            state.Usage.Add(ClusterFigure.ConnectionOverflow);
            Fail(new Failure(FailureKind.Overflow, $"more than {cluster.Plan.Breaker.MaxConnections} connections to cluster '{cluster.Plan.Name}'"));
            return;
        }

        state.Usage.Add(ClusterFigure.Connections);
        _isCounted = true;
        _far = _loop.Connector.Open(target, this, out var problem);
        if (_far is null)
        {
            Fail(new Failure(FailureKind.ConnectFailed, problem));
            return;
        }

        var timeout = cluster.Plan.ConnectTimeoutMs > 0 ? cluster.Plan.ConnectTimeoutMs : 10_000;
        _loop.Events.Timers.Start(_connectTimer, _loop.Events.Now + timeout);
        _near.ResumeReading();
    }

    private UpstreamTarget? ChooseTarget(ClusterEntry cluster)
    {
        var state = cluster.On(_loop.Index);
        if (cluster.Plan.Kind == ClusterKind.OriginalDestination)
        {
            return ProxyLoop.IsOwn(Accepted.Facts.Destination, Accepted.Listener.Address)
                ? null
                : state.TargetFor(Accepted.Facts.Destination, meshed: false, isHttp: false);
        }

        Endpoint = state.Pick(new PickRequest(_loop.Random, _loop.Events.Now));
        Endpoint?.Begin();
        return Endpoint is null ? null : state.TargetFor(Endpoint.Address, Endpoint.Plan.Meshed, isHttp: false);
    }

    private void Fail(Failure failure)
    {
        if (_ended)
        {
            return;
        }

        if (_pump is null)
        {
            Observe.TunnelOpened(this);
            if (Endpoint is { } endpoint && failure.Side == Side.Upstream)
            {
                Cluster!.On(_loop.Index).FailedLocally(endpoint);
            }
        }

        Failure = failure;
        _far?.Abort();

        // The client learns of it as of a server that resets: nothing was answered in the server's name.
        _near.Abort();
        End();
    }

    private void End()
    {
        if (_ended)
        {
            return;
        }

        _ended = true;
        Endpoint?.End();
        if (_isCounted)
        {
            Cluster!.On(_loop.Index).Usage.Add(ClusterFigure.Connections, -1);
        }

        _loop.Events.Timers.Stop(_connectTimer);
        _early.Free();
        _loop.Connections.Remove(this);
        Observe.TunnelClosed(this);
    }

    /// <summary>The client's side until the server's is connected.</summary>
    private sealed class NearSide(TunnelStack tunnel) : IByteHandler
    {
        public void OnConnected()
        {
        }

        public void OnData(Span<byte> data)
        {
            tunnel._early.Append(data);
            if (tunnel._early.Length > ByteChannel.HighWater)
            {
                tunnel._near.PauseReading();
            }
        }

        public void OnEndOfStream() => tunnel._nearEnded = true;

        public void OnDrained()
        {
        }

        public void OnFailed(ChannelError error) => tunnel.Fail(new Failure(FailureKind.ClientGone));
    }
}
