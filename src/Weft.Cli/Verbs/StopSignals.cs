// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace Weft.Cli.Verbs;

/// <summary>Turns Ctrl-C and a request to end into a cancelled token, so that a verb can end in order.</summary>
internal sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource _stop;
    private readonly PosixSignalRegistration[] _registrations;

    public StopSignals(CancellationToken outer, bool ignoreHangUp = false)
    {
        _stop = CancellationTokenSource.CreateLinkedTokenSource(outer);
        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop),
            PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop),
            PosixSignalRegistration.Create(PosixSignal.SIGHUP, ignoreHangUp ? context => context.Cancel = true : Stop),
        ];
    }

    public CancellationToken Token => _stop.Token;

    public void Stop() => _stop.Cancel();

    public void Dispose()
    {
        foreach (var registration in _registrations)
        {
            registration.Dispose();
        }

        _stop.Dispose();
    }

    private void Stop(PosixSignalContext context)
    {
        context.Cancel = true;
        _stop.Cancel();
    }
}
