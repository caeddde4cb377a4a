// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Weft.Kubernetes;
using Weft.Local.Machines;
using Weft.Local.Network;

namespace Weft.Local.Controllers;

/// <summary>Keeps the Node object of a node of this machine: there, ready, labelled, and with a recent heartbeat.</summary>
internal sealed class NodeRegistration(KubernetesClient client, TimeProvider clock, NodePlace place)
{
    private const string ZoneLabel = "topology.kubernetes.io/zone";
    private const string RegionLabel = "topology.kubernetes.io/region";
    private const int MaxPods = 250;

    /// <summary>Makes the node if it is not there, and says that it is ready.</summary>
    public async Task TellReadyAsync(CancellationToken ct)
    {
        var node = await GetOrCreateAsync(ct);
        if (place.Joined && node.Text("spec", "podCIDR") is { } range && range != place.PodRange)
        {
            throw new KubernetesException($"node {place.Name} was given the addresses {range} while it runs with {place.PodRange}; stop this machine and start it again");
        }

        var missing = TopologyLabels().Where(label => node.Label(label.Key) != label.Value?.ToString()).ToList();
        if (missing.Count > 0 && !place.Joined)
        {
            var labels = new JsonObject(missing.Select(label => KeyValuePair.Create(label.Key, label.Value?.DeepClone())));
            await client.PatchAsync(Kinds.Node, null, place.Name, new JsonObject { ["metadata"] = new JsonObject { ["labels"] = labels } }, ct);
        }

        await client.PatchStatusAsync(Kinds.Node, null, place.Name, new JsonObject { ["status"] = Status(node, clock.GetUtcNow()) }, ct);
    }

    /// <summary>Says that nobody has heard of the node: as a cluster does when a machine is silent.</summary>
    public async Task TellSilentAsync(CancellationToken ct)
    {
        var node = await GetOrCreateAsync(ct);
        var present = Conditions.Find(node, "Ready");
        var silent = Conditions.Next(present, "Ready", false, "NodeStatusUnknown", "Kubelet stopped posting node status.", clock.GetUtcNow(), hasUpdateTime: false);
        silent["status"] = "Unknown";
        silent["lastHeartbeatTime"] = present?.Text("lastHeartbeatTime");
        await client.PatchStatusAsync(
            Kinds.Node, null, place.Name, new JsonObject { ["status"] = new JsonObject { ["conditions"] = new JsonArray(silent) } }, ct);
    }

    /// <summary>The Node object, made if it is not there.</summary>
    public async Task<JsonObject> GetOrCreateAsync(CancellationToken ct)
    {
        try
        {
            return await client.GetAsync(Kinds.Node, null, place.Name, ct);
        }
        catch (KubernetesException missing) when (missing.IsNotFound)
        {
            try
            {
                return await client.CreateAsync(Kinds.Node, null, Describe(), ct);
            }
            catch (KubernetesException late) when (late.IsAlreadyExists)
            {
                return await client.GetAsync(Kinds.Node, null, place.Name, ct);
            }
        }
    }

    private JsonObject TopologyLabels()
    {
        var labels = new JsonObject();
        if (place.ZoneName is { } zone)
        {
            labels[ZoneLabel] = zone;
        }

        if (place.Region is { } region)
        {
            labels[RegionLabel] = region;
        }

        return labels;
    }

    private JsonObject Describe()
    {
        var labels = TopologyLabels();
        labels["kubernetes.io/hostname"] = place.Name;
        labels["kubernetes.io/os"] = "linux";
        labels["kubernetes.io/arch"] = Architecture();
        if (place is { Number: 0, Joined: false })
        {
            labels["node-role.kubernetes.io/control-plane"] = "";
        }

        return new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Node",
            ["metadata"] = new JsonObject { ["name"] = place.Name, ["labels"] = labels },

            // A machine that joins is given its addresses.
            ["spec"] = place.Joined ? new JsonObject() : new JsonObject { ["podCIDR"] = place.PodRange, ["podCIDRs"] = new JsonArray([.. place.PodRanges.Select(range => (JsonNode)range)]) },
        };
    }

    private JsonObject Status(JsonObject node, DateTimeOffset now)
    {
        var present = Conditions.Find(node, "Ready");
        var ready = Conditions.Next(present, "Ready", true, "KubeletReady", "weft node is posting ready status", now, hasUpdateTime: false);
        ready["lastHeartbeatTime"] = Conditions.Time(now);
        var capacity = new JsonObject
        {
            ["cpu"] = Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture),
            ["memory"] = $"{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1024}Ki",
            ["pods"] = MaxPods.ToString(CultureInfo.InvariantCulture),
        };
        var machine = Line("/etc/machine-id");
        var status = new JsonObject
        {
            ["addresses"] = new JsonArray(
            [
                .. place.Addresses.Select(address => new JsonObject { ["type"] = "InternalIP", ["address"] = address }),
                new JsonObject { ["type"] = "Hostname", ["address"] = place.Name },
            ]),
            ["capacity"] = capacity,
            ["allocatable"] = capacity.DeepClone(),
            ["conditions"] = new JsonArray(ready),
            ["nodeInfo"] = new JsonObject
            {
                ["architecture"] = Architecture(),
                ["bootID"] = Line("/proc/sys/kernel/random/boot_id"),
                ["containerRuntimeVersion"] = "weft://0.1.0",
                ["kernelVersion"] = Line("/proc/sys/kernel/osrelease"),
                ["kubeProxyVersion"] = "",
                ["kubeletVersion"] = "v1.32.3+weft",
                ["machineID"] = machine,
                ["operatingSystem"] = "linux",
                ["osImage"] = RuntimeInformation.OSDescription,
                ["systemUUID"] = machine,
            },
        };
        if (place.Joined)
        {
            status["daemonEndpoints"] = new JsonObject { ["kubeletEndpoint"] = new JsonObject { ["Port"] = Machine.AgentPort } };
        }

        return status;
    }

    /// <summary>What the machine says of itself in a file of one line; nothing where it has no such file.</summary>
    private static string Line(string path) => File.Exists(path) ? File.ReadAllText(path).Trim() : "";

    private static string Architecture() => RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? "arm64" : "amd64";
}
