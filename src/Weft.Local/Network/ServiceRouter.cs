// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging;
using Weft.Kubernetes;
using Weft.Local.Processes;

namespace Weft.Local.Network;

/// <summary>Keeps the node's NAT equal to what Services and EndpointSlices say.</summary>
internal sealed partial class ServiceRouter(Informer services, Informer slices, IReadOnlyList<NodePlace> nodes, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan _gather = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan _retry = TimeSpan.FromSeconds(1);

    private readonly IpWords[] _families = nodes[0].HasVersion6 ? [IpWords.Four, IpWords.Six] : [IpWords.Four];
    private IReadOnlyList<ServiceTarget> _applied = [];

    /// <summary>Runs until cancelled; <paramref name="changes"/> is completed whenever something may have changed.</summary>
    public async Task RunAsync(Signal changes, CancellationToken ct)
    {
        await RunOnce.RunAsync("nft", ["-f", "-"], string.Concat(_families.Select(ServiceRules.Foundation)), ct);
        _applied = [];
        await services.WhenSyncedAsync(ct);
        await slices.WhenSyncedAsync(ct);
        while (!ct.IsCancellationRequested)
        {
            if (!await TryApplyAsync(ct))
            {
                await Task.Delay(_retry, time, ct);
                continue;
            }

            await changes.WaitAsync(ct);

            // A rollout changes many slices at once; one transaction takes them all.
            await Task.Delay(_gather, time, ct);
        }
    }

    private async Task<bool> TryApplyAsync(CancellationToken ct)
    {
        var wanted = ServiceTable.Compile(services.Items, slices.Items, nodes);
        var script = string.Concat(_families.Select(family => ServiceRules.Update(family, _applied, wanted)));
        if (script.Length == 0)
        {
            return true;
        }

        var result = await RunOnce.TryAsync("nft", ["-f", "-"], script, ct);
        if (result.ExitCode != 0)
        {
            LogRefused(log, result.Errors.Trim());
            return false;
        }

        _applied = wanted;
        return true;
    }

    [LoggerMessage(5201, LogLevel.Error, "The rules of service addresses were refused by nft: {Reason}")]
    private static partial void LogRefused(ILogger log, string reason);
}
