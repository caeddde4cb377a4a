// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace Weft.Proxy.Overload;

/// <summary>
/// Looks every <see cref="CheckMs"/> at what the proxy uses, and says what is to be given up. A single slow turn of a loop (a large plan, for
/// one) is no overload: two checks in a row must see it.
/// </summary>
internal sealed class OverloadGuard : IDisposable
{
    internal const int CheckMs = 250;

    private readonly OverloadSettings _settings;
    private readonly IOverloadReadings _readings;
    private readonly Action<OverloadLevels> _give;
    private readonly Action<string> _tell;
    private readonly Lock _gate = new();
    private ITimer? _timer;
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

    internal void Start(TimeProvider clock) =>
        _timer = clock.CreateTimer(_ => Check(), null, TimeSpan.FromMilliseconds(CheckMs), TimeSpan.FromMilliseconds(CheckMs));

    internal void Check()
    {
        if (!_gate.TryEnter())
        {
            // The last check still waits for a loop: that one will say it.
            return;
        }

        try
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
        finally
        {
            _gate.Exit();
        }
    }

    public void Dispose() => _timer?.Dispose();

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
