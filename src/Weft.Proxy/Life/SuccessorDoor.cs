// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Net.Sockets;
using Weft.Proxy.Io;

namespace Weft.Proxy.Life;

/// <summary>Waits, on a thread of its own, for the proxy that will take over from this one.</summary>
internal sealed class SuccessorDoor : IDisposable
{
    /// <summary>How long a successor may need from getting the sockets to serving.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan _helloPatience = TimeSpan.FromSeconds(5);

    private readonly Socket _door;
    private readonly int _loops;
    private readonly Func<IReadOnlyList<ListeningSocket>> _listeners;
    private readonly Action _release;
    private readonly TextWriter _log;

    /// <param name="door">Where successors knock; closed by this object.</param>
    /// <param name="loops">A successor must have as many: each socket's queue is one loop's.</param>
    /// <param name="listeners">Copies of the listening sockets, which this object closes.</param>
    /// <param name="release">Called once, when the successor serves: takes no more connections, and frees the other ports.</param>
    /// <param name="log">Told of every attempt.</param>
    internal SuccessorDoor(Socket door, int loops, Func<IReadOnlyList<ListeningSocket>> listeners, Action release, TextWriter log)
    {
        (_door, _loops, _listeners, _release, _log) = (door, loops, listeners, release, log);
        new Thread(Wait, 256 * 1024) { IsBackground = true, Name = "successor" }.Start();
    }

    public void Dispose() => _door.Dispose();

    private void Wait()
    {
        while (true)
        {
            Socket successor;
            try
            {
                successor = _door.Accept();
            }
            catch (SocketException signal) when (signal.SocketErrorCode == SocketError.Interrupted)
            {
                continue;
            }
            catch (Exception closed) when (closed is SocketException or ObjectDisposedException)
            {
                return;
            }

            using (successor)
            {
                if (HandOver(successor))
                {
                    return;
                }
            }
        }
    }

    private bool HandOver(Socket successor)
    {
        try
        {
            if (Refusal(HandoverWire.Receive(successor, _helloPatience, out _)) is { } reason)
            {
                HandoverWire.Send(successor, $"{HandoverWire.Refused} {reason}");
                _log.WriteLine($"weft-proxy: a successor was refused: {reason}");
                return false;
            }

            SendListeners(successor);
            if (HandoverWire.Receive(successor, Patience, out _) is not [HandoverWire.Serving])
            {
                throw new IoException("the successor did not say that it serves");
            }

            // The file first: the successor puts its own in its place.
            _door.Dispose();
            _release();
            HandoverWire.Send(successor, HandoverWire.Released);
            return true;
        }
        catch (IoException failure)
        {
            _log.WriteLine($"weft-proxy: a successor did not take over, so this proxy goes on: {failure.Message}");
            return false;
        }
    }

    private string? Refusal(string[] hello) => hello switch
    {
        [HandoverWire.Hello, var version, _] when version != HandoverWire.Version.ToString(CultureInfo.InvariantCulture) =>
            $"it speaks version {version} of the handover, this proxy {HandoverWire.Version}",
        [HandoverWire.Hello, _, var loops] when loops != _loops.ToString(CultureInfo.InvariantCulture) =>
            $"it has {loops} loops, this proxy {_loops}, and a socket's queue cannot be divided",
        [HandoverWire.Hello, _, _] => null,
        _ => "it does not speak the handover's language",
    };

    private void SendListeners(Socket successor)
    {
        var listeners = _listeners();
        try
        {
            foreach (var listener in listeners)
            {
                HandoverWire.Send(successor, string.Create(CultureInfo.InvariantCulture, $"{HandoverWire.Listener} {listener.Address} {listener.Loop}"), listener.Fd);
            }

            HandoverWire.Send(successor, HandoverWire.End);
        }
        finally
        {
            foreach (var listener in listeners)
            {
                _ = Libc.Close(listener.Fd);
            }
        }
    }
}

/// <summary>A listening socket of one loop.</summary>
internal readonly record struct ListeningSocket(IpEndpoint Address, int Loop, int Fd);
