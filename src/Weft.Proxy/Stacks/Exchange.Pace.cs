// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Io;
using Weft.Proxy.Telemetry;

namespace Weft.Proxy.Stacks;

/// <summary>
/// The watch over a slow client: how much it sends and how fast, and whether it takes its answer. Only exchanges that wait for their
/// client are watched, so most requests never start the timer.
/// </summary>
internal sealed partial class Exchange
{
    /// <summary>The time over which a body's rate is taken.</summary>
    internal const int RatePeriodMs = 5000;

    private const int DefaultTunnelIdleMs = 3_600_000;

    private readonly LoopTimer _watch;
    private long _bodyLimit;
    private long _watchedBody;
    private long _watchedAt;
    private long _movedAt;
    private int _watchedUnsent;
    private bool _pausedMeanwhile;
    private bool _clientEnded;

    /// <summary>A body of known length above the route's or the chain's limit; nothing of it has been read.</summary>
    internal bool IsBodyTooLarge
    {
        get
        {
            var limit = Route is { Plan.MaxBodyBytes: > 0 and var own } ? own : Service.Plan.Limits.MaxBodyBytes;
            _bodyLimit = limit > 0 ? limit : long.MaxValue;
            return Request.ContentLength > _bodyLimit;
        }
    }

    private bool AwaitsBody => WantsBody && !_clientPaused;

    /// <summary>How long a tunnel may stay without a byte: as its route says, else one hour.</summary>
    internal int TunnelIdleMs => Route?.Plan.Forward is { IdleTimeoutMs: > 0 and var own } ? own : DefaultTunnelIdleMs;

    private int StreamIdleMs => Route?.Plan.Forward is { IdleTimeoutMs: > 0 and var own } ? own : Service.Plan.Limits.StreamIdleMs;

    /// <summary>The client owes something, or a limit holds for the whole stream: look again in a while.</summary>
    private void Watch()
    {
        if (!_watch.IsRunning && !_finished && !IsTunnel)
        {
            _movedAt = Loop.Events.Now;
            _watchedAt = long.MinValue / 2;
            MarkWatched();
            StartWatch();
        }
    }

    /// <summary>The client sends no more. It may listen or be gone, which a connection without a word from the other side does not tell.</summary>
    internal void OnClientEnded()
    {
        _clientEnded = true;
        Watch();
    }

    private void Moved() => _movedAt = Loop.Events.Now;

    private void StartWatch()
    {
        var limits = Service.Plan.Limits;
        var due = WantsBody && limits.MinBodyRate > 0 && _requestBody == BodyKind.Sized ? Due(_watchedAt, RatePeriodMs) : long.MaxValue;
        due = Math.Min(due, Due(_movedAt, limits.ClientIdleMs));
        due = Math.Min(due, Due(_movedAt, StreamIdleMs));
        if (due < long.MaxValue)
        {
            Loop.Events.Timers.Start(_watch, due);
        }
    }

    /// <summary>When a limit may be reached; what has passed did not count, so it is looked at again after the whole time.</summary>
    private long Due(long since, int limit)
    {
        var now = Loop.Events.Now;
        return limit == 0 ? long.MaxValue : since + limit > now ? since + limit : now + limit;
    }

    private void OnWatch()
    {
        if (IsTunnel)
        {
            WatchTunnel();
            return;
        }

        var limits = Service.Plan.Limits;
        var now = Loop.Events.Now;
        if (Downstream.Unsent != _watchedUnsent)
        {
            _movedAt = now;
        }

        var still = now - _movedAt;
        if (StreamIdleMs is > 0 and var stream && still >= stream)
        {
            FailSlow(FailureKind.StreamIdle, ProxyLimit.StreamIdleTime);
        }
        else if ((AwaitsBody || Downstream.Unsent > 0 || _clientEnded) && limits.ClientIdleMs > 0 && still >= limits.ClientIdleMs)
        {
            FailSlow(FailureKind.ClientIdle, ProxyLimit.ClientIdleTime);
        }
        else if (IsTooSlow(limits.MinBodyRate, now))
        {
            FailSlow(FailureKind.BodyTooSlow, ProxyLimit.BodyRate);
        }
        else
        {
            MarkWatched();
            StartWatch();
        }
    }

    private void WatchTunnel()
    {
        var due = _movedAt + TunnelIdleMs;
        if (due > Loop.Events.Now)
        {
            Loop.Events.Timers.Start(_watch, due);
            return;
        }

        Loop.Metrics.Hit(ProxyLimit.StreamIdleTime);
        BreakResponse(new Failure(FailureKind.TunnelIdle));
    }

    /// <summary>A body that says its length is there already; a stream of events says none, and may be silent.</summary>
    private bool IsTooSlow(int rate, long now)
    {
        const int MsPerSecond = 1000;
        var elapsed = now - _watchedAt;
        return rate > 0 && AwaitsBody && !_pausedMeanwhile && _requestBody == BodyKind.Sized && elapsed >= RatePeriodMs
            && (RequestBodyBytes - _watchedBody) * MsPerSecond < rate * elapsed;
    }

    private void MarkWatched()
    {
        _watchedUnsent = Downstream.Unsent;
        if (Loop.Events.Now - _watchedAt >= RatePeriodMs)
        {
            _watchedAt = Loop.Events.Now;
            _watchedBody = RequestBodyBytes;
            _pausedMeanwhile = _clientPaused;
        }
    }

    private void FailSlow(FailureKind kind, ProxyLimit limit)
    {
        Loop.Metrics.Hit(limit);
        DropTries();
        AnswerFailure(new Failure(kind), last: true);
    }
}
