// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Balancing;
using Weft.Proxy.Io;
using Weft.Proxy.Listeners;
using Weft.Proxy.Stacks;
using Weft.Proxy.Tls;
using Weft.Proxy.Upstreams;

namespace Weft.Proxy.Tunnels;

/// <summary>
/// Connects an opaque connection to an endpoint of its cluster, and to another one while nothing was sent and the chain allows more attempts.
/// What the server says before the owner takes the connection is kept.
/// </summary>
internal sealed class Dial : IByteHandler, ITimerOwner
{
    private const int DefaultConnectMs = 10_000;

    private readonly ProxyLoop _loop;
    private readonly AcceptedConnection _accepted;
    private readonly int _maxAttempts;
    private readonly LoopTimer _timer;
    private IDialOwner _owner;
    private IpEndpoint[] _tried = [];
    private NativeBuffer _greeting;
    private long _startedAt;
    private bool _isCounted;
    private bool _isTaken;
    private bool _isOver;

    internal Dial(ProxyLoop loop, AcceptedConnection accepted, ClusterEntry? cluster, TcpChainPlan plan, IDialOwner owner)
    {
        _loop = loop;
        _accepted = accepted;
        _maxAttempts = Math.Max(1, plan.MaxConnectAttempts);
        _timer = new LoopTimer(this);
        _owner = owner;
        Cluster = cluster;
    }

    /// <summary>Null where the chain names one that does not exist.</summary>
    internal ClusterEntry? Cluster { get; }

    /// <summary>The one in use, or tried last.</summary>
    internal EndpointState? Endpoint { get; private set; }

    internal IpEndpoint Address { get; private set; }

    internal IpEndpoint LocalAddress { get; private set; }

    /// <summary>The server's channel; null while there is none.</summary>
    internal ByteChannel? Channel { get; private set; }

    internal PeerIdentity? Peer => Channel?.Peer;

    internal bool IsConnected { get; private set; }

    /// <summary>Every attempt that the chain allows has failed (flag URX).</summary>
    internal bool IsExhausted { get; private set; }

    private LoopCluster State => Cluster!.On(_loop.Index);

