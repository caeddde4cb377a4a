// SPDX-License-Identifier: Apache-2.0

namespace Weft.Wire.Ads;

/// <summary>What one client follows of one type on one delta stream, what it has, and what it must still be told.</summary>
internal sealed class Subscription(string typeUrl)
{
    private const string Wildcard = "*";

    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _known = new(StringComparer.Ordinal);
    private bool _wildcard;

    public string TypeUrl { get; } = typeUrl;

    /// <summary>True once the client has sent a request of this type.</summary>
    public bool Active { get; private set; }

    /// <summary>Names whose state may differ from what the client has; a superset of what must be sent.</summary>
    public SortedSet<string> Dirty { get; } = new(StringComparer.Ordinal);

    /// <summary>Names just subscribed to: they are answered even if they do not exist or are known.</summary>
    public HashSet<string> Asked { get; } = new(StringComparer.Ordinal);

    /// <summary>True if even an empty answer must be sent: it tells the client that it is in step.</summary>
    public bool OwesAnswer { get; set; }

    public string? OutstandingNonce { get; set; }

    public bool EverSent { get; set; }

    /// <summary>What the client said about the last response; empty after an ACK.</summary>
    public string LastError { get; set; } = "";

    public IEnumerable<string> KnownNames => _known.Keys;

    public bool Follows(string name) => Active && (_wildcard || _names.Contains(name));

    public bool Has(string name) => _known.ContainsKey(name);

    public bool Has(string name, string version) => _known.TryGetValue(name, out var has) && has == version;

    public void Sent(string name, string version) => _known[name] = version;

    public void Removed(string name) => _known.Remove(name);

    /// <summary>Takes over a request; false if it asks for more names than one stream may.</summary>
    public bool Apply(
        IReadOnlyCollection<string> subscribe,
        IReadOnlyCollection<string> unsubscribe,
        IEnumerable<KeyValuePair<string, string>> initial,
        Func<IEnumerable<string>> everything)
    {
        var first = !Active;
        Active = true;
        if (first)
        {
            foreach (var (name, version) in initial)
            {
                _known[name] = version;
                Dirty.Add(name);
            }

            OwesAnswer = true;
        }

        // Only listeners and clusters know the old form of the wildcard: a first request that names nothing.
        var legacy = first && subscribe.Count == 0 && TypeUrl is TypeUrls.Cluster or TypeUrls.Listener;
        foreach (var name in subscribe)
        {
            if (name == Wildcard)
            {
                legacy = true;
                continue;
            }

            _names.Add(name);
            Dirty.Add(name);
            if (!(first && _known.ContainsKey(name)))
            {
                _known.Remove(name);
                Asked.Add(name);
            }
        }

        if (legacy && !_wildcard)
        {
            _wildcard = true;
            OwesAnswer = true;
            Dirty.UnionWith(everything());
        }

        foreach (var name in unsubscribe)
        {
            Leave(name);
        }

        return _names.Count <= WireLimits.MaxSubscriptionsPerType && _known.Count <= WireLimits.MaxResourcesPerType;
    }

    private void Leave(string name)
    {
        if (name == Wildcard)
        {
            _wildcard = false;
            foreach (var known in _known.Keys.Where(k => !_names.Contains(k)).ToList())
            {
                _known.Remove(known);
            }

            return;
        }

        _names.Remove(name);
        Asked.Remove(name);
        if (!_wildcard)
        {
            _known.Remove(name);
        }
    }
}
