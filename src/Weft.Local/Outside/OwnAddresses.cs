// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Weft.Local.Outside;

/// <summary>
/// Gives each owner of forwards (a LoadBalancer service) one loopback address, 127.77.x.y, on which every port has the owner's own number:
/// no two collide. The name decides the address, so that it is the same the next time. Where this user may not open one of the ports
/// (below 1024, most often), the owner has no address: half of one would mislead.
/// </summary>
internal sealed partial class OwnAddresses(MeshHome home, ILogger log) : IDisposable
{
    /// <summary>How many addresses are tried for an owner whose first one is taken.</summary>
    public const int MaxTries = 16;

    private readonly Dictionary<string, (IPAddress Address, Dictionary<string, OpenedPort> Ports)> _owners = new(StringComparer.Ordinal);

    /// <summary>The owner's address; null if it has none.</summary>
    public IPAddress? Find(string owner) => _owners.TryGetValue(owner, out var found) ? found.Address : null;

    public void Apply(IEnumerable<Forward> wanted)
    {
        var groups = wanted.Where(f => f.Owner.Length > 0).GroupBy(f => f.Owner, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.ToList(), StringComparer.Ordinal);
        foreach (var gone in _owners.Keys.Where(o => !groups.ContainsKey(o)).ToArray())
        {
            Close(gone);
        }

        foreach (var (owner, forwards) in groups)
        {
            var ports = _owners.GetValueOrDefault(owner).Ports;
            if (ports?.Count == forwards.Count && forwards.TrueForAll(f => ports.TryGetValue(f.Name, out var port) && port.Port == f.OwnPort))
            {
                forwards.ForEach(f => ports[f.Name].Forward = f);
                continue;
            }

            Close(owner);
            Open(owner, forwards);
        }
    }

    public void Dispose()
    {
        foreach (var owner in _owners.Keys.ToArray())
        {
            Close(owner);
        }
    }

    private void Open(string owner, List<Forward> forwards)
    {
        var first = SHA256.HashData(Encoding.UTF8.GetBytes(owner));
        SocketException? refused = null;
        for (var i = 0; i < MaxTries && refused?.SocketErrorCode != SocketError.AccessDenied; i++)
        {
            var address = new IPAddress([127, 77, first[0], (byte)(first[1] + i)]);
            if (_owners.Values.Any(o => o.Address.Equals(address)))
            {
                continue;
            }

            var ports = new Dictionary<string, OpenedPort>(StringComparer.Ordinal);
            try
            {
                foreach (var forward in forwards)
                {
                    var port = ports[forward.Name] = new OpenedPort(forward, home);
                    port.Listen(new IPEndPoint(address, forward.OwnPort), log);
                }

                _owners[owner] = (address, ports);
                return;
            }
            catch (SocketException e)
            {
                refused = e;
                foreach (var port in ports.Values)
                {
                    port.Dispose();
                }
            }
        }

        LogNone(log, owner, string.Join(", ", forwards.Select(f => f.OwnPort)), refused?.Message ?? "every address is taken");
    }

    private void Close(string owner)
    {
        if (_owners.Remove(owner, out var found))
        {
            foreach (var port in found.Ports.Values)
            {
                port.Dispose();
            }
        }
    }

    [LoggerMessage(5114, LogLevel.Information, "'{Owner}' has no address of its own with the ports {Ports}: {Reason}")]
    private static partial void LogNone(ILogger log, string owner, string ports, string reason);
}
