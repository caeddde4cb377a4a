// SPDX-License-Identifier: Apache-2.0

using Weft.Kubernetes;
using Weft.Local.Capture;
using Weft.Local.Network;
using Weft.Local.Processes;

namespace Weft.Local.Agent;

/// <summary>What a node gives its pods.</summary>
internal sealed record PodScene(
    KubernetesClient Client, LocalNodeOptions Options, NodePlace Node, AddressPool Addresses, ITrafficCapture Capture)
{
    /// <summary>How often scratch folders with a limit are measured.</summary>
    public static readonly TimeSpan LimitLook = TimeSpan.FromSeconds(10);

    /// <summary>How long a pod that is to end waits until nobody sends to it any more.</summary>
    private static readonly TimeSpan _servedPatience = TimeSpan.FromSeconds(1);

    /// <summary>And how long the news takes from the API to routers and proxies.</summary>
    private static readonly TimeSpan _spread = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan _look = TimeSpan.FromMilliseconds(20);

    public required ResourceGroups Groups { get; init; }

    /// <summary>Who is served by which pod.</summary>
    public required Informer Slices { get; init; }

    /// <summary>False when the node has one user id only (started by an ordinary user).</summary>
    public bool HasManyUsers { get; } = UserMap.HasManyUsers();

    /// <summary>Completes when no service leads to any of the addresses, or when that takes too long: a pod is asked to end after its last new caller.</summary>
    public async Task WhenNotServedAsync(string ns, IReadOnlyList<string> addresses, CancellationToken hurry)
    {
        if (!IsServed(ns, addresses))
        {
            return;
        }

        var began = Options.Time.GetTimestamp();
        try
        {
            while (IsServed(ns, addresses) && Options.Time.GetElapsedTime(began) < _servedPatience)
            {
                await Task.Delay(_look, Options.Time, hurry);
            }

            await Task.Delay(_spread, Options.Time, hurry);
        }
        catch (OperationCanceledException)
        {
            // It is to end at once.
        }
    }

    private bool IsServed(string ns, IReadOnlyList<string> addresses) => Slices.Items.Any(slice => slice.Namespace() == ns
        && slice.Objects("endpoints").Any(e => e.Texts("addresses").Any(addresses.Contains) && e.Flag("conditions", "ready") != false));
}
