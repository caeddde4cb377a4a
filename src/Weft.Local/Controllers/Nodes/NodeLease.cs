// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers.Nodes;

/// <summary>Renews the lease that says that a node is alive.</summary>
internal sealed class NodeLease(KubernetesClient client, TimeProvider clock)
{
    private const int LeaseSeconds = 40;

    public static readonly TimeSpan Period = TimeSpan.FromSeconds(10);

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
            ["spec"] = new JsonObject { ["holderIdentity"] = node, ["leaseDurationSeconds"] = LeaseSeconds, ["renewTime"] = now },
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
