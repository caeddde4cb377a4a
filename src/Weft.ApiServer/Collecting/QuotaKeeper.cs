// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Admission;
using Weft.ApiServer.Storage;

namespace Weft.ApiServer.Collecting;

/// <summary>Keeps the status of resource quotas true.</summary>
internal sealed class QuotaKeeper(ObjectStore store, TimeProvider clock)
{
    /// <summary>Waiting a moment lets one count serve a burst of changes.</summary>
    private static readonly TimeSpan _gather = TimeSpan.FromMilliseconds(50);

    private readonly Quotas _quotas = new(store);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            using var watch = store.TryWatch(null, store.Version);
            if (watch is null)
            {
                return;
            }

            Count();
            while (await watch.WaitAsync(cancellationToken))
            {
                if (store.Snapshot(Quotas.Resource).Objects.Count > 0)
                {
                    await Task.Delay(_gather, clock, cancellationToken);
                }

                while (watch.TryRead(out _))
                {
                    // One count sees every change.
                }

                Count();
            }
        }
    }

    private void Count()
    {
        foreach (var item in store.Snapshot(Quotas.Resource).Objects.Values.Where(item => !item.Deleting))
        {
            var tree = item.Parse();
            var status = _quotas.Status(item.Key.Namespace, tree);
            if (!JsonNode.DeepEquals(tree["status"], status))
            {
                tree["status"] = status;

                // Whoever was faster causes another count.
                store.TryReplace(Quotas.Resource, tree, item.Version);
            }
        }
    }
}
