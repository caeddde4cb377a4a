// SPDX-License-Identifier: Apache-2.0

namespace Weft.Local.Agent;

/// <summary>Runs one probe of one container, again and again, and reports what it finds.</summary>
internal sealed class Prober(Probe probe, ProbeCall call, TimeProvider time)
{
    /// <summary>
    /// How often a container that has never been ready is asked, for as long: waiting out whole periods would make every start slow.
    /// Such extra attempts do not count as failures.
    /// </summary>
    private static readonly TimeSpan _eager = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan _eagerFor = TimeSpan.FromSeconds(20);

    /// <summary>Calls <paramref name="report"/> after every attempt that counts, until cancelled or, of a startup probe, until it has passed.</summary>
    public async Task RunAsync(Action<ProbeReport> report, CancellationToken ct)
    {
        await Task.Delay(probe.Times.InitialDelay, time, ct);
        var began = time.GetTimestamp();
        var lastCounted = began;
        var (successes, failures) = (0, 0);
        bool? verdict = null;
        while (true)
        {
            var (passed, message) = await call.AttemptAsync(probe.Action, probe.Times.Timeout, ct);
            var eager = verdict != true && successes == 0 && probe.Kind != ProbeKind.Liveness && time.GetElapsedTime(began) < _eagerFor;
            if (passed || !eager || time.GetElapsedTime(lastCounted) >= probe.Times.Period)
            {
                lastCounted = time.GetTimestamp();
                (successes, failures) = passed ? (successes + 1, 0) : (0, failures + 1);
                var now = successes >= probe.SuccessThreshold ? true : failures >= probe.FailureThreshold ? false : verdict;
                report(new ProbeReport(passed, message, now, now != verdict));
                verdict = now;
                if (probe.Kind == ProbeKind.Startup && verdict == true)
                {
                    return;
                }
            }

            await Task.Delay(eager && !passed ? _eager : probe.Times.Period, time, ct);
        }
    }
}

/// <summary>What an attempt of a probe found.</summary>
/// <param name="Verdict">After as many of its kind as the thresholds want; null before.</param>
/// <param name="Turned">Whether the verdict is another than after the attempt before.</param>
internal sealed record ProbeReport(bool Passed, string Message, bool? Verdict, bool Turned);
