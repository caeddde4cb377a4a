// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Balancing;
using Weft.Proxy.Io;

namespace Weft.Proxy.Health;

/// <summary>
/// Asks one endpoint again and again, a new connection each time: a check that reused one would not notice that no new ones are taken.
/// </summary>
internal sealed class HealthProbe : IByteHandler, ITimerOwner
{
    /// <summary>The interval varies by one part in so many, so that the proxies of a mesh do not ask in step.</summary>
    private const int JitterPart = 10;

    private readonly HealthChecker _checker;
    private readonly LoopTimer _timer;
    private HealthQuestion? _question;
    private ByteChannel? _channel;
    private bool _isAsking;
    private int _goodInRow;
    private int _badInRow;

    internal HealthProbe(HealthChecker checker, EndpointHealth endpoint)
    {
        _checker = checker;
        Endpoint = endpoint;
        _timer = new LoopTimer(this);
    }

    internal EndpointHealth Endpoint { get; }

    private EventLoop Loop => _checker.Loop;

    /// <summary>Asks for the first time after this long, and then at every interval.</summary>
    internal void Start(int delayMs) => Loop.Timers.Start(_timer, Loop.Now + delayMs);

    internal void Stop()
    {
        Loop.Timers.Stop(_timer);
        Hang(politely: false);
    }

    public void OnConnected()
    {
        _question = _checker.NewQuestion();
        if (_question is null)
        {
            // That it takes connections is all that a TCP check wants to know.
            Finish(passed: true);
            return;
        }

        _question.Ask(_channel!);
    }

    public void OnData(Span<byte> data)
    {
        if (_question?.Read(data, Loop.Now) is { } passed)
        {
            Finish(passed);
        }
    }

    public void OnEndOfStream() => Finish(passed: false);

    public void OnDrained()
    {
    }

    public void OnFailed(ChannelError error)
    {
        _channel = null;
        Finish(passed: false);
    }

    public void OnTimer(LoopTimer timer)
    {
        if (_isAsking)
        {
            Finish(passed: false);
            return;
        }

        _isAsking = true;
        _checker.Asked();
        _channel = _checker.Open(Endpoint, this);
        if (_channel is null)
        {
            Finish(passed: false);
            return;
        }

        Loop.Timers.Start(_timer, Loop.Now + Math.Max(1, _checker.Plan.TimeoutMs));
    }

    private void Hang(bool politely)
    {
        _isAsking = false;
        _question = null;
        var channel = _channel;
        _channel = null;
        if (politely)
        {
            channel?.Close();
        }
        else
        {
            channel?.Abort();
        }
    }

    private void Finish(bool passed)
    {
        Hang(politely: passed);
        (_goodInRow, _badInRow) = passed ? (_goodInRow + 1, 0) : (0, _badInRow + 1);
        _checker.Answered(Endpoint, passed, passed ? _goodInRow : _badInRow);
        var interval = Math.Max(1, _checker.Plan.IntervalMs);
        Start(interval + _checker.Random.Next((interval / JitterPart) + 1));
    }
}
