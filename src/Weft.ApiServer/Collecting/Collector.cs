// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging;
using Weft.ApiServer.Custom;
using Weft.ApiServer.Http;
using Weft.ApiServer.Storage;
using Weft.ApiServer.Verbs;

namespace Weft.ApiServer.Collecting;

/// <summary>
/// Finishes deletions in the background: dependents of what is gone, foreground and orphan finalizers, and the content of
/// namespaces that are being deleted.
/// </summary>
internal sealed partial class Collector(ApiServices services, Deletion deletion, ILogger logger)
{
    private static readonly TimeSpan _retry = TimeSpan.FromSeconds(5);

    /// <summary>Waiting a moment lets one sweep serve a burst of deletions.</summary>
    private static readonly TimeSpan _gather = TimeSpan.FromMilliseconds(10);

    private readonly OwnerKeeper _owners = new(services.Store, deletion);
    private readonly NamespaceEnd _namespaces = new(services, deletion);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            using var watch = services.Store.TryWatch(null, services.Store.Version);
            if (watch is null)
            {
                return;
            }

            await FollowAsync(watch, cancellationToken);
        }
    }

    /// <summary>Sweeps once now and then whenever something relevant happens, until the watch ends.</summary>
    private async Task FollowAsync(StoreWatch watch, CancellationToken cancellationToken)
    {
        var finished = TrySweep();
        while (true)
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            if (!finished)
            {
                patience.CancelAfter(_retry);
            }

            try
            {
                if (!await watch.WaitAsync(patience.Token))
                {
                    return;
                }
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                finished = TrySweep();
                continue;
            }

            if (Drain(watch))
            {
                await Task.Delay(_gather, services.Clock, cancellationToken);
                Drain(watch);
                finished = TrySweep();
            }
        }
    }

    private static bool Drain(StoreWatch watch)
    {
        var relevant = false;
        while (watch.TryRead(out var change))
        {
            relevant |= change.Type == ChangeType.Deleted || change.Object.Deleting
                || (change.Object.OwnerUids.Count > 0 && !change.Object.OwnerUids.SequenceEqual(change.Previous?.OwnerUids ?? [], StringComparer.Ordinal))
                || change.Object.Resource is CustomKinds.Resource;
        }

        return relevant;
    }

    private bool TrySweep()
    {
        try
        {
            Sweep();
            return true;
        }
        catch (ApiException problem)
        {
            LogSweepFailed(logger, problem.Message);
            return false;
        }
    }

    private void Sweep()
    {
        services.Kinds.Clean(deletion);
        var census = new Census(services.Catalog, services.Store.Everything());
        foreach (var (resource, items) in census.All)
        {
            foreach (var item in items)
            {
                _owners.Settle(resource, item, census);
            }
        }

        foreach (var ns in services.Store.Snapshot("namespaces").Objects.Values)
        {
            if (ns.Deleting)
            {
                _namespaces.Run(ns, census);
            }
            else
            {
                services.Namespaces.Furnish(ns.Key.Name);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "A sweep of deletions starts again: {Why}")]
    private static partial void LogSweepFailed(ILogger logger, string why);
}
