// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Upstreams;

/// <summary>The clusters of a proxy by name, as its loops share them. Used by one thread at a time but for <see cref="All"/>.</summary>
internal sealed class SharedClusters(int loops, TimeProvider clock, Action<string>? tell)
{
    private readonly Dictionary<string, SharedCluster> _byName = [];
    private SharedCluster[] _all = [];

    internal int Loops => loops;

    internal TimeProvider Clock => clock;

    /// <summary>Told of what operators want to read in a log, such as an ejection; null for nobody.</summary>
    internal Action<string>? Tell => tell;

    /// <summary>A snapshot of those of the plan in force.</summary>
    internal SharedCluster[] All => Volatile.Read(ref _all);

    internal SharedCluster For(string name) => _byName.TryGetValue(name, out var known) ? known : new SharedCluster(name, this);

    /// <summary>Puts the clusters of a plan in force, before the loops take it over, and forgets the others.</summary>
    internal void Adopt(IReadOnlyDictionary<string, ClusterEntry> clusters)
    {
        _byName.Clear();
        foreach (var (name, entry) in clusters)
        {
            entry.Shared.Update(entry);
            _byName[name] = entry.Shared;
        }

        Volatile.Write(ref _all, [.. _byName.Values]);
    }
}
