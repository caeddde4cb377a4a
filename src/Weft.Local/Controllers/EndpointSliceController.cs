// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Kubernetes;
using Weft.Local.Network;

namespace Weft.Local.Controllers;

/// <summary>Keeps, for every Service with a selector, the list of the pods behind it.</summary>
/// <remarks>A named target port may be another number in another pod, so there is one slice for each set of port numbers.</remarks>
internal sealed class EndpointSliceController(KubernetesClient client, Informer services, Informer pods, Informer slices)
{
    internal const string ServiceLabel = "kubernetes.io/service-name";
    private const string ManagedByLabel = "endpointslice.kubernetes.io/managed-by";
    private const string Component = "endpointslice-controller.k8s.io";

    public async Task<TimeSpan?> TurnAsync(ObjectKey key, CancellationToken ct)
    {
        var service = services.Find(key.Namespace, key.Name);
        var selector = Selector.FromMap(service.Find("spec", "selector"));
        var present = slices.Items
            .Where(slice => slice.Namespace() == key.Namespace && slice.Label(ServiceLabel) == key.Name && slice.Label(ManagedByLabel) == Component)
            .ToDictionary(slice => slice.Name(), StringComparer.Ordinal);
        var wanted = service is null || selector.IsEmpty || service.Text("spec", "type") == "ExternalName"
            ? []
            : SlicesOf(service, pods.Items.Where(pod => pod.Namespace() == key.Namespace && selector.Matches(pod)));
        foreach (var slice in wanted)
        {
            if (!present.Remove(slice.Name(), out var old))
            {
                await CreateAsync(slice, ct);
            }
            else if (ContentOf(old) != ContentOf(slice))
            {
                slice["metadata"]!["resourceVersion"] = old.ResourceVersion();
                await client.UpdateAsync(Kinds.EndpointSlice, key.Namespace, slice, ct);
            }
        }

        foreach (var left in present.Values)
        {
            await RemoveAsync(left, ct);
        }

        return null;
    }

    internal static List<JsonObject> SlicesOf(JsonObject service, IEnumerable<JsonObject> pods)
    {
        var all = pods.ToList();
        return [.. FamiliesOf(service).SelectMany(family => SlicesOf(service, all, family))];
    }

    /// <summary>The first is the one that clients use who know one only.</summary>
    internal static IReadOnlyList<string> FamiliesOf(JsonObject service) => service.Texts("spec", "ipFamilies").ToList() is { Count: > 0 } families ? families : ["IPv4"];

    internal static IEnumerable<JsonObject> SlicesOf(JsonObject service, IEnumerable<JsonObject> pods, string family)
    {
        var ports = service.Objects("spec", "ports").ToList();
        return pods
            .Where(pod => !PodState.HasEnded(pod) && AddressOf(pod, family) is not null)
            .OrderBy(pod => pod.Name(), StringComparer.Ordinal)
            .GroupBy(pod => SafeNames.Canonical(PortsFor(ports, pod)), StringComparer.Ordinal)
            .Select(group => SliceFor(service, PortsFor(ports, group.First()), group, family));
    }

    private static string? AddressOf(JsonObject pod, string family) =>
        pod.Objects("status", "podIPs").Select(each => each.Text("ip")).Append(pod.Text("status", "podIP"))
            .FirstOrDefault(address => !string.IsNullOrEmpty(address) && IpWords.IsSix(address) == (family == "IPv6"));

    private async Task CreateAsync(JsonObject slice, CancellationToken ct)
    {
        try
        {
            await client.CreateAsync(Kinds.EndpointSlice, slice.Namespace(), slice, ct);
        }
        catch (KubernetesException late) when (late.IsAlreadyExists)
        {
            // The cache had not seen our own slice yet; with its version this is an update.
            var old = await client.GetAsync(Kinds.EndpointSlice, slice.Namespace(), slice.Name(), ct);
            slice["metadata"]!["resourceVersion"] = old.ResourceVersion();
            await client.UpdateAsync(Kinds.EndpointSlice, slice.Namespace(), slice, ct);
        }
    }

