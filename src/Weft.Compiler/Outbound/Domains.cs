// SPDX-License-Identifier: Apache-2.0

using Weft.Compiler.Index;
using Weft.Model;
using Weft.Model.Plan;
using Weft.Model.World;

namespace Weft.Compiler.Outbound;

/// <summary>The authorities by which a service can be called.</summary>
internal static class Domains
{
    /// <param name="service">The service.</param>
    /// <param name="port">Its port; every name is there with and without it.</param>
    /// <param name="near">True for clients of the same namespace, which may leave the namespace out.</param>
    /// <param name="suffix">The cluster's domain.</param>
    public static EquatableArray<string> Of(Service service, int port, bool near, string suffix)
    {
        var names = new List<string> { service.Host };
        if (!HostPattern.IsWildcard(service.Host))
        {
            names.Add(service.Host + ".");
        }

        if (service.Host == $"{service.Name}.{service.Namespace}.svc.{suffix}")
        {
            if (near)
            {
                names.Add(service.Name);
            }

            names.Add($"{service.Name}.{service.Namespace}");
            names.Add($"{service.Name}.{service.Namespace}.svc");
        }

        if (service.Headless)
        {
            names.AddRange(names.Select(n => $"*.{n}").ToList());
        }

        names.AddRange(service.Addresses.Where(a => !a.Contains('/')));
        return names.SelectMany(n => new[] { n, Names.HostPort(n.Contains(':') ? $"[{n}]" : n, port) }).ToEquatableArray();
    }

    /// <summary>
    /// True if no two services of a port claim one domain, which is the rule and is found out once for all clients: the names that only
    /// near clients know have no dot, and all others have one.
    /// </summary>
    public static bool AreDistinct(MeshSnapshot index, ClientScope scope, int port)
    {
        var answer = index.Parts.Get(new PartKey("distinct", scope, index.Settings, null, Names.Number(port)), () =>
        {
            var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
            var domains = scope.Services.Where(s => s.Ports.Any(p => p.Port == port))
                .SelectMany(s => Of(s, port, near: false, index.Settings.DomainSuffix));
            return domains.All(d => (d.Contains('.') || d.Count(c => c == ':') > 1) && seen.Add(d)) ? "yes" : "no";
        });
        return answer == "yes";
    }

    /// <summary>A domain may belong to one virtual host only; the first keeps it.</summary>
    public static EquatableArray<VirtualHostPlan> WithoutDuplicates(IEnumerable<VirtualHostPlan> hosts)
    {
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var result = new List<VirtualHostPlan>();
        foreach (var host in hosts)
        {
            var own = host.Domains.Where(seen.Add).ToEquatableArray();
            if (own.Count > 0)
            {
                result.Add(own.Count == host.Domains.Count ? host : host with { Domains = own });
            }
        }

        return result.ToEquatableArray();
    }
}
