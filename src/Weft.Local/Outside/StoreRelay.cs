// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Weft.Local.Relays;

namespace Weft.Local.Outside;

/// <summary>Leads the API server, whose network is the mesh's own, to the members of a store outside: one Unix socket for each.</summary>
public sealed class StoreRelay : IDisposable
{
    /// <summary>Tells the other side, before the store's own bytes, that there is somebody: a way that is shut must not look like a store that broke off.</summary>
    private static readonly byte[] _reached = [(byte)'+'];

    private readonly CancellationTokenSource _closing = new();
    private readonly List<RelayListener> _listeners = [];

    public StoreRelay(MeshHome home, IReadOnlyList<DnsEndPoint> members, ILogger log)
    {
        for (var i = 0; i < members.Count; i++)
        {
            var member = members[i];
            var listener = RelayListener.Open(
                new UnixDomainSocketEndPoint(home.StoreSocket(i)), (accepted, ct) => DialAsync(accepted, member, ct), log);
            _listeners.Add(listener);
            _ = listener.RunAsync(_closing.Token);
        }
    }

    public void Dispose()
    {
        _closing.Cancel();
        foreach (var listener in _listeners)
        {
            listener.Dispose();
        }

        _closing.Dispose();
    }

    private static async Task<Socket?> DialAsync(Socket accepted, DnsEndPoint member, CancellationToken ct)
    {
        var addresses = await System.Net.Dns.GetHostAddressesAsync(member.Host, ct);
        SocketException? refused = null;
        foreach (var address in addresses)
        {
            try
            {
                var reached = await Dialling.ConnectAsync(new IPEndPoint(address, member.Port), ct);
                await accepted.SendAsync(_reached, ct);
                return reached;
            }
            catch (SocketException problem)
            {
                refused = problem;
            }
        }

        throw refused ?? new SocketException((int)SocketError.HostNotFound);
    }
}
