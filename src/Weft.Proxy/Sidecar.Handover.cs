// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Io;
using Weft.Proxy.Life;

namespace Weft.Proxy;

/// <summary>Hot restart: the second process of one proxy takes over from the first, which then finishes what it has begun and ends.</summary>
internal sealed partial class Sidecar
{
    private readonly ManualResetEventSlim _ready = new();
    private HandoverPlace? _place;
    private SuccessorDoor? _door;
    private volatile bool _relieved;

    /// <summary>Puts in force what is on disk, with the running proxy's listening sockets if there is one. False if that one must go on.</summary>
    private bool Begin()
    {
        _place = HandoverPlace.Open(_bootstrap.Identity.StateDirectory);
        string? problem = null;
        using var predecessor = _place is null ? null : Predecessor.Find(_place, _bootstrap.Loops, out problem);
        if (problem is not null)
        {
            _log.WriteLine($"weft-proxy: {problem}; this proxy opens listening sockets of its own.");
        }

        _runtime.Inherit(predecessor);
        _control.Start();
        if (predecessor is null)
        {
            return true;
        }

        if (WaitHandle.WaitAny([_ready.WaitHandle, _end.WaitHandle], SuccessorDoor.Patience) != 0)
        {
            _log.WriteLine($"weft-proxy: not ready to take over ({NotReady}); the running proxy goes on.");
            return false;
        }

        try
        {
            predecessor.Relieve();
            _log.WriteLine("weft-proxy: took over from the running proxy.");
        }
        catch (IoException failure)
        {
            // It may have died: whatever it held is free then, too.
            _log.WriteLine($"weft-proxy: {failure.Message}; this proxy serves all the same.");
        }

        _runtime.Inherit(null);
        return true;
    }

    private void OpenDoor()
    {
        if (_place is not null)
        {
            _door = new SuccessorDoor(_place.Listen(), _bootstrap.Loops, _runtime.CopySockets, LetGo, _log);
        }
    }

    private void SayIfReady()
    {
        if (NotReady is null)
        {
            _ready.Set();
        }
    }

    /// <summary>A successor serves: its are the ports, the control plane's stream and the files from now on.</summary>
    private void LetGo()
    {
        _log.WriteLine("weft-proxy: a successor has taken over; finishing what was begun.");
        _runtime.CloseListeners(DrainScope.All);
        _admin.Dispose();
        _control.Dispose();
        _runtime.Drain(DrainScope.All);
        _relieved = true;
        _end.Set();
    }
}
