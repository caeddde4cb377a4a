// SPDX-License-Identifier: Apache-2.0

using Weft.Compiler.Index;
using Weft.Model.Plan;
using Weft.Model.World;

namespace Weft.Compiler.Outbound;

/// <summary>What one client sees of destinations; remembers what it looked up. Lives as long as one compilation.</summary>
internal sealed class ClientView(MeshSnapshot index, Workload client, bool isGateway = false)
{
    private readonly Dictionary<Service, MergedDestination?> _destinations = new(ReferenceEqualityComparer.Instance);

    public Workload Client => client;

    public MeshSettings Settings => index.Settings;

    /// <summary>True for a proxy at the mesh's edge.</summary>
    public bool IsGateway => isGateway;

    /// <summary>The services that it sees.</summary>
    public ClientScope Scope { get; } = index.ScopeOf(client, isGateway);

    public ClientPlace Place { get; } = new(client, index.PlaceLabels);

    /// <summary>The merged intent for a service; null if nobody says anything about it.</summary>
    public MergedDestination? Destination(Service service)
    {
        if (!_destinations.TryGetValue(service, out var merged))
        {
            _destinations.Add(service, merged = index.Destinations.Find(service.Host, service.Namespace, client));
        }

        return merged;
    }

    /// <summary>What requests to a cluster are balanced by; null if that is no hash.</summary>
    public HashPolicyPlan? Hash(string host, int port, string subset) => Hash(Scope.Find(host), port, subset);

    /// <summary>The same for a service that is known; null for null.</summary>
    public HashPolicyPlan? Hash(Service? service, int port, string subset)
    {
        if (service is null)
        {
            return null;
        }

        var merged = Destination(service);
        var named = merged?.Subsets.FirstOrDefault(s => s.Name == subset);
        return Target.PolicyOf(service, port, named, merged).Balancer?.Value.Hash;
    }
}
