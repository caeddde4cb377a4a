// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Text.Json.Nodes;
using Weft.Kubernetes;
using Weft.Local.Network;

namespace Weft.Local.Agent;

/// <summary>A pod, as far as the node looks at it.</summary>
internal sealed class PodSpec(JsonObject source, NodePlace? node = null)
{
    private readonly NodePlace _node = node ?? new NodePlace(NodePlace.FirstName, 0);

    /// <summary>Longer host names than this are cut, as the kernel would refuse them.</summary>
    private const int MaxHostNameLength = 63;

    public JsonObject Source { get; } = source;

    public string Name { get; } = source.Name();

    public string Namespace { get; } = source.Namespace();

    public string Uid { get; } = source.Uid();

    public string NodeName { get; } = source.Text("spec", "nodeName") ?? "";

    /// <summary>The address of the node that runs it.</summary>
    public string HostAddress => _node.Address.ToString();

    /// <summary>The first family first.</summary>
    public IReadOnlyList<string> HostAddresses => _node.Addresses;

    public string Phase { get; } = source.Text("status", "phase") ?? "";

    public string ServiceAccount { get; } = source.Text("spec", "serviceAccountName") is { Length: > 0 } name ? name : "default";

    public string RestartPolicy { get; } = source.Text("spec", "restartPolicy") ?? "Always";

    /// <summary>All addresses of the pod that has this one, which is the first.</summary>
    public IReadOnlyList<string> AddressesOf(string address) =>
        IPAddress.TryParse(address, out var four) && _node.Pair(four) is { } six ? [address, six.ToString()] : [address];

    public bool IsDeleting { get; } = source.Text("metadata", "deletionTimestamp") is not null;

    public IReadOnlyList<ContainerSpec> InitContainers { get; } =
        [.. source.Objects("spec", "initContainers").Select(c => new ContainerSpec(c))];

    public IReadOnlyList<ContainerSpec> Containers { get; } =
        [.. source.Objects("spec", "containers").Select(c => new ContainerSpec(c))];

    /// <summary>Containers added for debugging while it runs.</summary>
    public IReadOnlyList<ContainerSpec> EphemeralContainers { get; } =
        [.. source.Objects("spec", "ephemeralContainers").Select(c => new ContainerSpec(c))];

    /// <summary>True if it has a proxy.</summary>
    public bool IsMeshed => Containers.Any(c => c.IsProxy);

    /// <summary>True if it is nothing but a proxy at the mesh's edge: nothing of it is captured.</summary>
    public bool IsGateway => IsMeshed && Source.Annotation("inject.istio.io/templates")?.Split(',').Contains("gateway", StringComparer.Ordinal) == true;

    /// <summary>True if its containers see each other's processes.</summary>
    public bool SharesProcesses { get; } = source.Flag("spec", "shareProcessNamespace") == true;

    /// <summary>True if its containers see the node's processes.</summary>
    public bool SharesNodeProcesses { get; } = source.Flag("spec", "hostPID") == true;

    /// <summary>True if its containers use the node's shared memory, semaphores and message queues.</summary>
    public bool SharesNodeMemory { get; } = source.Flag("spec", "hostIPC") == true;

    /// <summary>How long its processes have between being asked to end and being killed.</summary>
    public TimeSpan Grace => TimeSpan.FromSeconds(Math.Max(
        0, Source.Number("metadata", "deletionGracePeriodSeconds") ?? Source.Number("spec", "terminationGracePeriodSeconds") ?? 30));

    public string HostName
    {
        get
        {
            var name = Source.Text("spec", "hostname") is { Length: > 0 } wanted ? wanted : Name;
            return name.Length <= MaxHostNameLength ? name : name[..MaxHostNameLength].TrimEnd('-', '.');
        }
    }

    public override string ToString() => $"{Namespace}/{Name}";
}
