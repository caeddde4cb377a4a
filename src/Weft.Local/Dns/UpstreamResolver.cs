// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Sockets;

namespace Weft.Local.Dns;

/// <summary>Asks the host's own resolvers for names outside the cluster, where the node has a way to them.</summary>
internal sealed class UpstreamResolver(IReadOnlyList<IPEndPoint> servers)
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(2);

    /// <summary>The servers of a resolv.conf text, at most three as resolvers do.</summary>
    public static UpstreamResolver Parse(string resolvConf)
    {
        const int MaxServers = 3;
        var servers = resolvConf.Split('\n')
            .Select(line => line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries))
            .Where(words => words is ["nameserver", _, ..])
            .Select(words => IPAddress.TryParse(words[1], out var address) ? address : null)
            .OfType<IPAddress>()
            .Where(a => a.AddressFamily == AddressFamily.InterNetwork && !IPAddress.IsLoopback(a))
            .Take(MaxServers)
            .Select(a => new IPEndPoint(a, 53));
        return new UpstreamResolver([.. servers]);
    }

    /// <summary>The answer's bytes; null at once if no server can be reached, or after a short time if none answers.</summary>
    public async Task<byte[]?> AskAsync(ReadOnlyMemory<byte> query, CancellationToken ct)
    {
        foreach (var server in servers)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
            limit.CancelAfter(_patience);
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            try
            {
                await socket.ConnectAsync(server, limit.Token);
                await socket.SendAsync(query, SocketFlags.None, limit.Token);
                var buffer = new byte[4096];
                var count = await socket.ReceiveAsync(buffer, SocketFlags.None, limit.Token);
                if (count >= DnsMessage.HeaderBytes && query.Span[..2].SequenceEqual(buffer.AsSpan(0, 2)))
                {
                    return buffer[..count];
                }
            }
            catch (SocketException)
            {
                // No route to it from the node's namespace (the usual case) or nobody there: the next one.
            }
            catch (OperationCanceledException) when (!ct.IsCancellationRequested)
            {
                // Too slow: the next one.
            }
        }

        return null;
    }
}
