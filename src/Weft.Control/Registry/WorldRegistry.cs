// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Istio;
using Weft.Dialects.Kubernetes;
using Weft.Model;
using Weft.Model.World;

namespace Weft.Control.Registry;

/// <summary>
/// Assembles the world from its parts and keeps it: after a change only the endpoints of the services it touches are made again.
/// Used by one thread.
/// </summary>
public sealed class WorldRegistry(MeshSettings settings)
{
    private readonly Dictionary<Named, Service> _services = [];
    private readonly Dictionary<Named, Workload> _workloads = [];
    private readonly Dictionary<Named, EndpointSliceSpec> _slices = [];
    private readonly Dictionary<Named, HashSet<Named>> _slicesOfService = [];
    private readonly Dictionary<Named, HashSet<Named>> _servicesOfPod = [];
    private readonly Dictionary<Named, ServiceEndpoints[]> _endpoints = [];
    private readonly Dictionary<string, string> _nodes = new(StringComparer.Ordinal);
    private readonly Dictionary<Named, Credential> _credentials = [];
    private readonly HashSet<Named> _dirty = [];
    private readonly EntryTable _entries = new();
    private MeshConfigSpec? _mesh;
    private MeshWorld? _world;

    public int Services => _services.Count;

    /// <summary>How many times the endpoints of a service were made; tests compare it with the size of a change.</summary>
    public long Rebuilds { get; private set; }

    public void SetService(string ns, string name, Service? service)
    {
        Set(_services, new(ns, name), service);
        _dirty.Add(new(ns, name));
        _world = null;
    }

    public void SetWorkload(string ns, string name, Workload? workload)
    {
        // A pod without an address serves nobody yet.
        Set(_workloads, new(ns, name), workload is { Address.Length: > 0 } ? Placed(workload) : null);
        _dirty.UnionWith(_servicesOfPod.GetValueOrDefault(new(ns, name)) ?? []);
        _entries.OnWorkload(ns);
        _world = null;
    }

    /// <summary>The mesh's own configuration over the settings that the mesh was made with; null for those alone.</summary>
    public void SetMesh(MeshConfigSpec? mesh)
    {
        _mesh = mesh;
        _world = null;
    }

    public void SetEntry(string ns, string name, ServiceEntrySpec? entry)
    {
        _entries.SetEntry(ns, name, entry);
        _world = null;
    }

    /// <summary>A workload that is no pod.</summary>
    public void SetOutsider(string ns, string name, Workload? workload)
    {
        _entries.SetOutsider(ns, name, workload);
        _dirty.UnionWith(_services.Where(s => s.Key.Namespace == ns && s.Value.Selector is not null).Select(s => s.Key));
        _world = null;
    }

    /// <summary>A Secret with certificates. A version that cannot be used leaves the last good one in force and says so.</summary>
    public void SetCredential(string ns, string name, Credential? credential)
    {
        var good = credential is { Problem.Length: > 0 } ? _credentials.GetValueOrDefault(new(ns, name)) : null;
        Set(_credentials, new(ns, name), good is null ? credential : good with { Problem = credential!.Problem });
        _world = null;
    }

    /// <summary>Where a node stands; null for one that is gone.</summary>
    public void SetNode(string name, string? locality)
    {
        Set(_nodes, name, locality);
        foreach (var (key, workload) in _workloads.Where(pair => pair.Value.Node == name).ToArray())
        {
            _workloads[key] = Placed(workload);
            _dirty.UnionWith(_servicesOfPod.GetValueOrDefault(key) ?? []);
            _entries.OnWorkload(key.Namespace);
            _world = null;
        }
    }

    /// <summary>The workload of that address that is no pod.</summary>
    public Workload? FindOutsider(string ns, string address) => _entries.FindOutsider(ns, address);

    /// <summary>The pod of that name, if it has an address.</summary>
    public Workload? FindWorkload(string ns, string name) => _workloads.GetValueOrDefault(new(ns, name));

    public void SetSlice(string ns, string name, EndpointSliceSpec? slice)
    {
        var key = new Named(ns, name);
        if (_slices.Remove(key, out var old))
        {
            Unlink(key, old);
        }

        if (slice is { Service.Length: > 0 })
        {
            _slices[key] = slice;
            Link(key, slice);
        }

        _world = null;
    }

