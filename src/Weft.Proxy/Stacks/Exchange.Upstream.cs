// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Protocols.Http1;
using Weft.Proxy.Balancing;
using Weft.Proxy.Io;
using Weft.Proxy.Upstreams;

namespace Weft.Proxy.Stacks;

/// <summary>The way up: tries, their streams, and the request's body.</summary>
internal sealed partial class Exchange
{
    private UpstreamStream? _upstream;
    private IpEndpoint _lastEndpoint;
    private BodyKind _requestBody;
    private long _sentAt;
    private int _retries;
    private bool _headReady;
    private bool _sent;
    private bool _bodyLost;
    private bool _reused;
    private bool _freshOnly;
    private bool _responseBegan;
    private bool _clientPaused;
    private bool _counted;
    private bool _responseEnded;

    /// <summary>Tries so far.</summary>
    internal int Attempts { get; private set; }

    internal IpEndpoint UpstreamAddress => _lastEndpoint;

    internal IpEndpoint UpstreamLocalAddress { get; private set; }

    /// <summary>The endpoint of the newest try; null for original destinations.</summary>
    internal EndpointState? Endpoint { get; private set; }

    internal string UpstreamPrincipal { get; private set; } = "";

    /// <summary>An upgrade or CONNECT was granted, and both bodies are the tunnel's bytes.</summary>
    internal bool IsTunnel { get; private set; }

    /// <summary>The client asked for a tunnel and has not heard yet whether it gets one.</summary>
    internal bool AwaitsTunnel => Request.IsUpgrade && !_responseBegan && !_finished;

