// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Http1;
using Weft.Proxy.Io;
using Weft.Proxy.Routing;
using Weft.Proxy.Upstreams;

namespace Weft.Proxy.Stacks;

/// <summary>What follows a try that failed or takes too long: another one, one beside it, or an answer.</summary>
internal sealed partial class Exchange
{
    /// <summary>Endpoints that are remembered as tried; of more, the first ones.</summary>
    private const int MaxTried = 8;

    private readonly IpEndpoint[] _tried = new IpEndpoint[MaxTried];
    private int _triedCount;
    private int _retries;
    private bool _holdsRetry;
    private long _tryIdleSince;

    /// <summary>Endpoints that the next try had better avoid.</summary>
    internal ReadOnlySpan<IpEndpoint> Tried => Route?.Actions.Retry is { AvoidsTried: false } ? default : _tried.AsSpan(0, _triedCount);

    /// <summary>Endpoints whose priorities are left behind; after every second try.</summary>
    internal ReadOnlySpan<IpEndpoint> LeftBehind =>
        Route?.Actions.Retry is { LeavesTriedPriorities: true } ? _tried.AsSpan(0, _triedCount & ~1) : default;

    private RetryPolicy? Retry => IsAside ? null : Route?.Actions.Retry ?? (_asked == RetryConditions.None ? null : RetryPolicy.Unsaid);

    private bool Hedges => AskedHedging ?? Route?.Plan.Forward is { HedgeOnPerTryTimeout: true };

    /// <summary>A stream's try failed.</summary>
    internal void FailTry(UpstreamStream stream, Failure failure) => FailTry(TryOf(stream), failure);

    /// <summary>One try failed: try again if nothing forbids it, else answer.</summary>
    internal void FailTry(UpstreamTry failed, Failure failure)
    {
        if (_finished)
        {
            return;
        }

        var requestSent = failed.IsSent;
        var isUntouched = failure.Kind == FailureKind.StreamRefused ||
            (failure.Kind == FailureKind.ConnectionClosed && failed is { IsReused: true, Stream: not { HasInput: true } } && Request.Method.IsIdempotent());
        if (!isUntouched || _freshOnly)
        {
            failed.NoteFailure(failure);
        }

        failed.Drop();
        if (LeavesRival(failed))
        {
            return;
        }

        StopTryTimers();
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

        if (Retry is { } retry && failure.IsRetryable && CanReplay && (retry.Conditions | _asked).Covers(failure, requestSent) && TryAgain(retry))
        {
            return;
        }

        AnswerFailure(failure);
    }

    /// <summary>True if another try is under way, which is the one that counts from now on.</summary>
    private bool LeavesRival(UpstreamTry ended)
    {
        var other = ReferenceEquals(ended, _try) ? _rival : _try;
        if (!other.IsOpen)
        {
            return false;
        }

        NoteTried(ended.Address);
        (_try, _rival) = (other, ended);
        return true;
    }

    /// <summary>True if a bad answer is not passed on, because another try is under way or begins.</summary>
    private bool GoesOnWithout(UpstreamTry bad, RetryPolicy retry, ReadOnlySpan<byte> bytes)
    {
        if (_rival.IsOpen)
        {
            bad.Drop();
            return LeavesRival(bad);
        }

        if (!TryAgain(retry, retry.ResetMs(Response, bytes, Loop.Events.Clock.GetUtcNow(), Loop.Random)))
        {
            return false;
        }

        StopTryTimers();
        bad.Drop();
        return true;
    }

    /// <summary>The answer of this try is the exchange's; another one that was under way is given up.</summary>
    private void Accept(UpstreamTry winner)
    {
        if (ReferenceEquals(winner, _rival))
        {
            (_try, _rival) = (_rival, _try);
        }

        _rival.Drop();
        EndRetry();
        if (_retries > 0 && Response.Status < 500)
        {
            Cluster!.On(Loop.Index).Usage.Add(ClusterFigure.RetrySuccess);
        }
    }

    /// <summary>False where the route's tries, or the cluster's retries, are used up, or the request is none that is tried again.</summary>
    /// <param name="retry">What the route says.</param>
    /// <param name="afterMs">When, if the server has said so; else negative.</param>
    private bool TryAgain(RetryPolicy retry, int afterMs = -1)
    {
        if (!MayRetry(retry))
        {
            return false;
        }

        NoteTried(_try.Address);
        _ = Pause(afterMs >= 0 ? afterMs : retry.BackoffMs(_retries, Loop.Random));
        return true;
    }