    private async Task RemoveAsync(JsonObject slice, CancellationToken ct)
    {
        try
        {
            await client.DeleteAsync(Kinds.EndpointSlice, slice.Namespace(), slice.Name(), ct);
        }
        catch (KubernetesException gone) when (gone.IsNotFound)
        {
            // Gone with its service.
        }
    }

    private static JsonArray PortsFor(List<JsonObject> ports, JsonObject pod)
    {
        var resolved = new JsonArray();
        foreach (var port in ports)
        {
            if (Resolve(port, pod) is not { } number)
            {
                continue;
            }

            var entry = new JsonObject
            {
                ["name"] = port.Text("name") ?? "",
                ["port"] = number,
                ["protocol"] = port.Text("protocol") ?? "TCP",
            };
            if (port.Text("appProtocol") is { } application)
            {
                entry["appProtocol"] = application;
            }

            resolved.Add((JsonNode)entry);
        }

        return resolved;
    }

    private static long? Resolve(JsonObject port, JsonObject pod)
    {
        var target = port.Find("targetPort");
        if (target is null || port.Number("targetPort") == 0)
        {
            return port.Number("port");
        }

        if (port.Number("targetPort") is { } number)
        {
            return number;
        }

        var name = target.ToString();
        var protocol = port.Text("protocol") ?? "TCP";
        foreach (var container in pod.Objects("spec", "containers").Concat(pod.Objects("spec", "initContainers")))
        {
            foreach (var declared in container.Objects("ports"))
            {
                if (declared.Text("name") == name && (declared.Text("protocol") ?? "TCP") == protocol)
                {
                    return declared.Number("containerPort");
                }
            }
        }

        return long.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var written) ? written : null;
    }

    private static JsonObject SliceFor(JsonObject service, JsonArray ports, IEnumerable<JsonObject> pods, string family)
    {
        var labels = (service.Find("metadata", "labels") as JsonObject)?.DeepClone().AsObject() ?? [];
        labels[ServiceLabel] = service.Name();
        labels[ManagedByLabel] = Component;
        if (service.Text("spec", "clusterIP") == "None")
        {
            labels["service.kubernetes.io/headless"] = "";
        }

        var early = service.Flag("spec", "publishNotReadyAddresses") == true;
        return new JsonObject
        {
            ["apiVersion"] = Kinds.EndpointSlice.ApiVersion,
            ["kind"] = "EndpointSlice",
            ["metadata"] = new JsonObject
            {
                ["name"] = $"{service.Name()}-{SafeNames.Hash(ports, family == "IPv6" ? 6 : 0)[..SafeNames.SuffixCharacters]}",
                ["generateName"] = service.Name() + "-",
                ["namespace"] = service.Namespace(),
                ["labels"] = labels,
                ["ownerReferences"] = new JsonArray(Owners.Reference(service, Kinds.Service)),
            },
            ["addressType"] = family,
            ["endpoints"] = new JsonArray([.. pods.Select(pod => EndpointFor(pod, AddressOf(pod, family)!, service.Name(), early))]),
            ["ports"] = ports,
        };
    }

    private static JsonObject EndpointFor(JsonObject pod, string address, string service, bool early)
    {
        var ready = PodState.IsReady(pod);
        var ending = Owners.IsBeingDeleted(pod);
        var endpoint = new JsonObject
        {
            ["addresses"] = new JsonArray(address),
            ["conditions"] = new JsonObject { ["ready"] = early || (ready && !ending), ["serving"] = ready, ["terminating"] = ending },
            ["nodeName"] = pod.Text("spec", "nodeName"),
            ["targetRef"] = new JsonObject
            {
                ["kind"] = "Pod",
                ["name"] = pod.Name(),
                ["namespace"] = pod.Namespace(),
                ["uid"] = pod.Uid(),
            },
        };
        if (pod.Text("spec", "hostname") is { } host && pod.Text("spec", "subdomain") == service)
        {
            endpoint["hostname"] = host;
        }

        return endpoint;
    }

    private static string ContentOf(JsonObject slice) =>
        SafeNames.Canonical(slice.Find("endpoints")) + SafeNames.Canonical(slice.Find("ports")) + SafeNames.Canonical(slice.Find("metadata", "labels"));
}
