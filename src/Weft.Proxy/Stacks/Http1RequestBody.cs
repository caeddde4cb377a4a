// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Http1;

namespace Weft.Proxy.Stacks;

/// <summary>The body of one HTTP/1.1 request, as it comes off its framing.</summary>
internal struct Http1RequestBody(RequestHead head)
{
    private long _left = head.ContentLength;
    private ChunkedReader _chunks;

    /// <summary>Hands on what is there of the body; returns how many bytes are done with.</summary>
    internal int Read(Exchange exchange, ReadOnlySpan<byte> bytes, Http1Rules rules)
    {
        if (exchange.IsTunnel)
        {
            exchange.OnRequestBody(bytes);
            exchange.FlushRequest();
            return bytes.Length;
        }

        if (exchange.Request.Framing == BodyFraming.Chunked)
        {
            return ReadChunks(exchange, bytes, rules);
        }

        var count = (int)Math.Min(bytes.Length, _left);
        _left -= count;
        exchange.OnRequestBody(bytes[..count]);
        if (_left == 0)
        {
            exchange.OnRequestEnd([]);
        }
        else
        {
            exchange.FlushRequest();
        }

        return count;
    }

    private int ReadChunks(Exchange exchange, ReadOnlySpan<byte> bytes, Http1Rules rules)
    {
        var at = 0;
        while (true)
        {
            var status = _chunks.Read(bytes[at..], rules, out var count, out var piece);
            at += count;
            switch (status)
            {
                case ChunkStatus.Payload:
                    exchange.OnRequestBody(piece);
                    break;
                case ChunkStatus.Done:
                    exchange.OnRequestEnd(piece);
                    return at;
                case ChunkStatus.NeedMore:
                    exchange.FlushRequest();
                    return at;
                default:
                    exchange.Loop.Metrics.Hit(_chunks.Error);
                    exchange.RefuseBody(new Failure(FailureKind.BadRequest, _chunks.Error.Describe(), _chunks.Error.Status()));
                    return bytes.Length;
            }
        }
    }
}
