// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Http1;
using Weft.Proxy.Listeners;
using Weft.Proxy.Tls;

namespace Weft.Proxy.Stacks;

/// <summary>The requests' side: heads, the turn of each, and clients that want to go on in HTTP/2.</summary>
internal sealed partial class Http1Downstream
{
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
                taken = _exchange.WantsBody && at < bytes.Length ? _body.Read(_exchange, bytes[at..], _service.Rules) : 0;
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

    private int ReadHead(Span<byte> bytes)
    {
        var exchange = _exchange;
        if (exchange is null)
        {
            _exchange = exchange = _loop.RentExchange();
            exchange.Open(this, _service);
        }

        var status = Http1Parser.TryParseRequest(bytes, exchange.Request, _service.Rules);
        if (status == ParseStatus.NeedMore)
        {
            return 0;
        }

        var error = exchange.Request.Error;
        if (error == Http1Error.VersionNotSupported && BeginsAsHttp2(bytes))
        {
            return BecomeHttp2(bytes);
        }

        if (status == ParseStatus.Done && !_served && _channel is not TlsChannel && Http2Upgrade.IsAsked(exchange.Request, bytes, out var settings))
        {
            return UpgradeToHttp2(bytes, exchange.Request.Length, settings);
        }

        _begun = true;
        _requests++;
        _idleDue = 0;
        _loop.Events.Timers.Stop(_timer);
        if (status == ParseStatus.Invalid)
        {
            _loop.Metrics.Hit(error);
            exchange.Refuse(new Failure(KindOf(error), error.Describe(), error.Status()));
            return bytes.Length;
        }

        _served = true;
        var length = exchange.Request.Length;
        if (exchange.Request.MinorVersion == 0)
        {
            exchange.Refuse(new Failure(FailureKind.VersionNotSupported));
            return bytes.Length;
        }

        _body = new Http1RequestBody(exchange.Request);
        exchange.Begin(bytes[..length], exchange.Request.Framing switch
        {
            BodyFraming.Length => BodyKind.Sized,
            BodyFraming.Chunked => BodyKind.Open,
            _ => BodyKind.None,
        });
        return length;
    }

    /// <summary>The client knew beforehand that HTTP/2 is spoken here (RFC 9113 section 3.3).</summary>
    private bool BeginsAsHttp2(ReadOnlySpan<byte> bytes) =>
        !_served && HttpInspector.Preface.StartsWith(bytes[..Math.Min(bytes.Length, HttpInspector.Preface.Length)]);

    private int BecomeHttp2(Span<byte> bytes)
    {
        if (bytes.Length < HttpInspector.Preface.Length)
        {
            return 0;
        }

        _closed = true;
        Forget();
        new Http2Downstream(_loop, _service, _channel, Client).OnData(bytes);
        return bytes.Length;
    }

    private int UpgradeToHttp2(Span<byte> bytes, int length, ReadOnlySpan<byte> settings)
    {
        _closed = true;
        Forget();
        var connection = new Http2Downstream(_loop, _service, _channel, Client);
        connection.BeginUpgraded(settings, bytes[..length]);
        connection.OnData(bytes[length..]);
        return bytes.Length;
    }
}
