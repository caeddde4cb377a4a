// SPDX-License-Identifier: Apache-2.0

using Weft.Compiler.Index;
using Weft.Model;
using Weft.Model.Identity;
using Weft.Model.Intent;
using Weft.Model.Plan;
using Weft.Model.World;

namespace Weft.Compiler.Outbound;

/// <summary>What clusters must know about the endpoints of a service port.</summary>
/// <param name="Source">The endpoints; null if there are none.</param>
/// <param name="Identities">Who may answer: the endpoints' service accounts.</param>
/// <param name="AllMeshed">Every endpoint, and there is one, takes mutual TLS.</param>
/// <param name="PlainOnly">One character per endpoint: 1 if it takes no mutual TLS by policy.</param>
internal sealed record EndpointFacts(ServiceEndpoints? Source, EquatableArray<string> Identities, bool AllMeshed, string PlainOnly)
{
    public static EndpointFacts None { get; } = new(null, [], false, "");

    /// <summary>What of this shapes a cluster, as a text.</summary>
    public string Summary { get; } = $"{AllMeshed} {string.Join(',', Identities)}";

    public static EndpointFacts Of(MeshSnapshot index, ServiceEndpoints source)
    {
        var plainOnly = string.Create(source.Endpoints.Count, (index, source), static (text, state) =>
        {
            for (var i = 0; i < text.Length; i++)
            {
                text[i] = state.index.IsPlainOnly(state.source.Endpoints[i]) ? '1' : '0';
            }
        });
        return index.Parts.Get(
            new PartKey("facts", source, index.Settings, null, plainOnly),
            () => Compute(source, plainOnly, index.Settings.TrustDomains));
    }

    /// <summary>The endpoints of a subset as a client sees them; without a client all are alike.</summary>
    public EquatableArray<EndpointPlan> Select(Subset? subset, LocalityPolicy? localities = null, ClientPlace? client = null)
    {
        var plans = new List<(EndpointPlan, Workload?)>();
        for (var i = 0; i < (Source?.Endpoints.Count ?? 0); i++)
        {
            var endpoint = Source!.Endpoints[i];
            if (subset is null || subset.Labels.Selects(endpoint.Workload?.Labels ?? []))
            {
                var plan = new EndpointPlan(
                    endpoint.Address,
                    endpoint.Port,
                    endpoint.Weight,
                    endpoint.Ready,
                    endpoint.Workload is { Meshed: true } && PlainOnly[i] == '0',
                    endpoint.Workload?.Names)
                {
                    Locality = endpoint.Workload?.Locality ?? "",
                };
                plans.Add((plan, endpoint.Workload));
            }
        }

        return EndpointPlaces.Arrange(plans, localities, client);
    }

    private static EndpointFacts Compute(ServiceEndpoints source, string plainOnly, EquatableArray<string> trustDomains)
    {
        var identities = new SortedSet<string>(StringComparer.Ordinal);
        var meshed = source.Endpoints.Count > 0;
        for (var i = 0; i < source.Endpoints.Count; i++)
        {
            var workload = source.Endpoints[i].Workload;
            if (workload is { ServiceAccount.Length: > 0 })
            {
                identities.UnionWith(trustDomains.Select(domain => new SpiffeId(domain, workload.Namespace, workload.ServiceAccount).ToString()));
            }

            meshed &= workload is { Meshed: true } && plainOnly[i] == '0';
        }

        return new EndpointFacts(source, identities.ToEquatableArray(), meshed, plainOnly);
    }
}
