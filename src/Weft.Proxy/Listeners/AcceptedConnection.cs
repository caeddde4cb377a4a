// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Io;
using Weft.Proxy.Stacks;
using Weft.Proxy.Telemetry;
using Weft.Proxy.Tls;

namespace Weft.Proxy.Listeners;

/// <summary>
/// A connection between accept and its stack: finds the listener by the original destination, reads the PROXY header and looks at the first
/// bytes where the listener wants that, chooses the chain, ends TLS, and gives the connection to the HTTP or the TCP stack.
/// </summary>
/// <remarks>
/// Where the first bytes decide and the client says nothing, the server is connected to meanwhile: if it speaks first, the connection is
/// opaque, and nobody has waited for the detection to time out.
/// </remarks>
internal sealed class AcceptedConnection : IByteHandler, ITimerOwner, IDrainable
{
    /// <summary>How long a TLS handshake may take.</summary>
    internal const int HandshakeTimeoutMs = 15_000;

    /// <summary>How long a PROXY header may take where the listener has no time limit of its own for the first bytes.</summary>
    internal const int HeaderTimeoutMs = 5_000;

    /// <summary>After so long without a byte of the client the server may speak first.</summary>
    internal const int SilenceMs = 50;

    private readonly ProxyLoop _loop;
    private readonly LoopTimer _timer;
    private readonly ProxyHeaderRule _header;
    private ByteChannel _channel = null!;
    private NativeBuffer _held;
    private ChainPlan? _chain;
    private ServerAhead? _ahead;
    private Looks _looks;
    private long _deadline;
    private bool _awaitsHeader;
    private bool _given;

    private AcceptedConnection(ProxyLoop loop, PlannedListener listener, ProxyHeaderRule header, IpEndpoint peer, IpEndpoint destination)
    {
        _loop = loop;
        _timer = new LoopTimer(this);
        _header = header;
        _awaitsHeader = header != ProxyHeaderRule.None;
        Listener = listener;
        PeerAddress = SocketPeer = peer;
        Facts = new ConnectionFacts(destination, "", IsTls: false, []);
    }

    internal PlannedListener Listener { get; }

    /// <summary>The client: the peer of the socket, or who its PROXY header names.</summary>
    internal IpEndpoint PeerAddress { get; private set; }

    internal IpEndpoint SocketPeer { get; private init; }

    internal ConnectionFacts Facts { get; private set; }

    public Served Served => new(Listener.Plan, _chain);

    public bool IsBusy => true;

    public bool IsLeaving { get; set; }

    /// <summary>Takes a connection over from a bound listener.</summary>
    internal static void Begin(ProxyLoop loop, IpEndpoint listenerAddress, int fd, IpEndpoint peer)
    {
        var plan = loop.Plan;
        var bound = plan.Listeners.FindBound(listenerAddress);
        if (bound is null)
        {
            // No plan, or one without this listener any more: no traffic.
            _ = Libc.Close(fd);
            return;
        }

        var destination = bound.Plan.UseOriginalDestination ? SocketSettings.OriginalDestination(fd, bound.Address.IsV4) : SocketSettings.LocalAddress(fd);
        var listener = plan.Listeners.HandOver(bound, destination);
        var connection = new AcceptedConnection(
            loop, listener with { Address = bound.Address }, bound.Plan.ProxyProtocol, peer, destination);
        connection._channel = loop.Events.Adopt(fd, connection);
        loop.Connections.Add(connection);
        connection.Start();
    }

    /// <summary>A connection that came inside this one, for a destination of its own.</summary>
    internal AcceptedConnection Inside(IpEndpoint destination) =>
        new(_loop, Listener, ProxyHeaderRule.None, PeerAddress, destination) { _channel = _channel, _chain = _chain, _given = true, SocketPeer = SocketPeer };

    public void OnConnected()
    {
        // The TLS handshake is done.
        GiveAway([]);
    }

    public void OnData(Span<byte> data)
    {
        _held.Append(data);
        Read(Waiting.GoesOn);
    }

    public void OnEndOfStream()
    {
        // What came before the end may still be a whole request.
        Read(Waiting.Ended);
        if (!_given)
        {
            Drop("the client closed before anything could be decided");
        }
    }

    public void OnDrained()
    {
    }

    public void OnFailed(ChannelError error) => Drop(
        error.Tls ?? IoException.Describe(error.Number), error.IsTls ? FailureKind.TlsFailed : FailureKind.ClientGone);

    public void OnTimer(LoopTimer timer)
    {
        if (_chain is not null)
        {
            _loop.Metrics.Hit(ProxyLimit.HandshakeTime);
            Drop("the TLS handshake took too long", FailureKind.TlsFailed);
        }
        else if (_loop.Events.Now >= _deadline)
        {
            _loop.Metrics.Hit(ProxyLimit.FirstBytesTime);
            _loop.Speakers.Forget(Facts.Destination);
            Read(Waiting.TimedOut);
        }
        else
        {
            GoAhead();
            _loop.Events.Timers.Start(_timer, _deadline);
        }
    }

