// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers.Endpoints;

/// <summary>
/// Keeps the legacy Endpoints object of every Service with a selector; where a Service has none, what a user wrote into its
/// Endpoints is mirrored into an endpoint slice, which is what is really looked at.
/// </summary>
internal sealed class EndpointsController(Mirror services, Informer pods, Mirror endpoints, Mirror slices)
{
    /// <summary>More than this is cut off, as Kubernetes does, and said in an annotation.</summary>
    public const int MaxAddresses = 1000;

    private const string OverCapacity = "endpoints.kubernetes.io/over-capacity";
    private const string ManagedBy = "endpointslice.kubernetes.io/managed-by";
    private const string Mirroring = "endpointslicemirroring-controller.k8s.io";
    private const string SkipMirror = "endpointslice.kubernetes.io/skip-mirror";

    public async Task<TimeSpan?> TurnAsync(ObjectKey key, CancellationToken ct)
    {
        var service = services.Find(key);
        var present = endpoints.Find(key);
        var mirrored = slices.In(key.Namespace)
            .Where(slice => slice.Label(EndpointSliceController.ServiceLabel) == key.Name && slice.Label(ManagedBy) == Mirroring).ToList();
        var selector = Selector.FromMap(service.Find("spec", "selector"));
        var byHand = service is not null && selector.IsEmpty && service.Text("spec", "type") != "ExternalName"
            && present is not null && present.Text("metadata", "labels", SkipMirror) != "true";
        await MirrorAsync(byHand ? service : null, present, mirrored, ct);
        if (service is null || selector.IsEmpty)
        {
            // That of a Service which is gone was ours; the others are their users'.
            if (service is null && present is not null && present.Label("endpoints.kubernetes.io/managed-by") == "endpoint-controller")
            {
                await endpoints.DeleteAsync(present, ct);
            }

            return null;
        }

        // A name for something outside has a list without addresses, as on a cluster: its pods are not what it leads to.
        var outside = service.Text("spec", "type") == "ExternalName";
        var wanted = EndpointsOf(service, outside ? [] : pods.Items.Where(pod => pod.Namespace() == key.Namespace && selector.Matches(pod)));
        if (present is null)
        {
            await CreateAsync(endpoints, wanted, ct);
        }
        else if (ContentOf(present) != ContentOf(wanted))
        {
            wanted["metadata"]!["resourceVersion"] = present.ResourceVersion();
            await endpoints.UpdateAsync(wanted, ct);
        }

        return null;
    }

    internal static JsonObject EndpointsOf(JsonObject service, IEnumerable<JsonObject> pods)
    {
        var subsets = new JsonArray();
        var left = MaxAddresses;
        var cut = false;
        foreach (var slice in EndpointSliceController.SlicesOf(service, pods, EndpointSliceController.FamiliesOf(service)[0]))
        {
            JsonArray ready = [], notReady = [];
            foreach (var endpoint in slice.Objects("endpoints").Where(endpoint => endpoint.Flag("conditions", "terminating") != true || endpoint.Flag("conditions", "ready") == true))
            {
                if (left-- <= 0)
                {
                    cut = true;
                    break;
                }

                (endpoint.Flag("conditions", "ready") == true ? ready : notReady).Add((JsonNode)AddressOf(endpoint));
            }

            if (ready.Count + notReady.Count == 0)
            {
                continue;
            }

            var subset = new JsonObject();
            Put(subset, "addresses", ready);
            Put(subset, "notReadyAddresses", notReady);
            Put(subset, "ports", PortsOf(slice));
            subsets.Add((JsonNode)subset);
        }

        var labels = (service.Find("metadata", "labels") as JsonObject)?.DeepClone().AsObject() ?? [];
        labels["endpoints.kubernetes.io/managed-by"] = "endpoint-controller";
        if (service.Text("spec", "clusterIP") == "None")
        {
            labels["service.kubernetes.io/headless"] = "";
        }

        var metadata = new JsonObject { ["name"] = service.Name(), ["namespace"] = service.Namespace(), ["labels"] = labels };
        if (cut)
        {
            metadata["annotations"] = new JsonObject { [OverCapacity] = "truncated" };
        }

        var made = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Endpoints", ["metadata"] = metadata };
        Put(made, "subsets", subsets);
        return made;
    }

