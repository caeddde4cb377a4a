// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.World;

namespace Weft.Dialects.Kubernetes;

/// <summary>Puts a service, its slices and the pods behind them together.</summary>
public static class EndpointJoin
{
    /// <summary>
    /// The endpoints of each port of a service, in a fixed order. Slices of other services are left out;
    /// <paramref name="findWorkload"/> is given namespace and pod name.
    /// </summary>
    public static EquatableArray<ServiceEndpoints> Of(
        Service service, IEnumerable<EndpointSliceSpec> slices, Func<string, string, Workload?> findWorkload)
    {
        var own = slices.Where(slice =>
            string.Equals(slice.Namespace, service.Namespace, StringComparison.Ordinal)
            && string.Equals(slice.Service, service.Name, StringComparison.Ordinal)).ToList();
        return
        [
            .. service.Ports.Select(port => new ServiceEndpoints(
                service.Host,
                port.Port,
                OfFirstFamily(service, own.SelectMany(slice => Endpoints(slice, port, findWorkload)))
                    .DistinctBy(endpoint => (endpoint.Address, endpoint.Port))
                    .OrderBy(endpoint => endpoint.Address, StringComparer.Ordinal)
                    .ThenBy(endpoint => endpoint.Port)
                    .ToEquatableArray())),
        ];
    }

    /// <summary>
    /// A service of both families has every pod twice. Proxies call it by the family that the service names first, whichever its clients use;
    /// clients of a headless one call the pods themselves.
    /// </summary>
    public static IEnumerable<Endpoint> OfFirstFamily(Service service, IEnumerable<Endpoint> endpoints)
    {
        ArgumentNullException.ThrowIfNull(service);
        if (service.Headless || service.Addresses.Count < 2)
        {
            return endpoints;
        }

        var all = endpoints.ToList();
        var isSix = service.Addresses[0].Contains(':', StringComparison.Ordinal);
        return all.Exists(IsOfIt) ? all.Where(IsOfIt) : all;

        bool IsOfIt(Endpoint endpoint) => endpoint.Address.Contains(':', StringComparison.Ordinal) == isSix;
    }

    private static IEnumerable<Endpoint> Endpoints(
        EndpointSliceSpec slice, ServicePort port, Func<string, string, Workload?> findWorkload) =>
        from slicePort in slice.Ports
        where string.Equals(slicePort.Name, port.Name, StringComparison.Ordinal)
        from endpoint in slice.Endpoints
        let workload = endpoint.Pod.Length == 0 ? null : findWorkload(slice.Namespace, endpoint.Pod)
        select new Endpoint(endpoint.Address, slicePort.Port, endpoint.Ready, workload);
}
