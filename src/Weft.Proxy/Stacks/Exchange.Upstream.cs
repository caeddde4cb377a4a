// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Protocols.Grpc;
using Weft.Protocols.Http1;
using Weft.Proxy.Balancing;
using Weft.Proxy.Io;
using Weft.Proxy.Upstreams;

namespace Weft.Proxy.Stacks;

/// <summary>The way up: tries and their streams.</summary>
internal sealed partial class Exchange
{
    private UpstreamTry _try;

    /// <summary>An earlier try that goes on beside the newest; only where the route hedges.</summary>
    private UpstreamTry _rival;

    private UpstreamStream? _reader;
    private bool _headReady;
    private bool _freshOnly;
    private bool _responseBegan;
    private bool _responseEnded;

    /// <summary>Tries so far.</summary>
    internal int Attempts { get; private set; }

    /// <summary>A server has the request, or is being connected to for it; it neither stands in line nor waits to be tried again.</summary>
    internal bool IsUnderWay => (_try.IsOpen && !_try.StandsInLine) || _rival.IsOpen;

    internal IpEndpoint UpstreamAddress => _try.Address;

    internal IpEndpoint UpstreamLocalAddress { get; private set; }

    /// <summary>The endpoint of the newest try; null for original destinations.</summary>
    internal EndpointState? Endpoint => _try.Endpoint;

    internal string UpstreamPrincipal { get; private set; } = "";

    /// <summary>An upgrade or CONNECT was granted, and both bodies are the tunnel's bytes.</summary>
    internal bool IsTunnel { get; private set; }

    /// <summary>The client asked for a tunnel and has not heard yet whether it gets one.</summary>
    internal bool AwaitsTunnel => AsksForTunnel && !_responseBegan && !_finished;

    /// <summary>What follows the head is another protocol's, if it is granted.</summary>
    internal bool AsksForTunnel => Request.IsUpgrade || Request.Method == KnownMethod.Connect;

    /// <summary>Chooses an endpoint and sends, or begins to connect, or waits until that is possible.</summary>
    internal void StartTry()
    {
        if (_finished)
        {
            return;
        }

        if (!_headReady)
        {
            HeadWriter.WriteRequest(ref _upstreamHead, this);
            _headReady = true;
            ReadAskedRetries();
            BeginMirrors();
            StartRequestTimer();
        }

        Attempts++;
        GrpcStatus = -1;
        _try.Clear();
        var pool = Loop.ChoosePool(this, out var endpoint, out var failure);
        if (pool is null)
        {
            FailTry(_try, failure);
            return;
        }

        _try.Open(Cluster!.On(Loop.Index), endpoint, pool.Target.Address);
        var upstream = pool.Rent(_try, _freshOnly, out failure);
        if (upstream is not null)
        {
            OnRented(_try, upstream);
        }
        else if (!failure.IsNone)
        {
            FailTry(_try, failure);
        }

        StartTryTimer();
    }

    /// <summary>The pool has a stream for a try, at once or after it has stood in line.</summary>
    internal void OnRented(UpstreamTry one, UpstreamStream stream)
    {
        one.Attach(stream);
        if (stream.IsReady)
        {
            Send(one, stream);
        }
        else if (!one.TryWait())
        {
            FailTry(one, new Failure(FailureKind.Overflow, "too many requests wait for a connection"));
        }
    }

    internal void OnUpstreamReady(UpstreamStream stream)
    {
        if (!_finished)
        {
            Send(TryOf(stream), stream);
        }
    }

    /// <summary>The connection takes no request any more, and nothing of this one was sent: another one is found.</summary>
    internal void MoveTry(UpstreamStream stream)
    {
        var moved = TryOf(stream);
        moved.Drop();
        if (!LeavesRival(moved))
        {
            Attempts--;
            StartTry();
        }
    }

    /// <summary>Where a stream's response is parsed into; a stream that reads after another begins anew.</summary>
    internal ResponseHead ResponseFor(UpstreamStream stream)
    {
        if (!ReferenceEquals(stream, _reader))
        {
            _reader = stream;
            Response.Reset();
        }

        return Response;
    }

    private UpstreamTry TryOf(UpstreamStream stream) => ReferenceEquals(stream, _rival.Stream) ? _rival : _try;

    private void Send(UpstreamTry one, UpstreamStream upstream)
    {
        if (!one.TrySend(Loop.Timestamp()))
        {
            FailTry(one, new Failure(FailureKind.Overflow, "too many requests at once"));
            return;
        }

        if (ReferenceEquals(_reader, upstream))
        {
            // The object served an earlier try already.
            _reader = null;
        }

        UpstreamLocalAddress = upstream.LocalAddress;
        UpstreamPrincipal = upstream.PeerPrincipal;
        ref var output = ref Loop.Out;
        output.Clear();
        output.Append(_upstreamHead.Bytes);
        output.Append("x-envoy-attempt-count: "u8);
        HeadWriter.AppendNumber(ref output, Attempts);
        output.Append("\r\n"u8);
        if (upstream.IsFirst && Service.Direction == TrafficDirection.Outbound)
        {
            // Once a connection: the peer keeps it, and takes it off before the application sees the request.
            HeadWriter.AppendLine(ref output, "x-envoy-peer-metadata"u8, Loop.PeerMetadata);
        }

        upstream.WriteHead(WebForm != GrpcWebForm.None && _requestBody == BodyKind.Sized ? BodyKind.Open : _requestBody);
        if (!_body.IsEmpty)
        {
            upstream.WriteBody(_body.Bytes);
        }

        upstream.ResumeResponse();
        if (WantsBody || (AsksForTunnel && _requestBody == BodyKind.None))
        {
            // What a tunnel carries once it is granted is not known to end.
            upstream.Flush();
        }
        else
        {
            upstream.WriteEnd(_trailers.Bytes);
        }

        if (_body.Length > RetryPolicy.BodyLimit)
        {
            _bodyLost = true;
            _body.Free();
        }

        if (_clientPaused && upstream.Unsent == 0)
        {
            OnUpstreamDrained();
        }
    }

    /// <summary>Ends what is under way; the servers are told.</summary>
    private void DropTries()
    {
        _rival.Drop();
        _try.Drop();
    }

    private void OpenUpstreamSide()
    {
        _try.Clear();
        _rival.Clear();
        _reader = null;
        UpstreamLocalAddress = default;
        UpstreamPrincipal = "";
        Attempts = 0;
        _requestBody = BodyKind.None;
        _responseEnded = IsTunnel = _headReady = _bodyLost = _freshOnly = _responseBegan = _clientPaused = false;
        OpenRetries();
        OpenHash();
    }
}
