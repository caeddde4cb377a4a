// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Weft.Proxy.Io;

namespace Weft.Proxy.Life;

/// <summary>The running proxy that this one takes over from, and its listening sockets: whatever waits in their queues is served by this one.</summary>
internal sealed class Predecessor : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

    private readonly Socket _socket;
    private readonly Dictionary<(IpEndpoint Address, int Loop), int> _listeners = [];
    private readonly Lock _gate = new();

    private Predecessor(Socket socket) => _socket = socket;

    internal int Count
    {
        get
        {
            lock (_gate)
            {
                return _listeners.Count;
            }
        }
    }

    /// <summary>Null where no proxy runs here, or where it cannot hand over; <paramref name="problem"/> says why in the second case.</summary>
    internal static Predecessor? Find(HandoverPlace place, int loops, out string? problem)
    {
        problem = null;
        var socket = place.TryConnect();
        if (socket is null)
        {
            return null;
        }

        var found = new Predecessor(socket);
        try
        {
            HandoverWire.Send(socket, string.Create(CultureInfo.InvariantCulture, $"{HandoverWire.Hello} {HandoverWire.Version} {loops}"));
            found.TakeListeners();
            return found;
        }
        catch (IoException failure)
        {
            found.Dispose();
            problem = failure.Message;
            return null;
        }
    }

    /// <summary>The listening socket of one loop at an address, the caller's from then on; -1 where the predecessor had none.</summary>
    internal int Take(IpEndpoint address, int loop)
    {
        lock (_gate)
        {
            return _listeners.Remove((address, loop), out var fd) ? fd : -1;
        }
    }

    /// <summary>This proxy serves: the predecessor stops taking connections and frees its other ports. Throws <see cref="IoException"/>.</summary>
    internal void Relieve()
    {
        HandoverWire.Send(_socket, HandoverWire.Serving);
        if (HandoverWire.Receive(_socket, _patience, out _) is not [HandoverWire.Released])
        {
            throw new IoException("Handing over listening sockets: the other proxy did not let go");
        }
    }

    public void Dispose()
    {
        _socket.Dispose();
        foreach (var fd in _listeners.Values)
        {
            _ = Libc.Close(fd);
        }

        _listeners.Clear();
    }

    private void TakeListeners()
    {
        while (true)
        {
            switch (HandoverWire.Receive(_socket, _patience, out var fd))
            {
                case [HandoverWire.Listener, var address, var loop] when fd >= 0 && IPEndPoint.TryParse(address, out var endpoint) &&
                    IpEndpoint.TryParse(endpoint.Address.ToString(), endpoint.Port, out var parsed) && int.TryParse(loop, NumberStyles.None, CultureInfo.InvariantCulture, out var index):
                    _listeners[(parsed, index)] = fd;
                    break;
                case [HandoverWire.End]:
                    return;
                case [HandoverWire.Refused, .. var reason]:
                    throw new IoException($"The running proxy does not hand over: {string.Join(' ', reason)}");
                case var other:
                    if (fd >= 0)
                    {
                        _ = Libc.Close(fd);
                    }

                    throw new IoException($"The running proxy says '{string.Join(' ', other)}', which this one does not understand");
            }
        }
    }
}
