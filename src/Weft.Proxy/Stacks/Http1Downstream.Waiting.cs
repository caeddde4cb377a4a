// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Io;
using Weft.Proxy.Telemetry;

namespace Weft.Proxy.Stacks;

/// <summary>How long a client is waited for between its requests and inside a head.</summary>
internal sealed partial class Http1Downstream
{
    private HttpLimitsPlan Limits => _service.Plan.Limits;

    private bool IsTooOld => Limits.MaxConnectionMs > 0 && _loop.Events.Now - _openedAt >= Limits.MaxConnectionMs;

    public void OnTimer(LoopTimer timer)
    {
        if (_exchange is { } exchange && !_begun && !_input.IsEmpty)
        {
            _begun = true;
            _loop.Metrics.Hit(ProxyLimit.HeadTime);
            exchange.Refuse(new Failure(FailureKind.HeadTimeout));
            return;
        }

        if (_exchange is null || !_begun)
        {
            _loop.Metrics.Hit(_channel.Unsent > 0 ? ProxyLimit.ClientIdleTime : IsTooOld ? ProxyLimit.ConnectionTime : ProxyLimit.IdleTime);
            Close();
        }
    }

    private void StartIdle()
    {
        _input.Free();
        var now = _loop.Events.Now;
        var due = Limits.IdleMs > 0 ? now + Limits.IdleMs : long.MaxValue;
        due = Limits.MaxConnectionMs > 0 ? Math.Min(due, _openedAt + Limits.MaxConnectionMs) : due;

        // An answer that the client does not take holds memory.
        due = Limits.ClientIdleMs > 0 && _channel.Unsent > 0 ? Math.Min(due, now + Limits.ClientIdleMs) : due;
        _idleDue = due;
        if (due < long.MaxValue)
        {
            _loop.Events.Timers.Start(_timer, due);
        }
    }

    private void StartHeadTimeout()
    {
        if (_input.Length > 0 && Limits.HeadMs > 0 && _idleDue >= 0)
        {
            // Counted from the head's first byte, however many more there are.
            _idleDue = -1;
            _loop.Events.Timers.Start(_timer, _loop.Events.Now + Limits.HeadMs);
        }

        _channel.ResumeReading();
    }
}
