// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Plan;
using Weft.Proxy.Io;

namespace Weft.Proxy.Balancing;

/// <summary>
/// The endpoints of one cluster on one loop, and the choice among them: a priority by health, a locality by weight, an endpoint by the
/// cluster's balancer. Belongs to its loop: no locks. An endpoint that is out is not chosen but in panic, which the plan must allow; if
/// there is none, nothing is chosen (503, flag UH).
/// </summary>
internal sealed class EndpointSet(HealthTable health, int loop)
{
    /// <summary>How often a retry asks for another endpoint than the ones tried before it looks for itself; Envoy's number.</summary>
    public const int ReselectionAttempts = 5;

    private readonly Dictionary<IpEndpoint, EndpointState> _byAddress = [];
    private readonly Dictionary<int, KeptTable> _tables = [];
    private EndpointState[] _all = [];
    private PriorityLevel[] _levels = [];
    private int[] _usable = [];
    private int[] _counts = [];
    private int[] _shares = [];
    private bool[] _panic = [];
    private ClusterPlan? _plan;
    private int _seen;

    /// <summary>All endpoints of the newest plan, available or not.</summary>
    public ReadOnlySpan<EndpointState> All => _all;

    /// <summary>How often health was looked at anew; only changes of plan or health make it grow.</summary>
    internal int Refreshes { get; private set; }

    /// <summary>How often a hash table was laid out; only changes of endpoints or weights make it grow.</summary>
    internal int TableBuilds { get; private set; }

    /// <summary>Choices made among endpoints that are out, for want of others.</summary>
    internal long PanicPicks { get; private set; }

    /// <summary>
    /// Takes over what a plan says; the health table must know its endpoints. Endpoints that stay keep their state; those that are gone
    /// are forgotten once their requests end.
    /// </summary>
    public void Update(ClusterPlan plan, EquatableArray<EndpointPlan> endpoints, in PickRequest request)
    {
        var all = new List<EndpointState>(endpoints.Count);
        var seen = new HashSet<IpEndpoint>(endpoints.Count);
        foreach (var endpoint in endpoints)
        {
            if (!IpEndpoint.TryParse(endpoint.Address, endpoint.Port, out var address) || health.Find(address) is not { } known || !seen.Add(address))
            {
                continue;
            }

            if (_byAddress.TryGetValue(address, out var state) && ReferenceEquals(state.Health, known))
            {
                state.Plan = endpoint;
            }
            else
            {
                _byAddress[address] = state = new EndpointState(known, loop, endpoint, request.Now);
            }

            all.Add(state);
        }

        foreach (var old in _all)
        {
            if (!seen.Contains(old.Address))
            {
                _byAddress.Remove(old.Address);
            }
        }

        _all = [.. all];
        BuildLevels(plan);
        _plan = plan;
        Refresh(request);
    }

    internal EndpointState? Find(IpEndpoint address) => _byAddress.GetValueOrDefault(address);

    /// <summary>Chooses an endpoint; null if none is available. Allocates nothing while nobody's health changes.</summary>
    public EndpointState? Pick(in PickRequest request)
    {
        if (_seen != health.Version)
        {
            Refresh(request);
        }

        var level = LevelFor(request);
        if (level < 0)
        {
            return null;
        }

        if (_panic[level])
        {
            PanicPicks++;
        }

        return _levels[level].Pick(request);
    }

    private int LevelFor(in PickRequest request)
    {
        if (_levels.Length <= 1)
        {
            return _levels.Length - 1;
        }

        if (!request.LeftBehind.IsEmpty && NextLevel(request.LeftBehind) is >= 0 and var next)
        {
            return next;
        }

        var point = request.Hash is { } hash ? (int)(hash % 100) : request.Random.Next(100);
        for (var i = 0; i < _shares.Length; i++)
        {
            point -= _shares[i];
            if (point < 0)
            {
                return i;
            }
        }

        return 0;
    }

    /// <summary>The first level with usable endpoints that none of the addresses belongs to; -1 without one.</summary>
    private int NextLevel(ReadOnlySpan<IpEndpoint> leftBehind)
    {
        for (var i = 0; i < _levels.Length; i++)
        {
            var isLeft = _usable[i] == 0;
            foreach (var address in leftBehind)
            {
                isLeft |= _byAddress.TryGetValue(address, out var endpoint) && endpoint.Plan.Priority == _levels[i].Priority;
            }

            if (!isLeft)
            {
                return i;
            }
        }

        return -1;
    }

    private void BuildLevels(ClusterPlan plan)
    {
        if (_plan is null || _plan.Balancer != plan.Balancer || _plan.HashTable != plan.HashTable)
        {
            _tables.Clear();
        }

        var levels = new List<PriorityLevel>();
        foreach (var group in _all.GroupBy(endpoint => endpoint.Plan.Priority).OrderBy(group => group.Key))
        {
            EndpointState[] members = [.. group];
            levels.Add(new PriorityLevel(members, plan, TableOf(levels.Count, plan, members)));
        }

        _levels = [.. levels];
        _usable = new int[_levels.Length];
        _counts = new int[_levels.Length];
        _shares = new int[_levels.Length];
        _panic = new bool[_levels.Length];
    }

    private HashTable? TableOf(int level, ClusterPlan plan, EndpointState[] members)
    {
        if (_tables.TryGetValue(level, out var kept) || Balancers.TableFor(plan) is { } made && (kept = new KeptTable(made)) is not null)
        {
            var shares = PriorityLevel.SharesOf(members, plan.WeighsLocalities);
            if (!kept!.IsLaidOutFor(members, shares))
            {
                kept.LayOut(members, shares);
                TableBuilds++;
            }

            _tables[level] = kept;
            return kept.Table;
        }

        return null;
    }

    private void Refresh(in PickRequest request)
    {
        _seen = health.Version;
        Refreshes++;
        for (var i = 0; i < _levels.Length; i++)
        {
            _usable[i] = _levels[i].CountUsable();
            _counts[i] = _levels[i].Count;
        }

        PriorityShares.Reckon(_usable, _counts, _plan!.PanicPercent, _shares, _panic);
        for (var i = 0; i < _levels.Length; i++)
        {
            _levels[i].Refresh(_panic[i], request);
        }
    }

    /// <summary>A hash table and what it was laid out for.</summary>
    private sealed class KeptTable(HashTable table)
    {
        private EndpointState[] _members = [];
        private double[] _shares = [];

        internal HashTable Table => table;

        internal bool IsLaidOutFor(EndpointState[] members, double[] shares) =>
            members.AsSpan().SequenceEqual(_members) && shares.AsSpan().SequenceEqual(_shares);

        internal void LayOut(EndpointState[] members, double[] shares)
        {
            (_members, _shares) = (members, shares);
            table.Build(members, shares);
        }
    }
}
