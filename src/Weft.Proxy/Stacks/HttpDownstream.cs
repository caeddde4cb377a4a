// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Model.Plan;
using Weft.Protocols.Http1;
using Weft.Proxy.Io;
using Weft.Proxy.Listeners;
using Weft.Proxy.Routing;
using Weft.Proxy.Tls;
using Weft.Proxy.Tunnels;

namespace Weft.Proxy.Stacks;

/// <summary>A client's HTTP/1.1 connection: one exchange after the other; what a client sends ahead waits.</summary>
internal sealed class HttpDownstream : IByteHandler, ITimerOwner, IPumpOwner, IDrainable
{
    /// <summary>How long a kept connection may stay without a request.</summary>
    internal const int IdleTimeoutMs = 3_600_000;

    /// <summary>How long a client may take to send a head once it has begun.</summary>
    internal const int HeadTimeoutMs = 60_000;

    /// <summary>How long an upgraded connection may stay without a byte.</summary>
    private const int UpgradeIdleMs = 3_600_000;

    private readonly ProxyLoop _loop;
    private readonly HttpChain _service;
    private readonly LoopTimer _timer;
    private readonly byte[] _forwardedCertificate;
    private NativeBuffer _input;
    private Exchange? _exchange;
    private BytePump? _pump;
    private LoadedPlan? _tablePlan;
    private RouteTable<PlannedRoute>? _table;
    private bool _begun;
    private bool _consuming;
    private bool _closed;

    internal HttpDownstream(ProxyLoop loop, HttpChain service, ByteChannel channel, AcceptedConnection accepted)
    {
        _loop = loop;
        _service = service;
        Channel = channel;
        PeerAddress = accepted.PeerAddress;
        Destination = accepted.Facts.Destination;
        ServerName = accepted.Facts.ServerName;
        ListenerAddress = accepted.Listener.Address;
        Peer = (channel as TlsChannel)?.Peer;
        PeerPrincipal = Peer is null ? "" : loop.PeerNames.Intern(Peer.Uri);
        _forwardedCertificate = Peer is null ? [] : DescribeCertificate(loop, Peer);
        _timer = new LoopTimer(this);
        channel.Handler = this;
        loop.Connections.Add(this);
        StartIdle();
    }

    internal ByteChannel Channel { get; }

    internal IpEndpoint PeerAddress { get; }

    /// <summary>The address that the client asked for.</summary>
    internal IpEndpoint Destination { get; }

    internal IpEndpoint ListenerAddress { get; }

    internal string ServerName { get; }

    /// <summary>Null where the connection is not mutual TLS.</summary>
    internal PeerIdentity? Peer { get; }

    /// <summary>Its id as text; empty without mutual TLS.</summary>
    internal string PeerPrincipal { get; }

    internal WorkloadNamePlan? PeerNames { get; set; }

    /// <summary>This hop's element of x-forwarded-client-cert; empty without mutual TLS.</summary>
    internal ReadOnlySpan<byte> ForwardedCertificate => _forwardedCertificate;

    /// <summary>The answer being made must be the connection's last.</summary>
    internal bool MustClose => _loop.IsDraining;

    public void OnConnected()
    {
    }

    public void OnData(Span<byte> data)
    {
        if (_closed)
        {
            return;
        }

        if (_input.IsEmpty)
        {
            var taken = Consume(data);
            if (!_closed && taken < data.Length)
            {
                _input.Append(data[taken..]);
            }
        }
        else
        {
            _input.Append(data);
            _input.Consume(Consume(_input.Bytes));
        }

        AfterInput();
    }

    public void OnEndOfStream()
    {
        if (_exchange is { } exchange && _begun)
        {
            exchange.OnClientGone();
            return;
        }

        Close();
    }

    public void OnDrained() => _exchange?.OnClientDrained();

    public void OnFailed(ChannelError error)
    {
        if (_exchange is { } exchange && _begun)
        {
            exchange.OnClientGone();
        }

        Close();
    }

    public void OnTimer(LoopTimer timer)
    {
        if (_exchange is { } exchange && !_begun && !_input.IsEmpty)
        {
            _begun = true;
            exchange.Refuse(new Failure(FailureKind.HeadTimeout));
            return;
        }

        if (_exchange is null || !_begun)
        {
            Close();
        }
    }

    /// <summary>The exchange is over; its object must not be used any more.</summary>
    internal void OnExchangeDone(bool keep)
    {
        _exchange = null;
        _begun = false;
        if (!keep || _loop.IsDraining)
        {
            Close();
            return;
        }

        if (!_consuming)
        {
            // The answer came from the other side's callback: what the client sent ahead is taken up now.
            if (!_input.IsEmpty)
            {
                _input.Consume(Consume(_input.Bytes));
            }

            AfterInput();
        }
    }

    /// <summary>Cuts the connection in the middle of a response.</summary>
    internal void Break()
    {
        _closed = true;
        Channel.Abort();
    }

