// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Io;
using Weft.Proxy.Overload;
using Weft.Proxy.Telemetry;
using Weft.Proxy.Tunnels;

namespace Weft.Proxy.Stacks;

/// <summary>The answers' side: framing, and what becomes of the connection behind an answer.</summary>
internal sealed partial class Http1Downstream
{
    internal override int Unsent => _channel.Unsent;

    internal override void SendInterim()
    {
        _loop.Out.Append("\r\n"u8);
        Flush();
    }

    internal override void WriteHead(BodyKind body, bool last)
    {
        var exchange = _exchange!;
        ref var output = ref _loop.Out;
        _writesChunks = body == BodyKind.Open;
        if (_writesChunks)
        {
            output.Append("transfer-encoding: chunked\r\n"u8);
        }

        // A client that is still sending its body cannot be understood again on this connection, nor one that may have sent the new
        // protocol's bytes ahead of a tunnel that was not granted.
        _lastAnswer = last || exchange.WantsBody || !exchange.Request.KeepAlive || _draining || _loop.Overload != OverloadLevel.None
            || exchange.AsksForTunnel || body == BodyKind.Tunnel || IsUsedUp();
        _answering = true;
        if (body == BodyKind.Tunnel)
        {
            output.Append(exchange.Response.Status == 101 ? "connection: upgrade\r\n"u8 : []);
        }
        else if (_lastAnswer)
        {
            output.Append("connection: close\r\n"u8);
        }

        output.Append("\r\n"u8);
    }

    /// <summary>The answer is the connection's last because of the chain's limits.</summary>
    private bool IsUsedUp()
    {
        if (Limits.MaxRequests > 0 && _requests >= Limits.MaxRequests)
        {
            _loop.Metrics.Hit(ProxyLimit.RequestsPerConnection);
            return true;
        }

        if (IsTooOld)
        {
            _loop.Metrics.Hit(ProxyLimit.ConnectionTime);
            return true;
        }

        return false;
    }

    internal override void WriteBody(ReadOnlySpan<byte> payload)
    {
        ref var output = ref _loop.Out;
        if (_writesChunks)
        {
            Http1Framing.AppendChunk(ref output, payload);
        }
        else if (output.IsEmpty)
        {
            _channel.Write(payload);
        }
        else
        {
            // Head and body leave in one send.
            output.Append(payload);
        }
    }

    internal override void WriteEnd(ReadOnlySpan<byte> trailers)
    {
        if (_writesChunks)
        {
            Http1Framing.AppendLastChunk(ref _loop.Out, trailers);
        }

        Flush();
        if (_exchange is { IsTunnel: true })
        {
            _channel.ShutdownWrite();
        }
    }

    internal override void Flush()
    {
        ref var output = ref _loop.Out;
        if (!output.IsEmpty)
        {
            _channel.Write(output.Bytes);
            output.Reset(ProxyLoop.KeptOutputSize);
        }
    }

    internal override bool IsHttp2 => false;

    internal override bool CanSplice => true;

    internal override void PauseBody() => _channel.PauseReading();

    internal override void ResumeBody() => _channel.ResumeReading();

    /// <summary>Only the end of the connection tells the client that the rest will not come.</summary>
    internal override void Break()
    {
        _closed = true;
        _channel.Abort();
    }

    internal override void OnExchangeDone(bool keep)
    {
        var wantsBody = _exchange!.WantsBody;
        _exchange = null;
        _begun = _answering = false;
        if (!keep || _lastAnswer || wantsBody || _ended)
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

    internal override void BecomeTunnel(ByteChannel far)
    {
        _loop.Events.Timers.Stop(_timer);
        _pump = new BytePump(_loop.Events, _channel, far, _exchange!.TunnelIdleMs, this);
        if (!_input.IsEmpty)
        {
            _pump.FeedFromNear(_input.Bytes);
            _input.Clear();
        }

        _pump.Begin();
    }

    internal override void BeginTunnel()
    {
        _loop.Events.Timers.Stop(_timer);
        if (!_input.IsEmpty)
        {
            _exchange!.OnRequestBody(_input.Bytes);
            _input.Free();
            _exchange?.FlushRequest();
        }

        _channel.ResumeReading();
    }
}