    public void Drain()
    {
    }

    public void Shut() => Drop("the proxy stops");

    private void Start()
    {
        if (_awaitsHeader)
        {
            Wait(Listener.Plan.InspectTimeoutMs > 0 ? Listener.Plan.InspectTimeoutMs : HeaderTimeoutMs, mayGoAhead: false);
            _channel.ResumeReading();
            return;
        }

        _looks = Listener.Chains.LooksFor(Facts);
        if (_looks == Looks.None)
        {
            Choose();
            return;
        }

        if (Listener.Plan.InspectTimeoutMs > 0)
        {
            Wait(Listener.Plan.InspectTimeoutMs, mayGoAhead: _held.IsEmpty);
        }

        _channel.ResumeReading();
        if (!_held.IsEmpty)
        {
            Inspect(Waiting.GoesOn);
        }
    }

    private void Wait(int timeoutMs, bool mayGoAhead)
    {
        _deadline = _loop.Events.Now + timeoutMs;
        var speaker = mayGoAhead ? _loop.Speakers.Of(Facts.Destination) : Speaker.Client;
        if (speaker == Speaker.Server)
        {
            GoAhead();
        }

        _loop.Events.Timers.Start(_timer, speaker == Speaker.Unknown ? Math.Min(_deadline, _loop.Events.Now + SilenceMs) : _deadline);
    }

    private void GoAhead()
    {
        if (_held.IsEmpty)
        {
            _ahead = ServerAhead.Begin(_loop, this, Listener.Chains.Select(Facts));
        }
    }

    /// <summary>The server that was connected to meanwhile has spoken: unless the client was quicker, nobody waits for it any more.</summary>
    internal void OnServerSpoke()
    {
        if (_held.IsEmpty && !_given)
        {
            _loop.Speakers.Learn(Facts.Destination, Speaker.Server);
            Choose();
        }
    }

    private void Read(Waiting waiting)
    {
        if (_awaitsHeader && !_given)
        {
            ReadHeader(waiting);
        }

        if (!_awaitsHeader)
        {
            Inspect(waiting);
        }
    }

    private void ReadHeader(Waiting waiting)
    {
        var length = ProxyPreface.Read(_held.Bytes, _header, waiting, out var source, out var problem);
        if (length < 0)
        {
            if (problem is not null)
            {
                Drop(problem, FailureKind.BadPreface);
            }

            return;
        }

        PeerAddress = source.IsNone ? PeerAddress : source;
        _held.Consume(length);
        _awaitsHeader = false;
        _loop.Events.Timers.Stop(_timer);
        Start();
    }

    private void Inspect(Waiting waiting)
    {
        if (_chain is not null || _given)
        {
            return;
        }

        var facts = FirstBytes.Read(_held.Bytes, _looks, waiting, Facts, out var problem);
        if (problem is not null)
        {
            Drop(problem, FailureKind.BadPreface);
            return;
        }

        if (facts is null)
        {
            return;
        }

        Facts = facts;
        if (_ahead?.Dial is not null && !_held.IsEmpty)
        {
            _loop.Speakers.Learn(Facts.Destination, Speaker.Client);
        }

        Choose();
    }

    private void Choose()
    {
        _loop.Events.Timers.Stop(_timer);
        _chain = Listener.Chains.Select(Facts);
        if (_ahead is { } ahead && !ahead.Serves(_chain))
        {
            ahead.End();
            _ahead = null;
        }

        if (_chain is null)
        {
            Observe.Refused(_loop, this, new Failure(FailureKind.NoRoute, "no filter chain matches"));
            Drop(null);
            return;
        }

        if (_chain.Tls is null)
        {
            var held = _held;
            _held = default;
            GiveAway(held.Bytes);
            held.Free();
            return;
        }

        StartTls(_chain.Tls);
    }

    private void StartTls(DownstreamTlsPlan plan)
    {
        var context = _loop.Contexts.ForServer(plan, out var problem);
        if (context is null)
        {
            Drop(problem, FailureKind.TlsFailed);
            return;
        }

        var tls = new TlsChannel(_loop.Tls, context, _channel, this);
        _channel = tls;
        _loop.Events.Timers.Start(_timer, _loop.Events.Now + HandshakeTimeoutMs);
        var held = _held;
        _held = default;
        tls.ResumeReading();
        tls.Start(held.Bytes);
        held.Free();
    }

    private void GiveAway(Span<byte> first)
    {
        _given = true;
        _loop.Events.Timers.Stop(_timer);
        _loop.Connections.Remove(this);
        StackChoice.Start(_loop, _channel, this, _chain!, _ahead?.Dial, first);
    }

    private void Drop(string? reason, FailureKind kind = FailureKind.ClientGone)
    {
        if (_given)
        {
            return;
        }

        _given = true;
        _loop.Events.Timers.Stop(_timer);
        _loop.Connections.Remove(this);
        _held.Free();
        _ahead?.End();
        if (reason is not null)
        {
            Observe.Refused(_loop, this, new Failure(kind, reason));
        }

        _channel.Abort();
    }
}
