// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;

namespace Weft.Proxy.Tls;

/// <summary>
/// One loop's TLS contexts, by plan, for the identity in force. A new identity drops them all: connections made from then on use the
/// new one, older connections keep the session they have.
/// </summary>
internal sealed class TlsContexts : IDisposable
{
    /// <summary>Kept contexts of one side; above this all are dropped and made again as needed.</summary>
    internal const int Limit = 4096;

    private readonly Dictionary<DownstreamTlsPlan, TlsContext> _servers = [];
    private readonly Dictionary<UpstreamTlsPlan, TlsContext> _clients = [];

    internal TlsMaterial? Material { get; private set; }

    /// <summary>The identity as text; empty without one.</summary>
    internal string OwnPrincipal { get; private set; } = "";

    internal void Use(TlsMaterial material)
    {
        Drop();
        Material = material;
        OwnPrincipal = material.Identity.ToString();
    }

    /// <summary>Null while the proxy has no identity.</summary>
    internal TlsContext? ForServer(DownstreamTlsPlan plan)
    {
        if (Material is null)
        {
            return null;
        }

        if (!_servers.TryGetValue(plan, out var context))
        {
            KeepBelowLimit();
            _servers[plan] = context = TlsContext.ForServer(plan, Material);
        }

        return context;
    }

    /// <summary>Null while the proxy has no identity and the plan needs one.</summary>
    internal TlsContext? ForClient(UpstreamTlsPlan plan)
    {
        if (_clients.TryGetValue(plan, out var context))
        {
            return context;
        }

        if (plan.Mode != UpstreamTlsMode.Simple && Material is null)
        {
            return null;
        }

        KeepBelowLimit();
        context = plan.Mode == UpstreamTlsMode.Simple
            ? TlsContext.ForSimpleClient(plan)
            : TlsContext.ForMeshClient(plan, Material!);
        _clients[plan] = context;
        return context;
    }

    public void Dispose() => Drop();

    private void KeepBelowLimit()
    {
        if (_servers.Count + _clients.Count >= Limit)
        {
            Drop();
        }
    }

    private void Drop()
    {
        foreach (var context in _servers.Values)
        {
            context.Dispose();
        }

        foreach (var context in _clients.Values)
        {
            context.Dispose();
        }

        _servers.Clear();
        _clients.Clear();
    }
}
