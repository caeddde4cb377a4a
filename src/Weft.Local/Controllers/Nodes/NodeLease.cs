// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers.Nodes;

/// <summary>Renews the lease that says that a node is alive.</summary>
/// <param name="joined">A machine of its own may really vanish: its lease is a short one. Silence of this very machine has other reasons.</param>
internal sealed class NodeLease(KubernetesClient client, TimeProvider clock, bool joined)
{
    private const int LeaseSeconds = 40;
    private const int JoinedSeconds = 12;

    public static readonly TimeSpan JoinedPeriod = TimeSpan.FromSeconds(3);

    public TimeSpan Period { get; } = joined ? JoinedPeriod : TimeSpan.FromSeconds(10);

    public async Task RenewAsync(string node, CancellationToken ct)
    {
        var now = clock.GetUtcNow().UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture);
        try
        {
            await client.PatchAsync(Kinds.Lease, NodeLifecycle.LeaseNamespace, node, new JsonObject { ["spec"] = new JsonObject { ["renewTime"] = now } }, ct);
        }
        catch (KubernetesException missing) when (missing.IsNotFound)
        {
            await CreateAsync(node, now, ct);
        }
    }

    private async Task CreateAsync(string node, string now, CancellationToken ct)
    {
        var lease = new JsonObject
        {
            ["apiVersion"] = Kinds.Lease.ApiVersion,
            ["kind"] = "Lease",
            ["metadata"] = new JsonObject { ["name"] = node, ["namespace"] = NodeLifecycle.LeaseNamespace },
            ["spec"] = new JsonObject { ["holderIdentity"] = node, ["leaseDurationSeconds"] = joined ? JoinedSeconds : LeaseSeconds, ["renewTime"] = now },
        };
        try
        {
            await client.CreateAsync(Kinds.Lease, NodeLifecycle.LeaseNamespace, lease, ct);
        }
        catch (KubernetesException missing) when (missing.IsNotFound)
        {
            var ns = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Namespace", ["metadata"] = new JsonObject { ["name"] = NodeLifecycle.LeaseNamespace } };
            await client.CreateAsync(Kinds.Namespace, null, ns, ct);
            await client.CreateAsync(Kinds.Lease, NodeLifecycle.LeaseNamespace, lease, ct);
        }
    }
}