    /// <summary>Chooses a chain's cluster by weight; empty where it has none.</summary>
    internal static string ChooseCluster(TcpChainPlan plan, Random random)
    {
        long total = 0;
        foreach (var cluster in plan.Clusters)
        {
            total += cluster.Weight;
        }

        var point = total > 0 ? random.NextInt64(total) : 0;
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

    /// <summary>Begins; the owner hears the rest, a failure perhaps before this returns.</summary>
    internal void Begin()
    {
        if (Cluster is null)
        {
            Fail(new Failure(FailureKind.NoCluster));
            return;
        }

        var target = ChooseTarget();
        if (target is null)
        {
            Fail(new Failure(FailureKind.NoHealthyEndpoint));
            return;
        }

        Address = target.Address;
        if (!TryCount())
        {
            Fail(new Failure(
                FailureKind.Overflow, $"more than {Cluster.Plan.Breaker.MaxConnections} connections to cluster '{Cluster.Plan.Name}'"));
            return;
        }

        _startedAt = _loop.Timestamp();
        Span<byte> preamble = stackalloc byte[Preamble.MaxBytes];
        var length = Preamble.Write(preamble, Cluster.Plan.ProxyProtocol, _accepted.PeerAddress, _accepted.Facts.Destination);
        Channel = _loop.Connector.Open(target, this, out var problem, preamble[..length]);
        if (Channel is null)
        {
            FailAttempt(new Failure(FailureKind.ConnectFailed, problem));
            return;
        }

        var timeout = Cluster.Plan.ConnectTimeoutMs > 0 ? Cluster.Plan.ConnectTimeoutMs : DefaultConnectMs;
        _loop.Events.Timers.Start(_timer, _loop.Events.Now + timeout);
    }

    /// <summary>Another one hears from now on.</summary>
    internal void ChangeOwner(IDialOwner owner) => _owner = owner;

    /// <summary>The channel's bytes are the caller's from now on, beginning with what the server has said so far; the caller frees it.</summary>
    internal NativeBuffer Take()
    {
        _isTaken = true;
        var greeting = _greeting;
        _greeting = default;
        return greeting;
    }

    /// <summary>The connection is over, or is not wanted; one that was not taken is broken off.</summary>
    internal void End()
    {
        if (_isOver)
        {
            return;
        }

        _isOver = true;
        _loop.Events.Timers.Stop(_timer);
        _greeting.Free();
        Endpoint?.End();
        if (_isCounted)
        {
            State.Usage.Add(ClusterFigure.Connections, -1);
        }

        if (!_isTaken)
        {
            Channel?.Abort();
        }
    }

    public void OnConnected()
    {
        _loop.Events.Timers.Stop(_timer);
        IsConnected = true;
        if (Endpoint is { } endpoint)
        {
            State.Reached(endpoint, _startedAt);
        }

        LocalAddress = Channel!.LocalAddress;
        _owner.OnDialed();
    }

    public void OnData(Span<byte> data)
    {
        _greeting.Append(data);
        Channel!.PauseReading();
        _owner.OnServerSpoke();
    }

    public void OnEndOfStream() => FailAttempt(new Failure(FailureKind.ConnectFailed));

    public void OnDrained()
    {
    }

    public void OnFailed(ChannelError error) => FailAttempt(new Failure(
        error.IsTls ? FailureKind.TlsFailed : FailureKind.ConnectFailed, error.Tls ?? IoException.Describe(error.Number)));

    public void OnTimer(LoopTimer timer) => FailAttempt(new Failure(FailureKind.ConnectTimeout));

    private UpstreamTarget? ChooseTarget()
    {
        var state = State;
        if (state.Plan.Kind == ClusterKind.OriginalDestination)
        {
            return ProxyLoop.IsOwn(_accepted.Facts.Destination, _accepted.Listener.Address)
                ? null
                : state.TargetFor(_accepted.Facts.Destination, meshed: false, WireProtocol.Opaque);
        }

        Endpoint = state.Pick(new PickRequest(_loop.Random, _loop.Events.Now) { Tried = _tried });
        Endpoint?.Begin();
        return Endpoint is null ? null : state.TargetFor(Endpoint.Address, Endpoint.Plan.Meshed, WireProtocol.Opaque);
    }

    /// <summary>Counts the connection against the cluster's limit, once for all its attempts.</summary>
    private bool TryCount()
    {
        if (_isCounted)
        {
            return true;
        }

        if (!State.Shared.Breaker.MayConnect)
        {
            State.Usage.Add(ClusterFigure.ConnectionOverflow);
            return false;
        }

        State.Usage.Add(ClusterFigure.Connections);
        return _isCounted = true;
    }

    /// <summary>Nothing was sent to this endpoint, so another may be tried; the original destination is the only one there is.</summary>
    private void FailAttempt(Failure failure)
    {
        if (_isOver)
        {
            return;
        }

        Channel?.Abort();
        Channel = null;
        _loop.Events.Timers.Stop(_timer);
        _tried = [.. _tried, Address];
        if (Endpoint is { } endpoint && !IsConnected)
        {
            State.FailedLocally(endpoint);
        }

        if (!IsConnected && _tried.Length < _maxAttempts && Cluster!.Plan.Kind != ClusterKind.OriginalDestination)
        {
            Endpoint?.End();
            Endpoint = null;
            Begin();
            return;
        }

        IsExhausted = !IsConnected;
        Fail(failure);
    }

    private void Fail(Failure failure)
    {
        End();
        _owner.OnDialFailed(failure);
    }
}

/// <summary>Whoever wants a server.</summary>
internal interface IDialOwner
{
    /// <summary>It is there.</summary>
    void OnDialed();

    /// <summary>It has said something before anybody asked.</summary>
    void OnServerSpoke();

    /// <summary>None could be had, or it went away again before it was taken; the dial is over.</summary>
    void OnDialFailed(Failure failure);
}