    /// <summary>The world as it is; the same object until something changes.</summary>
    public MeshWorld Build()
    {
        if (_world is not null)
        {
            return _world;
        }

        foreach (var key in _dirty)
        {
            Rebuild(key);
        }

        Rebuilds += _dirty.Count + _entries.Rebuild(_workloads.Values);
        _dirty.Clear();
        return _world = new MeshWorld(
            [.. _services.Values.Concat(_entries.Services).OrderBy(service => service.Host, StringComparer.Ordinal)
                .ThenBy(service => service.EndpointNamespace, StringComparer.Ordinal)],
            [.. _workloads.OrderBy(pair => pair.Key.Namespace, StringComparer.Ordinal)
                .ThenBy(pair => pair.Key.Name, StringComparer.Ordinal).Select(pair => pair.Value)],
            [.. _endpoints.Values.SelectMany(each => each).Concat(_entries.Endpoints)
                .OrderBy(each => each.ServiceHost, StringComparer.Ordinal).ThenBy(each => each.Namespace, StringComparer.Ordinal).ThenBy(each => each.ServicePort)],
            _mesh?.Over(settings) ?? settings)
        {
            Credentials =
            [
                .. _credentials.Values.OrderBy(each => each.Namespace, StringComparer.Ordinal).ThenBy(each => each.Name, StringComparer.Ordinal),
            ],
        };
    }

    private Workload Placed(Workload workload) =>
        _nodes.GetValueOrDefault(workload.Node, "") is var locality && locality == workload.NodeLocality
            ? workload
            : workload with { NodeLocality = locality };

    private static void Set<TKey, T>(Dictionary<TKey, T> table, TKey key, T? value)
        where TKey : notnull
        where T : class
    {
        if (value is null)
        {
            table.Remove(key);
        }
        else
        {
            table[key] = value;
        }
    }

    private static void Add(Dictionary<Named, HashSet<Named>> index, Named key, Named value)
    {
        if (!index.TryGetValue(key, out var set))
        {
            index[key] = set = [];
        }

        set.Add(value);
    }

    private void Link(Named key, EndpointSliceSpec slice)
    {
        var service = new Named(slice.Namespace, slice.Service);
        Add(_slicesOfService, service, key);
        foreach (var endpoint in slice.Endpoints)
        {
            if (endpoint.Pod.Length > 0)
            {
                Add(_servicesOfPod, new(slice.Namespace, endpoint.Pod), service);
            }
        }

        _dirty.Add(service);
    }

    private void Unlink(Named key, EndpointSliceSpec slice)
    {
        var service = new Named(slice.Namespace, slice.Service);
        if (_slicesOfService.TryGetValue(service, out var slices) && slices.Remove(key) && slices.Count == 0)
        {
            _slicesOfService.Remove(service);
        }

        // Another slice of the service may still hold the pod.
        var kept = (_slicesOfService.GetValueOrDefault(service) ?? [])
            .SelectMany(name => _slices[name].Endpoints).Select(endpoint => endpoint.Pod).ToHashSet(StringComparer.Ordinal);
        foreach (var endpoint in slice.Endpoints)
        {
            var pod = new Named(slice.Namespace, endpoint.Pod);
            if (!kept.Contains(endpoint.Pod) && _servicesOfPod.TryGetValue(pod, out var services)
                && services.Remove(service) && services.Count == 0)
            {
                _servicesOfPod.Remove(pod);
            }
        }

        _dirty.Add(service);
    }

    private void Rebuild(Named key)
    {
        if (!_services.TryGetValue(key, out var service))
        {
            _endpoints.Remove(key);
            return;
        }

        var slices = (_slicesOfService.GetValueOrDefault(key) ?? []).Select(name => _slices[name]).ToArray();
        var before = _endpoints.GetValueOrDefault(key) ?? [];
        var made = new List<ServiceEndpoints>();
        foreach (var port in service.Ports)
        {
            if (port.Protocol != PortProtocol.Udp)
            {
                // The same object as before if it says the same: the compiler takes over what was compiled from it.
                var endpoints = new ServiceEndpoints(service.Host, port.Port, EndpointsOf(service, port, slices));
                made.Add(before.FirstOrDefault(endpoints.Equals) ?? endpoints);
            }
        }

        _endpoints[key] = [.. made];
    }

    private EquatableArray<Endpoint> EndpointsOf(Service service, ServicePort port, EndpointSliceSpec[] slices)
    {
        var found = new Dictionary<(string Address, int Port), Endpoint>();
        foreach (var slice in slices)
        {
            foreach (var target in slice.Ports)
            {
                if (target.Name != port.Name)
                {
                    continue;
                }

                foreach (var endpoint in slice.Endpoints)
                {
                    // While slices change an address may be in two of them; it serves if one says so.
                    var place = (endpoint.Address, target.Port);
                    if (!found.TryGetValue(place, out var other) || !other.Ready)
                    {
                        var workload = _workloads.GetValueOrDefault(new(slice.Namespace, endpoint.Pod));
                        found[place] = new Endpoint(endpoint.Address, target.Port, endpoint.Ready, workload);
                    }
                }
            }
        }

        // What was written down is one server, whatever family its address is of.
        return
        [
            .. EndpointJoin.OfFirstFamily(service, found.Values).Concat(_entries.ServersOf(service, port)).DistinctBy(endpoint => (endpoint.Address, endpoint.Port))
                .OrderBy(endpoint => endpoint.Address, StringComparer.Ordinal).ThenBy(endpoint => endpoint.Port),
        ];
    }

    private readonly record struct Named(string Namespace, string Name);
}
