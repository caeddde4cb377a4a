// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Grpc;
using Weft.Protocols.Http1;
using Weft.Proxy.Telemetry;

namespace Weft.Proxy.Stacks;

/// <summary>
/// Copies of the request for clusters that the route mirrors to. A copy is an exchange of its own, without a client: it is tried once, its
/// answer goes nowhere, and it is neither counted nor logged as a request. It gets the body as it comes; one that cannot take it is given
/// up, so that no copy ever holds the request up.
/// </summary>
internal sealed partial class Exchange
{
    /// <summary>How long a copy may take where the route names no time.</summary>
    private const int ShadowTimeoutMs = 15_000;

    private Exchange? _firstShadow;
    private Exchange? _nextShadow;
    private Exchange? _shadowOf;

    private bool HasShadows => _firstShadow is not null;

    private void BeginMirrors()
    {
        if (Route is not { Actions.Mirrors: { Length: > 0 } mirrors } || IsAside || AsksForTunnel)
        {
            return;
        }

        foreach (var mirror in mirrors)
        {
            if (mirror.Ppm < Million && Loop.Random.Next(Million) >= mirror.Ppm)
            {
                continue;
            }

            if (Loop.RentShadow() is not { } stream)
            {
                Loop.Metrics.Hit(ProxyLimit.Mirrors);
                return;
            }

            Loop.RentExchange().BeginShadow(this, stream, mirror.Target);
        }
    }

    private const int Million = 1_000_000;

    private void BeginShadow(Exchange original, ShadowStream stream, WeightedTarget target)
    {
        stream.Open(original.Client, original.Downstream.IsHttp2);
        Open(stream, original.Service);
        stream.Attach(this);
        IsAside = true;
        Plan = original.Plan;
        Route = original.Route;
        Target = target;
        _stages = [];
        StartedAt = original.StartedAt;
        _headBytes.Append(original.RequestBytes);
        Request.CopyFrom(original.Request);
        original._requestId.CopyTo(_requestId, 0);
        IsGrpc = original.IsGrpc;
        _requestBody = original.WebForm != GrpcWebForm.None && original._requestBody == BodyKind.Sized ? BodyKind.Open : original._requestBody;
        WantsBody = original.WantsBody;
        _bodyLimit = long.MaxValue;
        CopyHead(original._upstreamHead.Bytes);
        _headReady = true;
        _shadowOf = original;
        _nextShadow = original._firstShadow;
        original._firstShadow = this;

        // What the client sent before an endpoint was looked for.
        _body.Append(original._body.Bytes);
        _trailers.Append(original._trailers.Bytes);
        StartRequestTimer();
        StartTry();
    }

    /// <summary>The head as the original's server gets it, but for the host: who serves copies must be able to tell.</summary>
    private void CopyHead(ReadOnlySpan<byte> head)
    {
        var line = "\r\nhost: "u8;
        var start = head.IndexOf(line) + line.Length;
        var end = start + head[start..].IndexOf("\r\n"u8);
        Authorities.TrySplit(head[start..end], out var hostLength, out _);
        _upstreamHead.Append(head[..(start + hostLength)]);
        _upstreamHead.Append("-shadow"u8);
        _upstreamHead.Append(head[(start + hostLength)..]);
    }

    private void MirrorBody(ReadOnlySpan<byte> payload)
    {
        for (var shadow = _firstShadow; shadow is not null;)
        {
            // It may give up, which takes it out of the list.
            var next = shadow._nextShadow;
            shadow.SendRequestBody(payload);
            shadow.FlushRequest();
            shadow = next;
        }
    }

    private void MirrorEnd(ReadOnlySpan<byte> trailers)
    {
        for (var shadow = _firstShadow; shadow is not null;)
        {
            var next = shadow._nextShadow;
            shadow.OnRequestEnd(trailers);
            shadow = next;
        }
    }

    /// <summary>Copies that have everything go on alone; those that wait for the rest of a body that will not come do not.</summary>
    private void EndMirrors()
    {
        _shadowOf?.Forget(this);
        _shadowOf = null;
        while (_firstShadow is { } shadow)
        {
            _firstShadow = shadow._nextShadow;
            shadow._nextShadow = shadow._shadowOf = null;
            if (shadow.WantsBody)
            {
                shadow.GiveUpAside();
            }
        }
    }

    private void Forget(Exchange shadow)
    {
        ref var place = ref _firstShadow;
        while (place is not null && !ReferenceEquals(place, shadow))
        {
            place = ref place._nextShadow;
        }

        place = shadow._nextShadow;
        shadow._nextShadow = null;
    }
}
