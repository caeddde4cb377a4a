// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Http1;
using Weft.Protocols.Http2;
using Weft.Proxy.Io;
using Weft.Proxy.Stacks;

namespace Weft.Proxy.Upstreams;

/// <summary>One try on a stream of a shared HTTP/2 connection. Rented from its loop.</summary>
internal sealed class Http2UpstreamStream : UpstreamStream
{
    private readonly Http2Flow _flow = new();
    private Http2Upstream _connection = null!;
    private Http2Stream? _stream;
    private Exchange? _exchange;
    private uint _generation;
    private bool _reused;

    /// <summary>Waits for the connection, or for one of its streams.</summary>
    internal bool IsWaiting { get; set; }

    internal Exchange? Exchange => _exchange;

    internal override bool IsReady => !IsWaiting;

    internal override bool IsReused => _reused;

    internal override bool IsFirst => _connection.Requests == 0;

    internal override bool HasInput => false;

    internal override IpEndpoint LocalAddress => _connection.LocalAddress;

    internal override string PeerPrincipal => _connection.PeerPrincipal;

    internal override int Unsent => _flow.Unsent;

    internal void Open(Http2Upstream connection, Exchange exchange)
    {
        _connection = connection;
        _exchange = exchange;
        _stream = null;
        _reused = connection.Requests > 0;
        IsWaiting = false;
        _generation++;
    }

    internal override void WriteHead(BodyKind body)
    {
        ref var output = ref _exchange!.Loop.Out;
        var codec = _connection.Codec;
        _stream = codec.Open(this);
        if (_stream is not null)
        {
            _connection.Requests++;
            _flow.Open(codec, _stream);
            _flow.Expect(body == BodyKind.Sized ? _exchange.Request.ContentLength : -1);
            var end = body == BodyKind.None && !_exchange.Request.IsUpgrade;
            Http2Head.WriteRequest(codec, _stream, _exchange, output.Bytes, end);
            if (end)
            {
                _flow.EndWithHead();
            }
        }

        output.Reset(ProxyLoop.KeptOutputSize);
        _connection.FlushLater();
    }

    internal override void WriteBody(ReadOnlySpan<byte> payload)
    {
        _flow.Write(payload);
        _connection.FlushLater();
    }

    internal override void WriteEnd(ReadOnlySpan<byte> trailers)
    {
        _flow.End(trailers);
        _connection.FlushLater();
    }

    internal override void Flush()
    {
        // The connection does, at the end of the tick.
    }

    internal override void PauseResponse() => _flow.Pause();

    internal override void ResumeResponse()
    {
        _flow.Resume();
        _connection.FlushLater();
    }

    internal override void Release(bool requestComplete)
    {
        _exchange = null;

        // Nobody reads on, so what is held is given back; what the server does not want to have any more is not sent.
        _flow.Resume();
        if (_flow.IsOpen && !(requestComplete && _flow is { HasEnd: true, Unsent: 0 }))
        {
            _connection.Codec.Reset(_stream!, requestComplete ? Http2ErrorCode.NoError : Http2ErrorCode.Cancel);
            _connection.FlushLater();
        }
    }

    internal override void Discard()
    {
        _exchange = null;
        if (_stream is null)
        {
            _connection.Forget(this);
        }
        else if (_flow.IsOpen)
        {
            _flow.Resume();
            _connection.Codec.Reset(_stream, Http2ErrorCode.Cancel);
            _connection.FlushLater();
        }
    }

    internal override ByteChannel? Detach() => null;

    internal void OnResponse(in Http2Fields fields, bool endStream)
    {
        if (_exchange is not { } exchange)
        {
            return;
        }

        var response = exchange.ResponseFor(this);
        var grantsTunnel = exchange.Request.IsUpgrade && fields.Status is >= 200 and < 300 && !endStream;
        ref var text = ref exchange.Loop.HeadText;
        Write(ref text, exchange, fields, grantsTunnel);
        if (Http1Parser.TryParseResponse(text.Bytes, response, exchange.Request.Method, Http1Rules.Default) != ParseStatus.Done)
        {
            exchange.FailTry(this, new Failure(FailureKind.BadResponse, response.Error.Describe()));
            return;
        }

        if (response.IsInterim)
        {
            exchange.OnInterimResponse(text.Bytes);
            response.Reset();
            return;
        }

        var generation = _generation;
        exchange.OnResponseHead(this, text.Bytes, endStream ? BodyKind.None : grantsTunnel ? BodyKind.Tunnel
            : fields.ContentLength >= 0 ? BodyKind.Sized : BodyKind.Open);
        if (endStream || grantsTunnel)
        {
            Finish(generation, endStream);
        }
        else if (generation == _generation)
        {
            _connection.Hold(this);
        }
    }

    internal void OnData(ReadOnlySpan<byte> data, bool endStream)
    {
        var generation = _generation;
        _exchange?.OnResponseBody(data);
        Finish(generation, endStream);
        if (generation == _generation)
        {
            _flow.Received(data.Length);
        }
    }

    internal void OnTrailers(ReadOnlySpan<byte> lines) => _exchange?.OnResponseEnd(lines);

    internal void OnWritable()
    {
        if (_flow.Continue())
        {
            _exchange?.OnUpstreamDrained();
        }

        _connection.FlushLater();
    }

    internal void OnReset(Http2ErrorCode code, Http2ResetBy by)
    {
        _exchange?.FailTry(this, by switch
        {
            Http2ResetBy.NotProcessed => new Failure(FailureKind.StreamRefused),
            Http2ResetBy.Peer when code == Http2ErrorCode.RefusedStream => new Failure(FailureKind.StreamRefused),
            Http2ResetBy.Peer => new Failure(FailureKind.StreamReset, code.ToString()),
            Http2ResetBy.Rule => new Failure(FailureKind.BadResponse, "the response breaks a rule of RFC 9113 section 8"),
            Http2ResetBy.Stall => new Failure(FailureKind.StreamReset, "the server did not let us send"),
            _ => new Failure(FailureKind.ConnectionClosed, _connection.Problem),
        });
    }

    internal void OnClosed()
    {
        _generation++;
        _flow.Close();
        if (_exchange is { } exchange)
        {
            exchange.FailTry(this, new Failure(FailureKind.StreamReset));
        }

        _connection.Forget(this);
    }

    /// <summary>The exchange may have ended inside the call before, and the stream with it.</summary>
    private void Finish(uint generation, bool endStream)
    {
        if (generation != _generation)
        {
            return;
        }

        if (endStream)
        {
            _exchange?.OnResponseEnd([]);
        }
        else
        {
            _exchange?.FlushResponse();
        }
    }

    private static void Write(ref NativeBuffer text, Exchange exchange, in Http2Fields fields, bool grantsTunnel)
    {
        text.Clear();
        HeadWriter.AppendStatusLine(ref text, grantsTunnel ? 101 : fields.Status);
        if (grantsTunnel)
        {
            // What HTTP/1.1 calls a switch of protocols (RFC 8441 section 5).
            text.Append("connection: upgrade\r\n"u8);
            exchange.Request.TryGet(KnownHeader.Upgrade, exchange.RequestBytes, out var protocol);
            HeadWriter.AppendLine(ref text, "upgrade"u8, protocol);
            WebSocketKey.AppendAccept(ref text, exchange);
        }

        text.Append(fields.Lines);
        text.Append("\r\n"u8);
    }
}
