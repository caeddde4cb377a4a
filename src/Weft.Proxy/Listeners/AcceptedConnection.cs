// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Filters;
using Weft.Proxy.Io;
using Weft.Proxy.Stacks;
using Weft.Proxy.Tls;

namespace Weft.Proxy.Listeners;

/// <summary>
/// A connection between accept and its stack: finds the listener by the original destination, looks at the first bytes where the listener
/// wants that, chooses the chain, ends TLS, and gives the connection to the HTTP or the TCP stack.
/// </summary>
internal sealed class AcceptedConnection : IByteHandler, ITimerOwner, IDrainable
{
    /// <summary>How long a TLS handshake may take.</summary>
    internal const int HandshakeTimeoutMs = 15_000;

    private readonly ProxyLoop _loop;
    private readonly LoopTimer _timer;
    private ByteChannel _channel = null!;
    private NativeBuffer _held;
    private ChainPlan? _chain;
    private bool _given;

    private AcceptedConnection(ProxyLoop loop, PlannedListener listener, IpEndpoint peer, IpEndpoint destination)
    {
        _loop = loop;
        _timer = new LoopTimer(this);
        Listener = listener;
        PeerAddress = peer;
        Facts = new ConnectionFacts(destination, "", IsTls: false, []);
    }

    internal PlannedListener Listener { get; }

    internal IpEndpoint PeerAddress { get; }

    internal ConnectionFacts Facts { get; private set; }

    /// <summary>Takes a connection over from a bound listener.</summary>
    internal static void Begin(ProxyLoop loop, IpEndpoint listenerAddress, int fd, IpEndpoint peer)
    {
        var plan = loop.Plan;
        var bound = plan.Listeners.FindBound(listenerAddress);
        if (bound is null || loop.IsDraining)
        {
            // No plan, or one without this listener any more: no traffic.
            _ = Libc.Close(fd);
            return;
        }

        var destination = bound.Plan.UseOriginalDestination ? SocketSettings.OriginalDestination(fd) : SocketSettings.LocalAddress(fd);
        var listener = plan.Listeners.HandOver(bound, destination);
        var connection = new AcceptedConnection(loop, listener with { Address = bound.Address }, peer, destination);
        connection._channel = loop.Events.Adopt(fd, connection);
        loop.Connections.Add(connection);
        connection.Start();
    }

    public void OnConnected()
    {
        // The TLS handshake is done.
        GiveAway([]);
    }

    public void OnData(Span<byte> data)
    {
        _held.Append(data);
        Inspect(final: false);
    }

    public void OnEndOfStream()
    {
        // What came before the end may still be a whole request.
        Inspect(final: true);
        if (!_given)
        {
            Drop("the client closed before anything could be decided");
        }
    }

    public void OnDrained()
    {
    }

    public void OnFailed(ChannelError error) => Drop(error.Tls ?? IoException.Describe(error.Number));

    public void OnTimer(LoopTimer timer)
    {
        if (_chain is null)
        {
            Inspect(final: true);
        }
        else
        {
            Drop("the TLS handshake took too long");
        }
    }

    public void Drain()
    {
    }

    public void Shut() => Drop("the proxy stops");

    private void Start()
    {
        var plan = Listener.Plan;
        if (!plan.InspectTls && !plan.InspectHttp)
        {
            Choose();
            return;
        }

        if (plan.InspectTimeoutMs > 0)
        {
            _loop.Events.Timers.Start(_timer, _loop.Events.Now + plan.InspectTimeoutMs);
        }

        _channel.ResumeReading();
    }

    private void Inspect(bool final)
    {
        if (_chain is not null || _given)
        {
            return;
        }

        if (Listener.Plan.InspectTls && !_held.IsEmpty)
        {
            var verdict = ClientHello.Inspect(_held.Bytes, out var hello);
            if (verdict == ClientHello.Verdict.NeedMore && !final && _held.Length < ClientHello.SizeLimit)
            {
                return;
            }

            if (verdict == ClientHello.Verdict.Found)
            {
                Facts = Facts with { IsTls = true, ServerName = hello!.ServerName, Protocols = hello.Protocols };
                Choose();
                return;
            }
        }

        if (Listener.Plan.InspectHttp)
        {
            var protocols = HttpInspector.Inspect(_held.Bytes);
            if (protocols is null && !final)
            {
                return;
            }

            Facts = Facts with { Protocols = protocols ?? [] };
        }
        else if (_held.IsEmpty && !final)
        {
            return;
        }

        Choose();
    }

    private void Choose()
    {
        _loop.Events.Timers.Stop(_timer);
        _chain = Listener.Chains.Select(Facts);
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
        var context = _loop.Contexts.ForServer(plan);
        if (context is null)
        {
            Drop("this proxy has no certificate yet");
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
        var chain = _chain!;
        if (chain.Http is { } http)
        {
            if (IsHttp2())
            {
                GiveHttp2(http, first);
                return;
            }

            var connection = new Http1Downstream(_loop, new HttpChain(http, FilterOrder.For(http.Direction)), _channel, this);
            _channel.ResumeReading();
            if (!first.IsEmpty)
            {
                connection.OnData(first);
            }
        }
        else if (chain.Tcp is { } tcp)
        {
            TunnelStack.Start(_loop, _channel, this, tcp, first);
        }
        else
        {
            _channel.Abort();
        }
    }

    private bool IsHttp2() => !Facts.IsTls && Facts.Protocols is ["h2c"];

    /// <summary>
    /// HTTP/2 is not read here yet: the connection goes as a whole to the cluster that the destination's routes lead to, so it is secured
    /// and balanced per connection.
    /// </summary>
    private void GiveHttp2(HttpChainPlan http, ReadOnlySpan<byte> first) =>
        TunnelStack.Start(_loop, _channel, this, http.StatPrefix, _loop.Plan.ClusterFor(http, Facts.Destination, _loop.Random), first);

    private void Drop(string? reason)
    {
        if (_given)
        {
            return;
        }

        _given = true;
        _loop.Events.Timers.Stop(_timer);
        _loop.Connections.Remove(this);
        _held.Free();
        if (reason is not null)
        {
            Observe.Refused(_loop, this, new Failure(Facts.IsTls ? FailureKind.TlsFailed : FailureKind.ClientGone, reason));
        }

        _channel.Abort();
    }
}
