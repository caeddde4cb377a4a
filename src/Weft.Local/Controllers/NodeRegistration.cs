// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers;

/// <summary>Keeps the Node object of this machine: there, ready, and with a recent heartbeat.</summary>
internal sealed class NodeRegistration(KubernetesClient client, TimeProvider clock)
{
    public const string NodeName = "weft";
    private const string Address = "10.244.0.1";
    private const int MaxPods = 250;

    private static readonly TimeSpan _heartbeat = TimeSpan.FromMinutes(5);

    public async Task<TimeSpan?> TurnAsync(ObjectKey key, CancellationToken ct)
    {
        JsonObject node;
        try
        {
            node = await client.GetAsync(Kinds.Node, null, NodeName, ct);
        }
        catch (KubernetesException missing) when (missing.IsNotFound)
        {
            node = await client.CreateAsync(Kinds.Node, null, Describe(), ct);
        }

        await client.PatchStatusAsync(Kinds.Node, null, NodeName, new JsonObject { ["status"] = Status(node, clock.GetUtcNow()) }, ct);
        return _heartbeat;
    }

    private static JsonObject Describe() => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "Node",
        ["metadata"] = new JsonObject
        {
            ["name"] = NodeName,
            ["labels"] = new JsonObject
            {
                ["kubernetes.io/hostname"] = NodeName,
                ["kubernetes.io/os"] = "linux",
                ["kubernetes.io/arch"] = Architecture(),
                ["node-role.kubernetes.io/control-plane"] = "",
            },
        },
        ["spec"] = new JsonObject { ["podCIDR"] = "10.244.0.0/16", ["podCIDRs"] = new JsonArray("10.244.0.0/16") },
    };

    private static JsonObject Status(JsonObject node, DateTimeOffset now)
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
        return new JsonObject
        {
            ["addresses"] = new JsonArray(
                new JsonObject { ["type"] = "InternalIP", ["address"] = Address },
                new JsonObject { ["type"] = "Hostname", ["address"] = NodeName }),
            ["capacity"] = capacity,
            ["allocatable"] = capacity.DeepClone(),
            ["conditions"] = new JsonArray(ready),
            ["nodeInfo"] = new JsonObject
            {
                ["architecture"] = Architecture(),
                ["bootID"] = "",
                ["containerRuntimeVersion"] = "weft://0.1.0",
                ["kernelVersion"] = Environment.OSVersion.Version.ToString(),
                ["kubeProxyVersion"] = "",
                ["kubeletVersion"] = "v1.32.3+weft",
                ["machineID"] = "",
                ["operatingSystem"] = "linux",
                ["osImage"] = RuntimeInformation.OSDescription,
                ["systemUUID"] = "",
            },
        };
    }

    private static string Architecture() => RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? "arm64" : "amd64";
}
