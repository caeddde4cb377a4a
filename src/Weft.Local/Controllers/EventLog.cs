// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Weft.Kubernetes;

namespace Weft.Local.Controllers;

/// <summary>Tells what a controller did to an object, for <c>kubectl describe</c> and <c>kubectl get events</c>.</summary>
internal sealed partial class EventLog(KubernetesClient client, TimeProvider clock, Random random, ILogger log)
{
    /// <summary>An event that cannot be written is not worth failing for: the work it tells of is done.</summary>
    public async Task TellAsync(JsonObject about, ResourceKind kind, string component, string type, string reason, string message, CancellationToken ct)
    {
        var now = Conditions.Time(clock.GetUtcNow());
        var ns = about.Namespace().Length == 0 ? "default" : about.Namespace();
        var told = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Event",
            ["metadata"] = new JsonObject
            {
                ["name"] = string.Create(CultureInfo.InvariantCulture, $"{about.Name()}.{random.NextInt64():x16}"),
                ["namespace"] = ns,
            },
            ["involvedObject"] = new JsonObject
            {
                ["apiVersion"] = kind.ApiVersion,
                ["kind"] = kind.Kind,
                ["namespace"] = about.Namespace(),
                ["name"] = about.Name(),
                ["uid"] = about.Uid(),
                ["resourceVersion"] = about.ResourceVersion(),
            },
            ["type"] = type,
            ["reason"] = reason,
            ["message"] = message,
            ["source"] = new JsonObject { ["component"] = component },
            ["reportingComponent"] = component,
            ["reportingInstance"] = "",
            ["firstTimestamp"] = now,
            ["lastTimestamp"] = now,
            ["count"] = 1,
        };
        try
        {
            await client.CreateAsync(Kinds.Event, ns, told, ct);
        }
        catch (Exception failed) when (failed is KubernetesException or HttpRequestException or IOException or TimeoutException)
        {
            LogUntold(log, reason, about.Name(), failed.Message);
        }
    }

    [LoggerMessage(5104, LogLevel.Debug, "The event {Reason} of {Name} could not be written. {Message}")]
    private static partial void LogUntold(ILogger log, string reason, string name, string message);
}
