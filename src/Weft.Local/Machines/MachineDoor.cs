// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Weft.Local.Relays;

namespace Weft.Local.Machines;

/// <summary>Where other machines reach the API server: an address of this machine that leads to its TLS socket and nowhere else.</summary>
public sealed class MachineDoor : IDisposable
{
    private readonly CancellationTokenSource _closing = new();
    private readonly RelayListener _listener;

    /// <summary>Opens it; throws <see cref="SocketException"/> when the address is taken or none of this machine.</summary>
    public MachineDoor(MeshHome home, IPEndPoint address, ILogger log)
    {
        ArgumentNullException.ThrowIfNull(home);
        _listener = RelayListener.Open(
            address, async (_, ct) => await Dialling.ConnectAsync(new UnixDomainSocketEndPoint(home.ApiTlsSocket), ct), log);
        _ = _listener.RunAsync(_closing.Token);
    }

    public void Dispose()
    {
        _closing.Cancel();
        _listener.Dispose();
        _closing.Dispose();
    }
}
