// SPDX-License-Identifier: Apache-2.0

using System.Net;
using Weft.Model;
using Weft.Model.Plan;

namespace Weft.Proxy.Names;

/// <summary>
/// Keeps the addresses of the names that the plan's clusters have for endpoints: each name is asked again when its time is over, and
/// <paramref name="changed"/> is called after any of them has other addresses than before.
/// </summary>
internal sealed class NameWatch(NameResolver resolver, TimeProvider clock, Action changed) : IDisposable
{
    /// <summary>Names of all clusters; further ones have no addresses.</summary>
    internal const int MaxNames = 10_000;

    private const int MaxAtOnce = 16;

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan _gathering = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan _soonest = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Watched> _names = new(StringComparer.OrdinalIgnoreCase);
    private readonly SemaphoreSlim _asking = new(MaxAtOnce);
    private readonly CancellationTokenSource _stop = new();
    private long _version;
    private long _used;
    private bool _telling;

    internal int Count
    {
        get
        {
            lock (_gate)
            {
                return _names.Count;
            }
        }
    }

    /// <summary>Begins to ask for the names that a plan has, and waits a little for those that are new: a plan is of no use without them.</summary>
    internal void Follow(ProxyPlan plan)
    {
        var first = new List<Watched>();
        lock (_gate)
        {
            foreach (var cluster in plan.Clusters)
            {
                foreach (var name in NamesOf(cluster))
                {
                    if (!_names.TryGetValue(name, out var watched) && _names.Count < MaxNames)
                    {
                        _names.Add(name, watched = new Watched(name, CancellationTokenSource.CreateLinkedTokenSource(_stop.Token)));
                        watched.RefreshMs = cluster.DnsRefreshMs;
                        _ = Task.Run(() => WatchAsync(watched));
                        first.Add(watched);
                    }
                }
            }
        }

        var until = clock.GetUtcNow() + _patience;
        foreach (var watched in first)
        {
            var left = until - clock.GetUtcNow();
            watched.Asked.Wait(left > TimeSpan.Zero ? left : TimeSpan.Zero);
        }
    }

    /// <summary>Asks no more for names that the plan, which is in force now, has not.</summary>
    internal void Keep(ProxyPlan plan)
    {
        lock (_gate)
        {
            if (_names.Count == 0)
            {
                return;
            }

            var wanted = plan.Clusters.SelectMany(NamesOf).ToHashSet(StringComparer.OrdinalIgnoreCase);
            foreach (var name in _names.Keys.Where(name => !wanted.Contains(name)).ToArray())
            {
                _names.Remove(name, out var gone);
                gone!.Stop.Cancel();
            }
        }
    }

    /// <summary>The endpoints of a cluster that asks DNS, as far as they are known.</summary>
    internal EquatableArray<EndpointPlan> EndpointsOf(ClusterPlan cluster)
    {
        lock (_gate)
        {
            _used = _version;
            return cluster.StaticEndpoints.SelectMany(endpoint => AddressesOf(endpoint.Address, cluster.Kind)
                .Select(address => endpoint with { Address = address })).ToEquatableArray();
        }
    }

    public void Dispose()
    {
        _stop.Cancel();
        _asking.Dispose();
    }

    private static IEnumerable<string> NamesOf(ClusterPlan cluster) => cluster.Kind is ClusterKind.Dns or ClusterKind.DnsRoundRobin
        ? cluster.StaticEndpoints.Select(endpoint => endpoint.Address).Where(address => !IPAddress.TryParse(address, out _))
        : [];

    private IEnumerable<string> AddressesOf(string address, ClusterKind kind)
    {
        if (IPAddress.TryParse(address, out _))
        {
            return [address];
        }

        var known = _names.TryGetValue(address, out var watched) ? watched.Addresses : [];
        return kind == ClusterKind.DnsRoundRobin ? known.Take(1) : known;
    }

    private async Task WatchAsync(Watched watched)
    {
        var failures = 0;
        try
        {
            while (true)
            {
                await _asking.WaitAsync(watched.Stop.Token);
                NameAnswer? answer;
                try
                {
                    answer = await resolver.AskAsync(watched.Name, watched.Stop.Token);
                }
                finally
                {
                    _asking.Release();
                }

                failures = answer is null ? failures + 1 : 0;
                Note(watched, answer);
                await Task.Delay(PauseFor(watched, answer, failures), clock, watched.Stop.Token);
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or ObjectDisposedException)
        {
            // Nobody wants the name any more.
            watched.Asked.Set();
        }
    }

    private static TimeSpan PauseFor(Watched watched, NameAnswer? answer, int failures)
    {
        var usual = TimeSpan.FromMilliseconds(watched.RefreshMs);
        if (answer is { TtlMs: > 0 })
        {
            var said = TimeSpan.FromMilliseconds(answer.TtlMs);
            return said < _soonest ? _soonest : said;
        }

        // A failure is looked into soon at first; what is not there may be about to come.
        var soon = _soonest * (1 << Math.Min(failures, 16));
        return answer is { Addresses.Length: > 0 } || soon > usual ? (usual < _soonest ? _soonest : usual) : soon;
    }

    private void Note(Watched watched, NameAnswer? answer)
    {
        lock (_gate)
        {
            // Without an answer the last one stays.
            if (answer is not null && !answer.Addresses.AsSpan().SequenceEqual(watched.Addresses))
            {
                watched.Addresses = answer.Addresses;
                _version++;
                if (!_telling)
                {
                    _telling = true;
                    _ = TellAsync();
                }
            }
        }

        watched.Asked.Set();
    }

    /// <summary>Changes that come together are told together, and not at all to who has taken them already.</summary>
    private async Task TellAsync()
    {
        await Task.Delay(_gathering, clock);
        lock (_gate)
        {
            _telling = false;
            if (_used == _version || _stop.IsCancellationRequested)
            {
                return;
            }
        }

        changed();
    }

    private sealed class Watched(string name, CancellationTokenSource stop)
    {
        internal string Name => name;

        internal CancellationTokenSource Stop => stop;

        /// <summary>Set after the first time.</summary>
        internal ManualResetEventSlim Asked { get; } = new();

        internal string[] Addresses { get; set; } = [];

        internal int RefreshMs { get; set; }
    }
}
