// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Protocols.Http1;
using Weft.Proxy.Balancing;
using Weft.Proxy.Io;
using Weft.Proxy.Upstreams;

namespace Weft.Proxy.Stacks;

/// <summary>The way up: tries, their connections, and the request's bytes.</summary>
internal sealed partial class Exchange
{
    private HttpUpstream? _upstream;
    private IpEndpoint _lastEndpoint;
    private long _bodyLeft;
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

    /// <summary>Tries so far.</summary>
    internal int Attempts { get; private set; }

    internal IpEndpoint UpstreamAddress => _lastEndpoint;

    internal IpEndpoint UpstreamLocalAddress { get; private set; }

    /// <summary>The endpoint of the newest try; null for original destinations.</summary>
    internal EndpointState? Endpoint { get; private set; }

    internal string UpstreamPrincipal { get; private set; } = "";

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
        _sent = false;
        _responseBytes.Clear();
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
        _reused = upstream.IsConnected;
        StartTryTimer();
        if (upstream.IsConnected)
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

    internal void OnUpstreamFailed(Failure failure)
    {
        // The connection has forgotten this exchange already.
        _upstream = null;
        EndTry();
        FailTry(failure);
    }

    internal void OnUpstreamDrained()
    {
        if (_clientPaused)
        {
            _clientPaused = false;
            Client.Channel.ResumeReading();
        }
    }

    /// <summary>Takes body bytes off the connection's input; returns how many were the body's.</summary>
    internal int OnRequestBody(ReadOnlySpan<byte> bytes)
    {
        var count = bytes.Length;
        if (Request.Framing == BodyFraming.Length)
        {
            count = (int)Math.Min(count, _bodyLeft);
            _bodyLeft -= count;
            WantsBody = _bodyLeft > 0;
            RequestBodyBytes += count;
        }
        else
        {
            if (!_requestChunks.TryAdvance(bytes, out count, out var payload))
            {
                RequestBodyBytes += payload;
                WantsBody = false;
                DropUpstream();
                AnswerFailure(new Failure(FailureKind.BadRequest, _requestChunks.Problem), closes: true);
                return bytes.Length;
            }

            RequestBodyBytes += payload;
            WantsBody = !_requestChunks.IsDone;
        }

        ForwardBody(bytes[..count]);
        if (!WantsBody && !_finished)
        {
            StartRequestTimer();
        }

        return count;
    }

    private void ForwardBody(ReadOnlySpan<byte> bytes)
    {
        KeepForReplay(bytes);
        if (!_sent || _upstream is not { } upstream)
        {
            // Not connected yet, or between tries: what is kept so far is sent when it is. The client waits beyond the limit.
            PauseClientAbove(_body.Length, RetryPolicy.BodyLimit);
            return;
        }

        upstream.Channel.Write(bytes);
        PauseClientAbove(upstream.Channel.Unsent, ByteChannel.HighWater);
    }

    private void KeepForReplay(ReadOnlySpan<byte> bytes)
    {
        if (_bodyLost)
        {
            return;
        }

        if (_sent && _body.Length + bytes.Length > RetryPolicy.BodyLimit)
        {
            _bodyLost = true;
            _body.Free();
            return;
        }

        _body.Append(bytes);
    }

    private void PauseClientAbove(int amount, int limit)
    {
        if (amount > limit && !_clientPaused)
        {
            _clientPaused = true;
            Client.Channel.PauseReading();
        }
    }

    private void Send(HttpUpstream upstream)
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
        if (upstream.Requests == 1 && Service.Direction == TrafficDirection.Outbound)
        {
            // Once a connection: the peer keeps it, and takes it off before the application sees the request.
            HeadWriter.AppendLine(ref output, "x-envoy-peer-metadata"u8, Loop.PeerMetadata);
        }

        output.Append("\r\n"u8);
        output.Append(_body.Bytes);
        upstream.Channel.ResumeReading();
        upstream.Channel.Write(output.Bytes);
        output.Reset(ProxyLoop.KeptOutputSize);
        if (_body.Length > RetryPolicy.BodyLimit)
        {
            _bodyLost = true;
            _body.Free();
        }

        if (_clientPaused && upstream.Channel.Unsent == 0)
        {
            OnUpstreamDrained();
        }
    }

    /// <summary>One try failed: try again if nothing forbids it, else answer.</summary>
    private void FailTry(Failure failure)
    {
        if (_finished)
        {
            return;
        }

        Loop.Events.Timers.Stop(_tryTimer);
        var requestSent = _sent;
        var wasReused = _reused;
        DropUpstream();
        if (_responseBegan)
        {
            BreakResponse(failure);
            return;
        }

        if (failure.Kind == FailureKind.ConnectionClosed && wasReused && !_freshOnly && CanReplay &&
            _responseBytes.IsEmpty && Request.Method.IsIdempotent())
        {
            // The server had closed the idle connection while the request was on its way: not a try that failed.
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
        if (timeout > 0 && !WantsBody && _headReady && !_requestTimer.IsRunning)
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

    private void DropUpstream()
    {
        EndTry();
        if (_upstream is { } upstream)
        {
            _upstream = null;
            upstream.Discard(inExchange: true);
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
        _headReady = _sent = _bodyLost = _reused = _freshOnly = _responseBegan = _clientPaused = false;
        _responseLeft = 0;
        _clientCloses = false;
    }
}
