// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Http1;
using Weft.Proxy.Io;
using Weft.Proxy.Tls;
using Weft.Proxy.Tunnels;

namespace Weft.Proxy.Stacks;

/// <summary>
/// A client's HTTP/1.1 connection: one exchange after the other; what a client sends ahead waits. How it begins and ends is here; reading,
/// writing and waiting are in files of their own.
/// </summary>
internal sealed partial class Http1Downstream : DownstreamStream, IByteHandler, ITimerOwner, IPumpOwner, IDrainable
{
    private readonly ProxyLoop _loop;
    private readonly HttpChain _service;
    private readonly LoopTimer _timer;
    private readonly ByteChannel _channel;
    private NativeBuffer _input;
    private Exchange? _exchange;
    private BytePump? _pump;
    private Http1RequestBody _body;
    private readonly long _openedAt;
    private long _idleDue;
    private int _requests;
    private bool _begun;
    private bool _consuming;
    private bool _closed;
    private bool _writesChunks;
    private bool _lastAnswer;
    private bool _answering;
    private bool _ended;
    private bool _draining;
    private bool _served;

    internal Http1Downstream(ProxyLoop loop, HttpChain service, ByteChannel channel, ClientFacts client)
    {
        _loop = loop;
        _service = service;
        _channel = channel;
        Client = client;
        _timer = new LoopTimer(this);
        _openedAt = loop.Events.Now;
        channel.Handler = this;
        loop.Connections.Add(this);
        StartIdle();
    }

    internal override ClientFacts Client { get; }

    public Served Served => Client.Served;

    public bool IsBusy => _pump is not null || (_exchange is not null && (_begun || !_input.IsEmpty));

    public bool IsLeaving { get; set; }

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
        if (_exchange is { IsTunnel: true } tunnel)
        {
            tunnel.OnRequestEnd([]);
            return;
        }

        if (_exchange is { } exchange && _begun)
        {
            if (!exchange.WantsBody && (_answering || (_channel is not TlsChannel && exchange.IsUnderWay)))
            {
                // It has said all it wants to say and may still listen (RFC 9112 9.6); if it does not, writing to it will tell, or time.
                // What only waits for its turn or for another try is given up: far more clients have gone than listen on.
                _ended = true;
                exchange.OnClientEnded();
                return;
            }

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

    public void OnPumpDone(BytePump pump, ChannelError error)
    {
        _closed = true;
        _exchange?.OnTunnelDone(pump);
        Forget();
    }

    // An idle connection is not closed at once: a request that is on its way would be lost.
    public void Drain() => _draining = true;

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

    private void AfterInput()
    {
        if (_closed || _pump is not null)
        {
            _input.Free();
            return;
        }

        if (_exchange is null)
        {
            _channel.ResumeReading();
            StartIdle();
        }
        else if (!_begun)
        {
            StartHeadTimeout();
        }
        else if (!_exchange.WantsBody && !_input.IsEmpty)
        {
            // Requests sent ahead wait in the kernel, which tells the client to slow down.
            _channel.PauseReading();
        }
    }

    private void Close()
    {
        if (!_closed)
        {
            _closed = true;
            _channel.Close();
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

    internal static FailureKind KindOf(Http1Error error) => error switch
    {
        Http1Error.HeadTooLong or Http1Error.TooManyFields => FailureKind.HeadTooLarge,
        Http1Error.VersionNotSupported => FailureKind.VersionNotSupported,
        Http1Error.HostMissing => FailureKind.MissingHost,
        _ => FailureKind.BadRequest,
    };
}
