// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Io;
using Weft.Proxy.Stacks;
using Weft.Proxy.Upstreams;

namespace Weft.Proxy.Tunnels;

/// <summary>One loop's HBONE connections. Tunnels to a workload share one as far as it takes them, and only under the same TLS settings.</summary>
internal sealed class HboneClients(ProxyLoop loop)
{
    /// <summary>The port of HBONE.</summary>
    internal const int Port = 15008;

    /// <summary>A connection without tunnels is kept for so long; ztunnel's number.</summary>
    internal const int IdleMs = 300_000;

    private static readonly UpstreamTlsPlan _mutual = new(UpstreamTlsMode.Mutual, "", ["h2"], [], "", false);

    private readonly Dictionary<UpstreamTarget, List<HboneClient>> _open = [];

    /// <summary>Open connections.</summary>
    internal int Count
    {
        get
        {
            var count = 0;
            foreach (var list in _open.Values)
            {
                count += list.Count;
            }

            return count;
        }
    }

    /// <summary>The TLS of the outer connection: always mutual, with the identities that the cluster expects of its endpoints.</summary>
    internal static UpstreamTlsPlan TlsFor(UpstreamTlsPlan? plan) =>
        plan is null or { Mode: UpstreamTlsMode.Simple } ? _mutual : _mutual with { SubjectAltNames = plan.SubjectAltNames };

    /// <summary>A tunnel to a workload; null, with the reason, where not even a beginning is possible.</summary>
    internal ByteChannel? Open(UpstreamTarget target, IByteHandler handler, out string? problem)
    {
        problem = null;
        var outer = new UpstreamTarget("", target.Address.WithPort(target.TunnelPort), target.Source, target.Tls);
        if (!_open.TryGetValue(outer, out var connections))
        {
            _open[outer] = connections = [];
        }

        var client = connections.Find(one => one.CanTake);
        if (client is null)
        {
            client = new HboneClient(loop, this);
            if (!client.Connect(loop.Connector, outer, out problem))
            {
                return null;
            }

            connections.Add(client);
        }

        return client.Open(target.Address, handler);
    }

    internal void Remove(HboneClient client)
    {
        if (_open.TryGetValue(client.Target, out var connections) && connections.Remove(client) && connections.Count == 0)
        {
            _open.Remove(client.Target);
        }
    }
}
