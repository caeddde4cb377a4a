// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Authorization;
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
/// 1. A cluster by weight, once: a connection cannot be tried twice after its first byte.
/// 2. An endpoint of it, by <see cref="Dial"/>; connecting begins at once, without waiting for the client, so that servers that speak first
///    are heard. It may have begun before: see <see cref="AcceptedConnection"/>.
/// 3. What the client says meanwhile is kept up to a limit, then the client waits.
/// 4. When connected, <see cref="BytePump"/> copies until both sides have ended, each end by itself.
/// 5. <see cref="Observe"/> counts and logs it.
/// </remarks>
internal sealed class TunnelStack : IByteHandler, ITimerOwner, IPumpOwner, IDialOwner, IDrainable
{
    private const int DefaultIdleMs = 3_600_000;

    private readonly ProxyLoop _loop;
    private readonly ByteChannel _near;
    private readonly Dial _dial;
    private readonly int _idleMs;
    private readonly LoopTimer _timer;
    private NativeBuffer _early;
    private BytePump? _pump;
    private long _expiresAt;
    private long _reportedSent;
    private long _reportedReceived;
    private bool _nearEnded;
    private bool _ended;

    private TunnelStack(ProxyLoop loop, ByteChannel near, AcceptedConnection accepted, TcpChainPlan plan, Dial? dial, ClusterEntry? cluster)
    {
        _loop = loop;
        _near = near;
        _dial = dial ?? new Dial(loop, accepted, cluster, plan, this);
        Accepted = accepted;
        _idleMs = plan.IdleTimeoutMs > 0 ? plan.IdleTimeoutMs : DefaultIdleMs;
        _timer = new LoopTimer(this);
        StartedAt = loop.Timestamp();
    }

    internal AcceptedConnection Accepted { get; }

    internal Dial Upstream => _dial;

    public Served Served => Accepted.Served;

    public bool IsBusy => true;

    public bool IsLeaving { get; set; }

    internal Failure Failure { get; private set; }

    internal long StartedAt { get; }

    internal PeerIdentity? Peer => _near.Peer;

    internal PeerIdentity? UpstreamPeer { get; private set; }

    internal long Received => _pump?.FromNear ?? 0;

    internal long Sent => _pump?.FromFar ?? 0;

    internal ProxyLoop Loop => _loop;

    /// <summary>Where its bytes are counted; null before it is open, or where there are too many series.</summary>
    internal TcpSeries? Series { get; set; }

    /// <summary>Begins a tunnel as a TCP chain says, to a server that is connected to already if there is a <paramref name="dial"/>.</summary>
    internal static void Start(
        ProxyLoop loop, ByteChannel near, AcceptedConnection accepted, TcpChainPlan plan, Dial? dial, ReadOnlySpan<byte> early)
    {
        var cluster = dial is null ? loop.Plan.FindCluster(Dial.ChooseCluster(plan, loop.Random)) : null;
        new TunnelStack(loop, near, accepted, plan, dial, cluster).Begin(isNew: dial is null, early);
    }

    public void OnDialed()
    {
        var duration = _dial.Cluster!.Plan.MaxConnectionDurationMs;
        _expiresAt = duration > 0 ? _loop.Events.Now + duration : 0;
        UpstreamPeer = _dial.Peer;
        WatchAge();
        var greeting = _dial.Take();
        _pump = new BytePump(_loop.Events, _near, _dial.Channel!, _idleMs, this);
        Observe.TunnelOpened(this);
        _pump.FeedFromNear(_early.Bytes);
        _early.Free();
        _pump.FeedFromFar(greeting.Bytes);
        greeting.Free();
        if (_nearEnded)
        {
            _pump.EndFromNear();
        }

        _pump.Begin();
    }

    public void OnServerSpoke()
    {
        // It was taken when it was connected: then the pump hears it.
    }

    public void OnDialFailed(Failure failure) => Fail(failure);

    public void OnConnected()
    {
    }

    /// <summary>The client, until the server is there.</summary>
    public void OnData(Span<byte> data)
    {
        _early.Append(data);
        if (_early.Length > ByteChannel.HighWater)
        {
            _near.PauseReading();
        }
    }

    public void OnEndOfStream()
    {
        if (_near.IsTruncated)
        {
            Fail(new Failure(FailureKind.ClientGone, "the peer closed the connection without ending TLS"));
            return;
        }

        _nearEnded = true;
    }

    public void OnDrained()
    {
    }

    public void OnFailed(ChannelError error) => Fail(new Failure(FailureKind.ClientGone, error.Tls ?? IoException.Describe(error.Number)));

    public void OnTimer(LoopTimer timer)
    {
        if (_expiresAt > 0 && _loop.Events.Now >= _expiresAt)
        {
            Failure = new Failure(FailureKind.TunnelTooOld);
            _pump!.Close();
            return;
        }

        // Long connections show their bytes while they last.
        ReportBytes();
        WatchAge();
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
        if (Failure.IsNone)
        {
            var reason = error.Tls ?? (error.Number != 0 ? IoException.Describe(error.Number) : null);
            Failure = pump.End switch
            {
                PumpEnd.Idle => new Failure(FailureKind.TunnelIdle),
                PumpEnd.NearFailed => new Failure(FailureKind.ClientGone, reason),
                PumpEnd.FarFailed => new Failure(FailureKind.ConnectionClosed, reason),
                PumpEnd.Stopped => new Failure(FailureKind.ClientGone, "the proxy stops"),
                _ => default,
            };
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
            Fail(new Failure(FailureKind.ClientGone, "the proxy stops"));
        }
    }

    /// <summary>Ends it if policies do not let it pass any more.</summary>
    internal void Judge(Authorizers access)
    {
        if (access.Judge(Accepted, Authorizers.CallerOf(_near), counts: false) is { } refusal)
        {
            Failure = new Failure(FailureKind.Denied, refusal);
            if (_pump is { } pump)
            {
                pump.Abort();
            }
            else
            {
                Fail(Failure);
            }
        }
    }

    private void Begin(bool isNew, ReadOnlySpan<byte> early)
    {
        _loop.Connections.Add(this);
        _near.Handler = this;
        _early.Append(early);
        if (isNew)
        {
            _dial.Begin();
        }
        else
        {
            _dial.ChangeOwner(this);
        }

        if (_dial.IsConnected && _pump is null)
        {
            OnDialed();
        }
        else if (!_ended)
        {
            _near.ResumeReading();
        }
    }

    private void WatchAge()
    {
        var next = _loop.Events.Now + (LoopMetrics.TcpReportSeconds * 1000);
        _loop.Events.Timers.Start(_timer, _expiresAt > 0 ? Math.Min(next, _expiresAt) : next);
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
        }

        Failure = failure;

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
        _dial.End();
        _loop.Events.Timers.Stop(_timer);
        _early.Free();
        _loop.Connections.Remove(this);
        Observe.TunnelClosed(this);
    }
}
