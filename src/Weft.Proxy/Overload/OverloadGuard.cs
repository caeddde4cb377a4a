// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace Weft.Proxy.Overload;

/// <summary>
/// Looks every <see cref="CheckMs"/> at what the proxy uses while its loops work, and says what is to be given up. A single slow turn of a loop
/// (a large plan, for one) is no overload: two checks in a row must see it. Of a proxy that does nothing it asks nothing.
/// </summary>
internal sealed class OverloadGuard : IDisposable
{
    internal const int CheckMs = 250;

    private const int StackBytes = 256 * 1024;

    private readonly OverloadSettings _settings;
    private readonly IOverloadReadings _readings;
    private readonly Action<OverloadLevels> _give;
    private readonly Action<string> _tell;
    private readonly ManualResetEventSlim _stop = new();
    private readonly AutoResetEvent _work = new(false);
    private Thread? _thread;
    private int _lastDelayMs;

    /// <param name="settings">The limits.</param>
    /// <param name="readings">What is measured.</param>
    /// <param name="give">Called with the levels after each check that found one, and once when it is over.</param>
    /// <param name="tell">Told of each change, for the log.</param>
    internal OverloadGuard(OverloadSettings settings, IOverloadReadings readings, Action<OverloadLevels> give, Action<string> tell) =>
        (_settings, _readings, _give, _tell) = (settings, readings, give, tell);

    internal OverloadLevels Levels { get; private set; }

    /// <summary>Parts of the limits that are used, as the last check found them; 0 without a limit.</summary>
    internal OverloadPressure Pressure { get; private set; }

    /// <summary>Checks on a thread of its own from now on.</summary>
    /// <param name="tellOfWork">Has what it is given called once, on any thread, when a loop next has something to do.</param>
    internal void Start(Action<Action> tellOfWork)
    {
        _thread = new Thread(() => Watch(tellOfWork), StackBytes) { IsBackground = true, Name = "overload" };
        _thread.Start();
    }

    internal void Check()
    {
        var delay = _readings.TakeLoopDelayMs();
        Pressure = new OverloadPressure(
            Part(_readings.ResidentBytes, _settings.MemoryBytes),
            Part(_readings.OpenDescriptors, _settings.Descriptors),
            Part(Math.Min(delay, _lastDelayMs), _settings.LoopDelayMs));
        _lastDelayMs = delay;
        var before = Levels;
        Levels = new OverloadLevels(
            LevelOf(Math.Max(Pressure.Memory, Pressure.LoopDelay), before.Work),
            LevelOf(Pressure.Descriptors, before.Descriptors));
        if (Levels.Work != before.Work)
        {
            _tell(Describe(before.Work));
        }

        if (Math.Max((int)Levels.Descriptors, (int)OverloadLevel.KeepAlive) != Math.Max((int)before.Descriptors, (int)OverloadLevel.KeepAlive))
        {
            _tell(DescribeDescriptors());
        }

        if (Levels.Highest != OverloadLevel.None || before.Highest != OverloadLevel.None)
        {
            _give(Levels);
        }
    }

    public void Dispose()
    {
        _stop.Set();
        _work.Set();
        _thread?.Join();
        _stop.Dispose();

        // The other event stays: a loop that still runs may set it.
    }

    private void Watch(Action<Action> tellOfWork)
    {
        Action worked = () => _work.Set();
        while (!_stop.IsSet)
        {
            if (Levels.Highest == OverloadLevel.None)
            {
                // Nothing grows where nothing is done, and a thread that wakes for nothing costs a node one for each of its pods.
                tellOfWork(worked);
                _work.WaitOne();
            }

            if (!_stop.Wait(CheckMs))
            {
                Check();
            }
        }
    }

    private static double Part(long used, long limit) => limit > 0 ? (double)used / limit : 0;

    private static OverloadLevel LevelOf(double pressure, OverloadLevel before)
    {
        var level = OverloadLevel.None;
        foreach (var (candidate, from) in (ReadOnlySpan<(OverloadLevel, double)>)
            [
                (OverloadLevel.KeepAlive, OverloadSettings.KeepAliveFrom),
                (OverloadLevel.NewWork, OverloadSettings.NewWorkFrom),
                (OverloadLevel.IdleConnections, OverloadSettings.IdleConnectionsFrom),
            ])
        {
            if (pressure >= (before >= candidate ? from - OverloadSettings.Slack : from))
            {
                level = candidate;
            }
        }

        return level;
    }

    private string Describe(OverloadLevel before)
    {
        var what = Levels.Work switch
        {
            OverloadLevel.None => "no longer overloaded",
            OverloadLevel.KeepAlive => "nearly overloaded: connections are not kept",
            OverloadLevel.NewWork => before < Levels.Work ? "overloaded: new connections wait, new requests are refused" : "overloaded: idle connections stay again",
            _ => "overloaded: idle connections are closed, too",
        };
        return string.Create(CultureInfo.InvariantCulture, $"{what} (memory {Pressure.Memory:P0}, loop delay {Pressure.LoopDelay:P0} of the limit)");
    }

    private string DescribeDescriptors()
    {
        var what = Levels.Descriptors switch
        {
            OverloadLevel.None or OverloadLevel.KeepAlive => "enough descriptors again",
            OverloadLevel.NewWork => "short of descriptors: new connections wait",
            _ => "short of descriptors: new connections wait, idle ones are closed",
        };
        return string.Create(CultureInfo.InvariantCulture, $"{what} ({Pressure.Descriptors:P0} of the limit)");
    }
}

/// <summary>Parts of the limits that are used; 1 is all of it.</summary>
internal readonly record struct OverloadPressure(double Memory, double Descriptors, double LoopDelay);
