// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Dialects.Istio;
using Weft.Model;
using Weft.Model.World;

namespace Weft.Control.Registry;

/// <summary>
/// Service entries, workloads that are no pods, and who serves the entries. After a change only the entries that it touches are made again.
/// </summary>
internal sealed class EntryTable
{
    private readonly SortedDictionary<(string Namespace, string Name), ServiceEntrySpec> _entries = new(KeyOrder);
    private readonly SortedDictionary<(string Namespace, string Name), Workload> _outsiders = new(KeyOrder);
    private readonly Dictionary<(string Namespace, string Name), ServiceEndpoints[]> _endpoints = [];
    private readonly HashSet<(string Namespace, string Name)> _dirty = [];

    /// <summary>Of several for one host in one namespace the oldest comes first, then the first by name, in whatever order they came.</summary>
    public IEnumerable<Service> Services => ByAge.SelectMany(entry => entry.Value.Services);

    /// <summary>In the order of <see cref="Services"/>.</summary>
    public IEnumerable<ServiceEndpoints> Endpoints => ByAge.SelectMany(entry => _endpoints[entry.Key]);

    private static Comparer<(string Namespace, string Name)> KeyOrder { get; } = Comparer<(string Namespace, string Name)>.Create(static (a, b) =>
        string.CompareOrdinal(a.Namespace, b.Namespace) is not 0 and var ns ? ns : string.CompareOrdinal(a.Name, b.Name));

    private IEnumerable<KeyValuePair<(string Namespace, string Name), ServiceEntrySpec>> ByAge =>
        _entries.OrderBy(entry => entry.Value.Services is [var first, ..] ? first.CreatedAt : default);

    public void SetEntry(string ns, string name, ServiceEntrySpec? entry)
    {
        if (entry is null)
        {
            _entries.Remove((ns, name));
        }
        else
        {
            _entries[(ns, name)] = entry;
        }

        _dirty.Add((ns, name));
    }

    public void SetOutsider(string ns, string name, Workload? workload)
    {
        if (workload is null)
        {
            _outsiders.Remove((ns, name));
        }
        else
        {
            _outsiders[(ns, name)] = workload;
        }

        OnWorkload(ns);
    }

    /// <summary>Who of the namespace serves a port of a service of the cluster without being a pod.</summary>
    public IEnumerable<Endpoint> ServersOf(Service service, ServicePort port)
    {
        foreach (var ((ns, _), workload) in _outsiders)
        {
            // Its own number for the port's name or for the name that the service has for the workload's port; a name that it does not know
            // says nothing, so the number that clients use is the best that is left.
            if (service.Selector is { } selector && ns == service.Namespace && selector.Selects(workload.Labels) && System.Net.IPAddress.TryParse(workload.Address, out _))
            {
                var named = workload.Ports.FirstOrDefault(p => p.Name == port.Name) ?? workload.Ports.FirstOrDefault(p => p.Name == port.TargetPort);
                var number = named?.Port ?? (int.TryParse(port.TargetPort, NumberStyles.None, CultureInfo.InvariantCulture, out var written) && written > 0 ? written : port.Port);
                yield return new Endpoint(workload.Address, number, workload.IsWell, workload) { Weight = workload.Weight };
            }
        }
    }

    /// <summary>The workload of that address that is no pod.</summary>
    public Workload? FindOutsider(string ns, string address) =>
        _outsiders.FirstOrDefault(o => o.Key.Namespace == ns && o.Value.Address == address).Value;

    /// <summary>A workload of the namespace came, went or changed.</summary>
    public void OnWorkload(string ns)
    {
        foreach (var (key, entry) in _entries)
        {
            if (key.Namespace == ns && entry.Selector is not null)
            {
                _dirty.Add(key);
            }
        }
    }

    /// <summary>Makes anew what is out of date; answers how many entries that were.</summary>
    public int Rebuild(IReadOnlyCollection<Workload> pods)
    {
        foreach (var key in _dirty)
        {
            if (_entries.TryGetValue(key, out var entry))
            {
                _endpoints[key] = Make(key.Namespace, entry, pods, _endpoints.GetValueOrDefault(key) ?? []);
            }
            else
            {
                _endpoints.Remove(key);
            }
        }

        var count = _dirty.Count;
        _dirty.Clear();
        return count;
    }

    private ServiceEndpoints[] Make(string ns, ServiceEntrySpec entry, IReadOnlyCollection<Workload> pods, ServiceEndpoints[] before)
    {
        List<(Workload Workload, bool IsPod)> servers = entry.Selector is { } selector
            ?
            [
                .. pods.Where(p => p.Namespace == ns && selector.Selects(p.Labels)).Select(p => (p, true)),
                .. _outsiders.Values.Where(o => o.Namespace == ns && selector.Selects(o.Labels)).Select(o => (o, false)),
            ]
            : [.. entry.Endpoints.Select(e => (e, false))];
        var made = new List<ServiceEndpoints>();
        foreach (var service in entry.Services)
        {
            foreach (var port in service.Ports)
            {
                var own = servers.Where(s => service.Resolution != ServiceResolution.Told || System.Net.IPAddress.TryParse(s.Workload.Address, out _))
                    .Select(s => EndpointOf(s.Workload, s.IsPod, service, port))
                    .DistinctBy(e => (e.Address, e.Port)).OrderBy(e => e.Address, StringComparer.Ordinal).ThenBy(e => e.Port).ToEquatableArray();
                var endpoints = new ServiceEndpoints(service.Host, port.Port, own) { Namespace = service.EndpointNamespace };

                // The same object as before if it says the same: the compiler takes over what was compiled from it.
                made.Add(Array.Find(before, endpoints.Equals) ?? endpoints);
            }
        }

        return [.. made];
    }

    private static Endpoint EndpointOf(Workload workload, bool isPod, Service service, ServicePort port)
    {
        // What was written down may have a number of its own for a port's name; a host that is asked from DNS is its own endpoint.
        var named = isPod ? null : workload.Ports.FirstOrDefault(p => p.Name == port.Name);
        var number = named?.Port ?? int.Parse(port.TargetPort, CultureInfo.InvariantCulture);
        return new Endpoint(workload.Address, number, workload.IsWell, service.IsExternal ? workload with { Meshed = false } : workload) { Weight = workload.Weight };
    }
}
