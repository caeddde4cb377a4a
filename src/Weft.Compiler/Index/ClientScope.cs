// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Intent;
using Weft.Model.World;

namespace Weft.Compiler.Index;

/// <summary>The services that some clients see, and what becomes of hosts that nobody knows.</summary>
internal sealed class ClientScope
{
    private readonly Dictionary<string, Service> _byHost;
    private readonly Func<string, string, bool>? _imports;

    /// <param name="services">One a host, sorted by host.</param>
    /// <param name="allowsAny">True lets clients reach hosts that nobody knows.</param>
    /// <param name="imports">Answers for a namespace and a host if they are imported; null for everything.</param>
    public ClientScope(IReadOnlyList<Service> services, bool allowsAny, Func<string, string, bool>? imports = null)
    {
        Services = services;
        AllowsAny = allowsAny;
        _imports = imports;
        _byHost = services.ToDictionary(s => s.Host, StringComparer.Ordinal);
    }

    public IReadOnlyList<Service> Services { get; }

    public bool AllowsAny { get; }

    /// <summary>Where requests and connections go whose host nobody knows.</summary>
    public string Elsewhere => AllowsAny ? EgressProxy ?? Names.Passthrough : Names.BlackHole;

    /// <summary>The cluster of those that can be reached; null for where the client wanted.</summary>
    public string? EgressProxy { get; init; }

    /// <summary>Listeners of their own.</summary>
    public EquatableArray<SidecarEgress> Listeners { get; init; } = [];

    public Service? Find(string host) => _byHost.GetValueOrDefault(host);

    public bool Imports(string ns, string host) => _imports?.Invoke(ns, host) ?? true;
}