    /// <summary>The slice of the Endpoints that a user wrote; one a subset.</summary>
    internal static IEnumerable<JsonObject> SlicesOf(JsonObject service, JsonObject written)
    {
        foreach (var subset in written.Objects("subsets"))
        {
            var ports = new JsonArray([.. subset.Objects("ports").Select(port =>
            {
                var copy = (JsonObject)port.DeepClone();
                copy["name"] ??= "";
                copy["protocol"] ??= "TCP";
                return (JsonNode)copy;
            })]);
            var all = subset.Objects("addresses").Select(address => (address, true)).Concat(subset.Objects("notReadyAddresses").Select(address => (address, false)));
            foreach (var family in all.GroupBy(one => one.address.Text("ip")?.Contains(':', StringComparison.Ordinal) == true ? "IPv6" : "IPv4", StringComparer.Ordinal))
            {
                var identity = new JsonObject { ["ports"] = ports.DeepClone(), ["family"] = family.Key };
                yield return new JsonObject
                {
                    ["apiVersion"] = Kinds.EndpointSlice.ApiVersion,
                    ["kind"] = "EndpointSlice",
                    ["metadata"] = new JsonObject
                    {
                        ["name"] = $"{service.Name()}-{SafeNames.Hash(identity, 1)[..SafeNames.SuffixCharacters]}",
                        ["generateName"] = service.Name() + "-",
                        ["namespace"] = service.Namespace(),
                        ["labels"] = new JsonObject { [EndpointSliceController.ServiceLabel] = service.Name(), [ManagedBy] = Mirroring },
                        ["ownerReferences"] = new JsonArray(Owners.Reference(written, Kinds.Endpoints)),
                    },
                    ["addressType"] = family.Key,
                    ["endpoints"] = new JsonArray([.. family.Select(one => (JsonNode)EndpointOf(one.address, one.Item2))]),
                    ["ports"] = ports.DeepClone(),
                };
            }
        }
    }

    private async Task MirrorAsync(JsonObject? service, JsonObject? written, List<JsonObject> mirrored, CancellationToken ct)
    {
        foreach (var slice in service is null ? [] : SlicesOf(service, written!))
        {
            if (mirrored.Find(one => one.Name() == slice.Name()) is not { } present)
            {
                await CreateAsync(slices, slice, ct);
                continue;
            }

            mirrored.Remove(present);
            if (SafeNames.Canonical(present.Find("endpoints")) != SafeNames.Canonical(slice.Find("endpoints")))
            {
                slice["metadata"]!["resourceVersion"] = present.ResourceVersion();
                await slices.UpdateAsync(slice, ct);
            }
        }

        foreach (var left in mirrored)
        {
            await slices.DeleteAsync(left, ct);
        }
    }

    private static async Task CreateAsync(Mirror kind, JsonObject made, CancellationToken ct)
    {
        try
        {
            await kind.CreateAsync(made, ct);
        }
        catch (KubernetesException known) when (known.IsAlreadyExists || known.IsNotFound)
        {
            // The watch will bring what is there, or the end of the namespace.
        }
    }

    private static JsonObject AddressOf(JsonObject endpoint)
    {
        var address = new JsonObject { ["ip"] = endpoint.Texts("addresses").First() };
        foreach (var field in (ReadOnlySpan<string>)["hostname", "nodeName", "targetRef"])
        {
            if (endpoint[field] is { } value)
            {
                address[field] = value.DeepClone();
            }
        }

        return address;
    }

    private static JsonObject EndpointOf(JsonObject address, bool ready)
    {
        var endpoint = new JsonObject
        {
            ["addresses"] = new JsonArray(address.Text("ip") ?? ""),
            ["conditions"] = new JsonObject { ["ready"] = ready },
        };
        foreach (var field in (ReadOnlySpan<string>)["hostname", "nodeName", "targetRef"])
        {
            if (address[field] is { } value)
            {
                endpoint[field] = value.DeepClone();
            }
        }

        return endpoint;
    }

    private static JsonArray PortsOf(JsonObject slice) => new([.. slice.Objects("ports").Select(port =>
    {
        var copy = (JsonObject)port.DeepClone();
        if (copy.Text("name") is "")
        {
            copy.Remove("name");
        }

        return (JsonNode)copy;
    })]);

    private static void Put(JsonObject target, string field, JsonArray values)
    {
        if (values.Count > 0)
        {
            target[field] = values;
        }
    }

    private static string ContentOf(JsonObject one) => SafeNames.Canonical(one.Find("subsets")) + SafeNames.Canonical(one.Find("metadata", "labels"));
}
