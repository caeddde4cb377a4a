// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Http1;
using Weft.Proxy.Io;
using Weft.Proxy.Stacks;
using Weft.Proxy.Telemetry;

namespace Weft.Proxy.Upstreams;

/// <summary>The responses' side: heads, and bodies out of their framing.</summary>
internal sealed partial class Http1Upstream
{
    private NativeBuffer _input;
    private ChunkedReader _chunks;
    private long _bodyLeft;
    private int _interims;
    private bool _inBody;
    private bool _clean;

    public void OnData(Span<byte> data)
    {
        if (Exchange is not { } exchange)
        {
            // Nobody asked: what comes now could be taken for the next request's response.
            CloseIdle();
            return;
        }

        if (_input.IsEmpty)
        {
            var taken = Read(exchange, data);
            if (taken < data.Length && ReferenceEquals(Exchange, exchange))
            {
                _input.Append(data[taken..]);
            }

            return;
        }

        // What is read may end the exchange, and the connection may serve the next one before this call returns.
        var held = _input;
        _input = default;
        held.Append(data);
        held.Consume(Read(exchange, held.Bytes));
        if (ReferenceEquals(Exchange, exchange) && !held.IsEmpty)
        {
            _input = held;
        }
        else
        {
            held.Free();
        }
    }

    public void OnEndOfStream()
    {
        if (Exchange is not { } exchange)
        {
            CloseIdle();
        }
        else if (_inBody && exchange.Response.Framing is BodyFraming.UntilClose or BodyFraming.Tunnel)
        {
            exchange.OnResponseEnd([]);
        }
        else
        {
            exchange.FailTry(this, new Failure(FailureKind.ConnectionClosed));
        }
    }

    private void BeginResponse()
    {
        _inBody = _clean = false;
        _interims = 0;
    }

    /// <summary>Returns how many bytes are done with; what is left must be given again with more behind it.</summary>
    private int Read(Exchange exchange, ReadOnlySpan<byte> bytes)
    {
        var at = 0;
        while (!_inBody)
        {
            var taken = ReadHead(exchange, bytes[at..]);
            if (taken == 0)
            {
                return at;
            }

            at += taken;
            if (!ReferenceEquals(Exchange, exchange))
            {
                return bytes.Length;
            }
        }

        return at + ReadBody(exchange, bytes[at..]);
    }

    private int ReadHead(Exchange exchange, ReadOnlySpan<byte> bytes)
    {
        var response = exchange.ResponseFor(this);
        var status = Http1Parser.TryParseResponse(bytes, response, exchange.Request.Method, Http1Rules.Default);
        if (status == ParseStatus.NeedMore)
        {
            return 0;
        }

        if (status == ParseStatus.Invalid)
        {
            exchange.Loop.Metrics.Hit(response.Error);
        }

        if (status == ParseStatus.Invalid || (response.Status == 101 && !exchange.Request.IsUpgrade))
        {
            exchange.FailTry(this, new Failure(
                FailureKind.BadResponse, status == ParseStatus.Invalid ? response.Error.Describe() : "101 came without having been asked for"));
            return bytes.Length;
        }

        var length = response.Length;
        if (response.IsInterim)
        {
            if (++_interims > Http1Rules.Default.MaxInterimResponses)
            {
                exchange.Loop.Metrics.Hit(ProxyLimit.InterimResponses);
                exchange.FailTry(this, new Failure(FailureKind.BadResponse, "too many interim responses came"));
                return bytes.Length;
            }

            exchange.OnInterimResponse(bytes[..length]);
            response.Reset();
            return length;
        }

        _inBody = true;
        _chunks = default;
        _bodyLeft = response.Framing == BodyFraming.Length ? response.ContentLength : 0;
        exchange.OnResponseHead(this, bytes, response.Framing switch
        {
            BodyFraming.None => BodyKind.None,
            BodyFraming.Length => BodyKind.Sized,
            BodyFraming.Tunnel => BodyKind.Tunnel,
            _ => BodyKind.Open,
        });
        return length;
    }

    private int ReadBody(Exchange exchange, ReadOnlySpan<byte> bytes)
    {
        switch (exchange.Response.Framing)
        {
            case BodyFraming.Chunked:
                return ReadChunks(exchange, bytes);
            case BodyFraming.UntilClose or BodyFraming.Tunnel:
                exchange.OnResponseBody(bytes);
                exchange.FlushResponse();
                return bytes.Length;
            default:
                var count = (int)Math.Min(bytes.Length, _bodyLeft);
                _bodyLeft -= count;
                if (count > 0)
                {
                    exchange.OnResponseBody(bytes[..count]);
                }

                if (_bodyLeft > 0)
                {
                    exchange.FlushResponse();
                }
                else
                {
                    End(exchange, [], bytes.Length - count);
                }

                return bytes.Length;
        }
    }

    private int ReadChunks(Exchange exchange, ReadOnlySpan<byte> bytes)
    {
        var at = 0;
        while (true)
        {
            var status = _chunks.Read(bytes[at..], Http1Rules.Default, out var count, out var piece);
            at += count;
            switch (status)
            {
                case ChunkStatus.Payload:
                    exchange.OnResponseBody(piece);
                    break;
                case ChunkStatus.NeedMore:
                    exchange.FlushResponse();
                    return at;
                case ChunkStatus.Done:
                    End(exchange, piece, bytes.Length - at);
                    return bytes.Length;
                default:
                    // What was right before it leaves first, as with a connection that breaks here.
                    exchange.Loop.Metrics.Hit(_chunks.Error);
                    exchange.FlushResponse();
                    exchange.FailTry(this, new Failure(FailureKind.BadResponse, _chunks.Error.Describe()));
                    return bytes.Length;
            }
        }
    }

    /// <param name="exchange">The one that ends.</param>
    /// <param name="trailers">Its trailer section.</param>
    /// <param name="surplus">Bytes behind the response, which nobody asked for.</param>
    private void End(Exchange exchange, ReadOnlySpan<byte> trailers, int surplus)
    {
        _clean = surplus == 0 && exchange.Response.KeepAlive;
        exchange.OnResponseEnd(trailers);
    }
}