    private bool MayRetry(RetryPolicy retry)
    {
        var cluster = Cluster!.On(Loop.Index);
        EndRetry();
        if (!retry.Admits(new RouteRequest(Request, RequestBytes, "http"u8)))
        {
            return false;
        }

        var attempts = Asked(KnownHeader.XEnvoyMaxRetries) ?? retry.Attempts;
        if (_retries >= attempts)
        {
            RetriesExhausted = attempts > 0;
            cluster.Usage.Add(ClusterFigure.RetryLimitExceeded, RetriesExhausted ? 1 : 0);
            return false;
        }

        if (!cluster.Shared.Breaker.MayRetry)
        {
            cluster.Usage.Add(ClusterFigure.RetryOverflow);
            RetryOverflowed = true;
            return false;
        }

        _retries++;
        _holdsRetry = true;
        cluster.Usage.Add(ClusterFigure.Retries);
        cluster.Usage.Add(ClusterFigure.RetriesBegun);
        return true;
    }

    /// <summary>The newest retry does not count as under way any more.</summary>
    private void EndRetry()
    {
        if (_holdsRetry)
        {
            _holdsRetry = false;
            Cluster!.On(Loop.Index).Usage.Add(ClusterFigure.Retries, -1);
        }
    }

    private void NoteTried(IpEndpoint address)
    {
        if (_triedCount < MaxTried && Route?.Actions.Retry is not { AvoidsTried: false, LeavesTriedPriorities: false } && !address.IsNone)
        {
            _tried[_triedCount++] = address;
        }
    }

    private void OnTryTimeout()
    {
        var failure = new Failure(FailureKind.PerTryTimeout);
        if (!Hedges)
        {
            FailTry(_try, failure);
            return;
        }

        _try.NoteFailure(failure);
        if (Retry is not { } retry || !CanReplay || WantsBody || !MayRetry(retry))
        {
            // The tries under way go on until the request's own time is over.
            return;
        }

        // Two at a time: the older of them has had its chance twice.
        _rival.Drop();
        NoteTried(_try.Address);
        (_try, _rival) = (_rival, _try);
        Cluster!.On(Loop.Index).Usage.Add(ClusterFigure.HedgesBegun);
        StartTry();
    }

    private void OnRequestTimeout()
    {
        var failure = new Failure(FailureKind.RequestTimeout);
        _try.NoteFailure(failure);
        AnswerFailure(failure);
    }

    private void StartRequestTimer()
    {
        // The clock runs from the end of the request, as Envoy's does: a slow upload is not the server's slowness.
        // A gRPC client's deadline counts from the call's beginning, as the client's own does; the route says up to which it is honoured.
        var forward = Route?.Plan.Forward;
        var asked = Asked(KnownHeader.XEnvoyUpstreamRqTimeoutMs);
        var isDeadline = asked is null && _grpcTimeoutMs > 0 && forward is { MaxGrpcTimeoutMs: >= 0 };
        long timeout = asked ?? forward?.TimeoutMs ?? 0;
        if (IsAside && timeout == 0)
        {
            timeout = ShadowTimeoutMs;
        }

        if (isDeadline)
        {
            timeout = forward!.MaxGrpcTimeoutMs == 0 ? _grpcTimeoutMs : Math.Min(_grpcTimeoutMs, forward.MaxGrpcTimeoutMs);
        }

        if (timeout > 0 && (isDeadline || !WantsBody) && _headReady && !_requestTimer.IsRunning && !_finished)
        {
            Loop.Events.Timers.Start(_requestTimer, Loop.Events.Now + timeout);
        }
    }

    private void StartTryTimer()
    {
        var timeout = Asked(KnownHeader.XEnvoyUpstreamRqPerTryTimeoutMs) ?? Route?.Actions.Retry?.PerTryTimeoutMs ?? 0;
        if (_finished || !_try.IsOpen || WantsBody)
        {
            // As the request's own, these clocks run from the end of the request.
            return;
        }

        if (timeout > 0 && !_responseBegan)
        {
            Loop.Events.Timers.Start(_tryTimer, Loop.Events.Now + timeout);
        }

        if (Retry is { PerTryIdleMs: > 0 and var idle })
        {
            _tryIdleSince = Loop.Events.Now;
            Loop.Events.Timers.Start(_tryIdleTimer, _tryIdleSince + idle);
        }
    }

    private void StopTryTimers()
    {
        Loop.Events.Timers.Stop(_tryTimer);
        Loop.Events.Timers.Stop(_tryIdleTimer);
    }

    /// <summary>The server may be silent because its client does not take what it has sent; that is not the try's fault.</summary>
    private void OnTryIdle()
    {
        var idle = Retry!.PerTryIdleMs;
        var since = Downstream.Unsent > 0 ? Loop.Events.Now : Math.Max(_tryIdleSince, _movedAt);
        if (since + idle > Loop.Events.Now)
        {
            Loop.Events.Timers.Start(_tryIdleTimer, since + idle);
        }
        else
        {
            FailTry(_try, new Failure(FailureKind.PerTryIdle));
        }
    }

    private void OpenRetries()
    {
        _triedCount = _retries = 0;
        _asked = RetryConditions.None;
        _holdsRetry = RetryOverflowed = false;
    }
}
