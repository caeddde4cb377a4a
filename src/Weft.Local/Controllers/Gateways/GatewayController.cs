// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;
using Weft.Model.World;

namespace Weft.Local.Controllers.Gateways;

/// <summary>
/// Starts Istio's ingress or egress gateway when a Gateway selects it and nobody has brought one: examples take both for granted, and
/// an empty mesh need not carry them. What has been started stays, as in a cluster where both are installed.
/// </summary>
internal sealed class GatewayController(KubernetesClient client, Mirror gateways, IReadOnlyList<Mirror> workloads, EventLog events, TimeProvider clock)
{
    /// <summary>Whoever applies a folder with a gateway of their own has applied that, too, by then.</summary>
    private static readonly TimeSpan _grace = TimeSpan.FromSeconds(1);

    public async Task<TimeSpan?> TurnAsync(ObjectKey key, CancellationToken ct)
    {
        if (gateways.Find(key) is not { } gateway || Owners.IsBeingDeleted(gateway) || Meant(gateway) is not { } meant || IsServed(gateway))
        {
            return null;
        }

        // Times of creation are whole seconds, so this is one to two of them.
        var wait = gateway.CreatedAt() + _grace + _grace - clock.GetUtcNow();
        if (wait > TimeSpan.Zero)
        {
            return wait < _grace ? wait : _grace;
        }

        await StartAsync(gateway, meant, ct);
        return null;
    }

    /// <summary>The standard gateway that an object of kind Gateway selects.</summary>
    private static StandardGateway? Meant(JsonObject gateway) =>
        StandardGateway.SelectedBy(new LabelSelector([.. gateway.TextMap("spec", "selector").Select(label => new Label(label.Key, label.Value))]));

    /// <summary>True if a pod has the labels, or will have them as soon as its workload has made it.</summary>
    private bool IsServed(JsonObject gateway)
    {
        var selector = Selector.FromMap(gateway.Find("spec", "selector"));
        return workloads.Any(kind => kind.All.Exists(item =>
            !Owners.IsBeingDeleted(item) && selector.Matches(item.Find("spec", "template") as JsonObject ?? item)));
    }

    private async Task StartAsync(JsonObject gateway, StandardGateway meant, CancellationToken ct)
    {
        var isMade = false;
        foreach (var (kind, body) in GatewayObjects.Of(meant))
        {
            try
            {
                await client.CreateAsync(kind, StandardGateway.Namespace, body, ct);
                isMade = true;
            }
            catch (KubernetesException present) when (present.IsAlreadyExists)
            {
                // It is as its user made it, or left from before.
                isMade = false;
            }
        }

        var selector = string.Join(',', gateway.TextMap("spec", "selector").Select(label => $"{label.Key}={label.Value}"));
        var name = $"{StandardGateway.Namespace}/{meant.Name}";

        // The Deployment comes last: the pods are what was missing.
        await (isMade
            ? events.TellAsync(gateway, "Normal", "GatewayStarted", $"Started {name}, since no pod had the labels {selector}", ct)
            : events.TellAsync(gateway, "Warning", "GatewayNotStarted", $"No pod has the labels {selector}, and Deployment {name} is there with others: delete it, or label its pods", ct));
    }
}
