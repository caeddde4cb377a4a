// SPDX-License-Identifier: Apache-2.0

using Weft.Model;

namespace Weft.Wire.Ads;

/// <summary>What a client holds and wants of one type.</summary>
internal sealed class HeldResources(string typeUrl)
{
    private readonly SortedDictionary<string, (string Version, object Part)> _held = new(StringComparer.Ordinal);

    /// <summary>Names that were answered with nothing usable: they do not exist or were refused. Nobody waits for them.</summary>
    private readonly HashSet<string> _absent = new(StringComparer.Ordinal);

    private object? _sorted;

    public string TypeUrl { get; } = typeUrl;

    public bool IsWildcard { get; } = typeUrl is TypeUrls.Cluster or TypeUrls.Listener;

    /// <summary>True once any response of this type has come.</summary>
    public bool Answered { get; set; }

    /// <summary>True if something differs from the plan that was published last.</summary>
    public bool Changed { get; set; }

    public HashSet<string> Wanted { get; private set; } = new(StringComparer.Ordinal);

    public int Count => _held.Count;

    public IEnumerable<object> Parts => _held.Values.Select(h => h.Part);

    public IEnumerable<(string Name, string Version)> Versions => _held.Select(h => (h.Key, h.Value.Version));

    public IEnumerable<string> Missing => Wanted.Where(n => !_held.ContainsKey(n) && !_absent.Contains(n));

    public string? VersionOf(string name) => _held.TryGetValue(name, out var held) ? held.Version : null;

    public void Put(string name, string version, object part)
    {
        _held[name] = (version, part);
        _absent.Remove(name);
        Touch();
    }

    public void Refuse(string name)
    {
        if (!_held.ContainsKey(name))
        {
            _absent.Add(name);
        }
    }

    public void Remove(string name)
    {
        if (_held.Remove(name))
        {
            Touch();
        }

        if (Wanted.Contains(name))
        {
            _absent.Add(name);
        }
    }

    /// <summary>Changes what is wanted; what is no longer wanted is forgotten.</summary>
    public (List<string> Added, List<string> Dropped) Want(HashSet<string> names)
    {
        var added = names.Where(n => !Wanted.Contains(n)).Order(StringComparer.Ordinal).ToList();
        var dropped = Wanted.Where(n => !names.Contains(n)).Order(StringComparer.Ordinal).ToList();
        Wanted = names;
        foreach (var name in dropped)
        {
            _absent.Remove(name);
            if (_held.Remove(name))
            {
                Touch();
            }
        }

        return (added, dropped);
    }

    public EquatableArray<T> Sorted<T>()
    {
        if (_sorted is not EquatableArray<T> sorted)
        {
            sorted = Parts.Cast<T>().ToEquatableArray();
            _sorted = sorted;
        }

        return sorted;
    }

    private void Touch()
    {
        _sorted = null;
        Changed = true;
    }
}