    /// <summary>The chain's routes in a plan; asked per request, and remembered as long as the plan is the same.</summary>
    internal RouteTable<PlannedRoute>? TableIn(LoadedPlan plan)
    {
        if (!ReferenceEquals(plan, _tablePlan))
        {
            _tablePlan = plan;
            _table = plan.TableOf(_service.Plan);
        }

        return _table;
    }

    internal void BecomeTunnel(Exchange exchange, ByteChannel far)
    {
        _loop.Events.Timers.Stop(_timer);
        _pump = new BytePump(_loop.Events, Channel, far, UpgradeIdleMs, this);
        if (!_input.IsEmpty)
        {
            _pump.FeedFromNear(_input.Bytes);
            _input.Clear();
        }

        _pump.Begin();
    }

    public void OnPumpDone(BytePump pump, ChannelError error)
    {
        _closed = true;
        _exchange?.OnTunnelDone(pump);
        Forget();
    }

    public void Drain()
    {
        if (_pump is null && (_exchange is null || !_begun))
        {
            Close();
        }
    }

    public void Shut()
    {
        if (_pump is { } pump)
        {
            pump.Abort();
            return;
        }

        if (_exchange is { } exchange && _begun)
        {
            exchange.OnClientGone();
        }

        Close();
    }

    private int Consume(Span<byte> bytes)
    {
        var at = 0;
        _consuming = true;
        while (!_closed && _pump is null)
        {
            int taken;
            if (_exchange is null || !_begun)
            {
                taken = at == bytes.Length ? 0 : ReadHead(bytes[at..]);
            }
            else
            {
                taken = _exchange.WantsBody && at < bytes.Length ? _exchange.OnRequestBody(bytes[at..]) : 0;
            }

            if (taken == 0)
            {
                break;
            }

            at += taken;
        }

        _consuming = false;
        return Math.Min(at, bytes.Length);
    }

    private int ReadHead(ReadOnlySpan<byte> bytes)
    {
        var exchange = _exchange;
        if (exchange is null)
        {
            _exchange = exchange = _loop.RentExchange();
            exchange.Open(this, _service);
        }

        var status = Http1Parser.TryParseRequest(bytes, exchange.Request, Http1Rules.Default);
        if (status == ParseStatus.NeedMore)
        {
            return 0;
        }

        _begun = true;
        _loop.Events.Timers.Stop(_timer);
        if (status == ParseStatus.Invalid)
        {
            var error = exchange.Request.Error;
            exchange.Refuse(new Failure(KindOf(error), error.Describe(), error.Status()));
            return bytes.Length;
        }

        var length = exchange.Request.Length;
        if (exchange.Request.MinorVersion == 0)
        {
            exchange.Refuse(new Failure(FailureKind.VersionNotSupported));
            return bytes.Length;
        }

        exchange.Begin(bytes[..length]);
        return length;
    }

    private void AfterInput()
    {
        if (_closed || _pump is not null)
        {
            _input.Free();
            return;
        }

        if (_exchange is null)
        {
            Channel.ResumeReading();
            StartIdle();
        }
        else if (!_begun)
        {
            StartHeadTimeout();
        }
        else if (!_exchange.WantsBody && !_input.IsEmpty)
        {
            // Requests sent ahead wait in the kernel, which tells the client to slow down.
            Channel.PauseReading();
        }
    }

    private void StartIdle()
    {
        _input.Free();
        _loop.Events.Timers.Start(_timer, _loop.Events.Now + IdleTimeoutMs);
    }

    private void StartHeadTimeout()
    {
        if (_input.Length > 0 && _timer.Due - _loop.Events.Now > HeadTimeoutMs)
        {
            _loop.Events.Timers.Start(_timer, _loop.Events.Now + HeadTimeoutMs);
        }

        Channel.ResumeReading();
    }

    private void Close()
    {
        if (!_closed)
        {
            _closed = true;
            Channel.Close();
        }

        Forget();
    }

    private void Forget()
    {
        if (_exchange is { } unused && !_begun)
        {
            _loop.Return(unused);
            _exchange = null;
        }

        _loop.Events.Timers.Stop(_timer);
        _loop.Connections.Remove(this);
        if (!_consuming)
        {
            _input.Free();
        }
    }

    private static FailureKind KindOf(Http1Error error) => error switch
    {
        Http1Error.HeadTooLong or Http1Error.TooManyFields => FailureKind.HeadTooLarge,
        Http1Error.VersionNotSupported => FailureKind.VersionNotSupported,
        Http1Error.HostMissing => FailureKind.MissingHost,
        _ => FailureKind.BadRequest,
    };

    private static byte[] DescribeCertificate(ProxyLoop loop, PeerIdentity peer)
    {
        var own = loop.Contexts.Material?.Identity.ToString() ?? "";
        return Encoding.ASCII.GetBytes($"By={own};Hash={peer.Hash};Subject=\"{peer.Subject.Replace("\"", "\\\"", StringComparison.Ordinal)}\";URI={peer.Uri}");
    }
}