    /// <summary>Chooses an endpoint and sends, or begins to connect.</summary>
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
            StartRequestTimer();
        }

        Attempts++;
        GrpcStatus = -1;
        _sent = false;
        Response.Reset();
        var pool = Loop.ChoosePool(this, _lastEndpoint, out var endpoint, out var failure);
        if (pool is null)
        {
            FailTry(failure);
            return;
        }

        Endpoint = endpoint;
        endpoint?.Begin();
        _counted = endpoint is not null;
        _lastEndpoint = pool.Target.Address;
        var upstream = pool.Rent(this, _freshOnly, out failure);
        if (upstream is null)
        {
            FailTry(failure);
            return;
        }

        _upstream = upstream;
        _reused = upstream.IsReused;
        StartTryTimer();
        if (upstream.IsReady)
        {
            Send(upstream);
        }
    }

    internal void OnUpstreamReady()
    {
        if (_upstream is { } upstream && !_finished)
        {
            Send(upstream);
        }
    }

    internal void OnUpstreamDrained()
    {
        if (_clientPaused)
        {
            _clientPaused = false;
            Downstream.ResumeBody();
        }
    }

    /// <summary>A piece of the request's body, free of framing; <see cref="FlushRequest"/> follows the last of those that came together.</summary>
    internal void OnRequestBody(ReadOnlySpan<byte> payload)
    {
        RequestBodyBytes += payload.Length;
        KeepForReplay(payload);
        if (!_sent || _upstream is not { } upstream)
        {
            // Not connected yet, or between tries: what is kept so far is sent when it is. The client waits beyond the limit.
            PauseClientAbove(_body.Length, RetryPolicy.BodyLimit);
            return;
        }

        upstream.WriteBody(payload);
        PauseClientAbove(upstream.Unsent, ByteChannel.HighWater);
    }

    /// <summary>The request is complete.</summary>
    /// <param name="trailers">Field lines, each with CR LF.</param>
    internal void OnRequestEnd(ReadOnlySpan<byte> trailers)
    {
        WantsBody = false;
        _trailers.Append(trailers);
        if (_sent)
        {
            _upstream?.WriteEnd(trailers);
        }

        if (!IsTunnel)
        {
            StartRequestTimer();
        }
        else if (_responseEnded)
        {
            OnResponseEnd([]);
        }
    }

    internal void FlushRequest()
    {
        if (_sent && !_finished)
        {
            _upstream?.Flush();
        }
    }

    /// <summary>The request's body cannot be understood.</summary>
    internal void RefuseBody(string problem)
    {
        WantsBody = false;
        DropUpstream();
        AnswerFailure(new Failure(FailureKind.BadRequest, problem), last: true);
    }

    private void KeepForReplay(ReadOnlySpan<byte> payload)
    {
        if (_bodyLost)
        {
            return;
        }

        if (_sent && _body.Length + payload.Length > RetryPolicy.BodyLimit)
        {
            _bodyLost = true;
            _body.Free();
            return;
        }

        _body.Append(payload);
    }

    private void PauseClientAbove(int amount, int limit)
    {
        if (amount > limit && !_clientPaused)
        {
            _clientPaused = true;
            Downstream.PauseBody();
        }
    }

    private void Send(UpstreamStream upstream)
    {
        _sent = true;
        _sentAt = Loop.Timestamp();
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

        upstream.WriteHead(_requestBody);
        if (!_body.IsEmpty)
        {
            upstream.WriteBody(_body.Bytes);
        }

        upstream.ResumeResponse();
        if (WantsBody || (Request.IsUpgrade && _requestBody == BodyKind.None))
        {
            // What an upgrade sends once it is granted is not known to end.
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

    /// <summary>One try failed: try again if nothing forbids it, else answer.</summary>
    internal void FailTry(Failure failure)
    {
        if (_finished)
        {
            return;
        }

        Loop.Events.Timers.Stop(_tryTimer);
        var requestSent = _sent;
        var isUntouched = failure.Kind == FailureKind.StreamRefused ||
            (failure.Kind == FailureKind.ConnectionClosed && _reused && _upstream is not { HasInput: true } && Request.Method.IsIdempotent());
        if (!isUntouched || _freshOnly)
        {
            NoteFailure(failure);
        }

        DropUpstream();
        if (_responseBegan)
        {
            BreakResponse(failure);
            return;
        }

        if (isUntouched && !_freshOnly && CanReplay)
        {
            // The server refused the stream, or had closed the idle connection while the request was on its way: not a try that failed.
            _freshOnly = true;
            Attempts--;
            StartTry();
            return;
        }

        var retry = Route?.Actions.Retry;
        if (retry is not null && failure.IsRetryable && CanReplay && retry.Covers(failure, requestSent))
        {
            if (TryAgain(retry))
            {
                return;
            }
        }

        AnswerFailure(failure);
    }

    private bool CanReplay => !_bodyLost && !Request.IsUpgrade;

    /// <summary>False where the route's tries are used up.</summary>
    private bool TryAgain(RetryPolicy retry)
    {
        if (_retries >= retry.Attempts)
        {
            RetriesExhausted = retry.Attempts > 0;
            return false;
        }

        _retries++;
        _sent = false;
        _ = Pause(retry.BackoffMs(_retries, Loop.Random));
        return true;
    }

    private void StartRequestTimer()
    {
        // The clock runs from the end of the request, as Envoy's does: a slow upload is not the server's slowness.
        var timeout = Route?.Plan.Forward?.TimeoutMs ?? 0;
        if (timeout > 0 && !WantsBody && _headReady && !_requestTimer.IsRunning && !_finished)
        {
            Loop.Events.Timers.Start(_requestTimer, Loop.Events.Now + timeout);
        }
    }

    private void StartTryTimer()
    {
        var timeout = Route?.Actions.Retry?.PerTryTimeoutMs ?? 0;
        if (timeout > 0)
        {
            Loop.Events.Timers.Start(_tryTimer, Loop.Events.Now + timeout);
        }
    }

    /// <summary>The try is over, however: its endpoint is no longer busy with it.</summary>
    private void EndTry()
    {
        if (_counted)
        {
            _counted = false;
            Endpoint!.End();
        }
    }

    /// <summary>The endpoint is judged by what fails there.</summary>
    private void NoteFailure(in Failure failure)
    {
        if (_counted && failure.Side == Side.Upstream)
        {
            Cluster!.On(Loop.Index).FailedLocally(Endpoint!);
        }
    }

    private void DropUpstream()
    {
        EndTry();
        if (_upstream is { } upstream)
        {
            _upstream = null;
            upstream.Discard();
        }
    }

    private void OpenUpstreamSide()
    {
        _upstream = null;
        _lastEndpoint = default;
        UpstreamLocalAddress = default;
        UpstreamPrincipal = "";
        Endpoint = null;
        Attempts = _retries = 0;
        _sentAt = 0;
        _requestBody = BodyKind.None;
        _responseEnded = IsTunnel = _headReady = _sent = _bodyLost = _reused = _freshOnly = _responseBegan = _clientPaused = false;
    }
}
