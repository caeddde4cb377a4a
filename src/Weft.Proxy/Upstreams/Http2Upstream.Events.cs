// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Http2;
using Weft.Proxy.Io;
using Weft.Proxy.Stacks;
using Weft.Proxy.Tls;

namespace Weft.Proxy.Upstreams;

/// <summary>What the channel and the codec tell.</summary>
internal sealed partial class Http2Upstream
{
    private const int TickMs = 1000;

    private long _lastInput;
    private long _pingedAt;
    private bool _withdrawn;
    private bool _pinging;
    private Http2UpstreamStream? _held;

    public void OnConnected()
    {
        var events = _loop.Events;
        events.Timers.Stop(_timer);
        if (_channel is TlsChannel { Alpn: "http/1.1" or "istio-http/1.1" })
        {
            Fail(new Failure(FailureKind.BadResponse, "the server speaks only HTTP/1.1"));
            return;
        }

        LocalAddress = _channel!.LocalAddress;
        PeerPrincipal = _channel is { Peer: { } peer } ? _loop.PeerNames.Intern(peer.Uri) : "";
        _lastInput = events.Now;
        _codec = new Http2Connection(Http2Role.Client, Limits, this, _loop.Http2);
        FlushLater();
        StartTicking();
        BeginWaiting();
    }

    public void OnData(Span<byte> data)
    {
        _lastInput = _loop.Events.Now;
        _pinging = false;
        if (_codec is not null)
        {
            _codec.Receive(data, _loop.Events.Now);
            LetGo();
            FlushLater();
        }
    }

    public void OnEndOfStream() => Break("the server closed the connection");

    public void OnDrained()
    {
        if (_channel is not null)
        {
            FlushOutput();
        }
    }

    public void OnFailed(ChannelError error)
    {
        var reason = error.Tls ?? IoException.Describe(error.Number);
        Fail(new Failure(
            _codec is not null ? FailureKind.ConnectionClosed : error.IsTls ? FailureKind.TlsFailed : FailureKind.ConnectFailed, reason));
    }

    public void OnRequest(Http2Stream stream, in Http2Fields fields, bool endStream)
    {
        // A client gets none.
    }

    public void OnResponse(Http2Stream stream, in Http2Fields fields, bool endStream)
    {
        LetGo();
        Of(stream)?.OnResponse(fields, endStream);
    }

    public void OnData(Http2Stream stream, ReadOnlySpan<byte> data, bool endStream)
    {
        var owner = Of(stream);
        LetGo(except: owner);
        owner?.OnData(data, endStream);
    }

    public void OnTrailers(Http2Stream stream, in Http2Fields fields)
    {
        var owner = Of(stream);
        LetGo(except: owner);
        owner?.OnTrailers(fields.Lines);
    }

    public void OnWritable(Http2Stream stream)
    {
        LetGo();
        Of(stream)?.OnWritable();
    }

    public void OnReset(Http2Stream stream, Http2ErrorCode code, Http2ResetBy by)
    {
        LetGo();
        Of(stream)?.OnReset(code, by);
    }

    public void OnClosed(Http2Stream stream)
    {
        LetGo();
        Of(stream)?.OnClosed();
        BeginWaiting();
    }

    public void OnSettings()
    {
        LetGo();
        BeginWaiting();
    }

    public void OnGoAway(Http2ErrorCode code, ReadOnlySpan<byte> text)
    {
        LetGo();
        Withdraw();
        FlushLater();

        // Those that still waited for a stream find another connection.
        while (_waiting is [.., { Exchange: { } exchange } stream])
        {
            exchange.MoveTry(stream);
        }
    }

    public void OnPong(ulong payload)
    {
        // Any input is a sign of life.
    }

    /// <summary>
    /// An answer's head waits for the body that may have come with it, so that both leave in one send. The loop's output is this stream's
    /// alone meanwhile: whatever else happens on the connection lets it go first.
    /// </summary>
    internal void Hold(Http2UpstreamStream stream) => _held = stream;

    private void LetGo(Http2UpstreamStream? except = null)
    {
        if (_held is not { } held)
        {
            return;
        }

        _held = null;
        if (!ReferenceEquals(held, except))
        {
            held.Exchange?.FlushResponse();
        }
    }

    private static Http2UpstreamStream? Of(Http2Stream stream) => stream.Owner as Http2UpstreamStream;

    /// <summary>Lets those begin that waited for the connection, its settings, or a free stream.</summary>
    private void BeginWaiting()
    {
        for (var i = 0; i < _waiting.Count;)
        {
            var stream = _waiting[i];
            var exchange = stream.Exchange!;
            if (!MayBegin(exchange))
            {
                i++;
                continue;
            }

            _waiting.RemoveAt(i);
            stream.IsWaiting = false;
            if (exchange.Request.IsUpgrade && !_codec!.PeerAllowsExtendedConnect)
            {
                exchange.FailTry(stream, new Failure(FailureKind.BadResponse, "the server takes no upgrades on HTTP/2"));
                continue;
            }

            exchange.OnUpstreamReady(stream);
        }
    }

    private void KeepAlive(long now)
    {
        if (_pool.Limits.KeepAlive is not { } plan)
        {
            return;
        }

        if (_pinging && now - _pingedAt >= plan.TimeoutMs)
        {
            Break("the server did not answer a PING in time");
        }
        else if (!_pinging && now - _lastInput >= plan.IntervalMs)
        {
            _pinging = true;
            _pingedAt = now;
            Codec.Ping(0);
        }
    }
}
