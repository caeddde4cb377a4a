// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging;
using Weft.Kubernetes;
using Weft.Local.Controllers;
using Weft.Local.Network;

namespace Weft.Local.Machines;

/// <summary>Makes a machine that joined a node of the mesh.</summary>
public static partial class Enrolment
{
    private static readonly TimeSpan _retry = TimeSpan.FromMilliseconds(500);

    /// <summary>Registers the node and waits until it has been given addresses for its pods, however long the API server is away.</summary>
    public static async Task<NodePlace> RunAsync(KubernetesClient client, Machine machine, TimeProvider clock, ILogger log, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(machine);
        var registration = new NodeRegistration(client, clock, new NodePlace(machine.Node, 0, machine.Zone) { Joined = true });
        var last = "";
        while (true)
        {
            try
            {
                var node = await registration.GetOrCreateAsync(ct);
                if (node.Text("spec", "podCIDR") is { } range)
                {
                    return NodePlace.Of(machine.Node, range, machine.Zone) with { Joined = true, HasVersion6 = node.Texts("spec", "podCIDRs").Any(IpWords.IsSix) };
                }
            }
            catch (Exception e) when (e is KubernetesException or HttpRequestException or TimeoutException or IOException)
            {
                if (e.Message != last)
                {
                    LogWaiting(log, machine.Server, e.Message);
                }

                last = e.Message;
            }

            await Task.Delay(_retry, clock, ct);
        }
    }

    [LoggerMessage(5620, LogLevel.Warning, "The API server at {Server} cannot be reached yet: {Reason}")]
    private static partial void LogWaiting(ILogger log, Uri server, string reason);
}
