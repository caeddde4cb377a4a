// SPDX-License-Identifier: Apache-2.0

using System.Net;
using Weft.Dialects.Reading;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.World;

namespace Weft.Dialects.Istio;

/// <summary>ServiceEntry: hosts that the cluster has no Service for, and how to reach them.</summary>
internal static class ServiceEntryKind
{
    private const string DynamicDns = "DYNAMIC_DNS";

    private static readonly Choices<ServiceResolution> _resolutions = new(
        ("NONE", ServiceResolution.None), ("STATIC", ServiceResolution.Told), ("DNS", ServiceResolution.Dns),
        ("DNS_ROUND_ROBIN", ServiceResolution.DnsRoundRobin));

    private static readonly Choices<bool> _locations = new(("MESH_EXTERNAL", true), ("MESH_INTERNAL", false));

    public static ParsedContent Parse(ObjectContext context)
    {
        var given = context.Root.Child("status")?.Children("addresses") ?? [];
        var spec = context.Root.Required("spec")?.AsObject();
        context.Root.Finish();
        if (spec is null)
        {
            return ParsedContent.Nothing;
        }

        var hosts = ReadHosts(spec);
        var external = spec.Choice("location", _locations) ?? true;
        var resolution = ReadResolution(spec);
        var ports = EntryPorts.Read(spec, resolution);
        var addresses = ReadAddresses(spec, resolution);
        var endpoints = spec.Children("endpoints").Select(e => WorkloadEntryKind.Read(context, e, AsksDns(resolution), external)).OfType<Workload>().ToList();
        var selector = spec.Child("workloadSelector") is { } selecting ? ReadSelector(selecting) : null;
        var visibility = ExportTo.Read(context, spec, takesNobody: true);
        var names = spec.Texts("subjectAltNames").Select(text => text.Key).ToEquatableArray();
        Check(spec, resolution, hosts, ports);
        spec.Finish();
        if (AsksDns(resolution) && endpoints.Count == 0 && selector is null)
        {
            endpoints.AddRange(hosts.Select(host => WorkloadEntryKind.Named(context, host)));
        }

        var services = hosts.Select(host => new Service(host, context.Metadata.Namespace, host, Addresses(host, addresses, given), ports, false)
        {
            Visibility = visibility,
            Resolution = resolution,
            IsEntry = true,
            IsExternal = external,
            SubjectAltNames = names,
            CreatedAt = context.Metadata.CreatedAt,
        });
        return new ParsedContent(Entry: new ServiceEntrySpec([.. services], [.. endpoints], selector));
    }

    private static bool AsksDns(ServiceResolution resolution) => resolution is ServiceResolution.Dns or ServiceResolution.DnsRoundRobin;

    private static ServiceResolution ReadResolution(ObjectReader spec)
    {
        if (spec.Find("resolution") is { Value: Yaml.YamlScalar { Value: DynamicDns } } dynamic)
        {
            dynamic.Report(IstioMessages.ResolutionNotSupported, DynamicDns);
            return ServiceResolution.None;
        }

        return spec.Choice("resolution", _resolutions) ?? ServiceResolution.None;
    }

    private static List<string> ReadHosts(ObjectReader spec)
    {
        if (spec.Required("hosts") is { Value: Yaml.YamlSequence { Items.Count: 0 } } empty)
        {
            empty.Report(ReadingMessages.EmptyList, empty.Path);
        }

        var hosts = new List<string>();
        foreach (var (text, field) in spec.Texts("hosts"))
        {
            var problem = text is "*" ? "an entry for every host would take all traffic" : IPAddress.TryParse(text, out _) ? "addresses go into 'addresses'" : Hosts.Problem(text);
            if (problem is not null)
            {
                field.Report(IstioMessages.BadHost, text, problem);
            }
            else if (hosts.Contains(text.ToLowerInvariant()))
            {
                field.Report(IstioMessages.DuplicateHost, text);
            }
            else
            {
                hosts.Add(text.ToLowerInvariant());
            }
        }

        return hosts;
    }

    private static EquatableArray<string> ReadAddresses(ObjectReader spec, ServiceResolution resolution)
    {
        var addresses = new List<string>();
        foreach (var (text, field) in spec.Texts("addresses"))
        {
            var isNetwork = text.Contains('/', StringComparison.Ordinal);
            var network = default(IPNetwork);
            if (!(isNetwork ? IPNetwork.TryParse(text, out network) : IPAddress.TryParse(text, out _)))
            {
                field.Report(IstioMessages.BadEntryAddress, text, field.Path, "it is neither an IP address nor a network without bits behind its prefix");
            }
            else if (isNetwork && AsksDns(resolution))
            {
                field.Report(IstioMessages.EntryContradicts, field.Path, "a network has no single name to ask DNS for; use NONE or STATIC");
            }
            else
            {
                // A network of one address is that address.
                addresses.Add(isNetwork && network.PrefixLength == (text.Contains(':', StringComparison.Ordinal) ? 128 : 32)
                    ? network.BaseAddress.ToString()
                    : text);
            }
        }

        return addresses.Distinct(StringComparer.Ordinal).ToEquatableArray();
    }

    private static LabelSelector ReadSelector(ObjectReader selector)
    {
        Kubernetes.LabelSyntax.Check(selector, "labels");
        var labels = selector.Labels("labels");
        selector.Finish();
        return new LabelSelector(labels);
    }

    /// <summary>Addresses that were written; else those that the mesh has given to the host, as the object's status says.</summary>
    private static EquatableArray<string> Addresses(string host, EquatableArray<string> written, IReadOnlyList<ObjectReader> given)
    {
        if (written.Count > 0)
        {
            return written;
        }

        return given.Where(g => g.Text("host") is null or "" || string.Equals(g.Text("host"), host, StringComparison.Ordinal))
            .Select(g => g.Text("value")).OfType<string>().Where(text => IPAddress.TryParse(text, out _)).ToEquatableArray();
    }

    private static void Check(ObjectReader spec, ServiceResolution resolution, List<string> hosts, EquatableArray<ServicePort> ports)
    {
        void Refuse(string field, string reason)
        {
            var place = spec.Find(field)?.KeyPlace ?? spec.Place;
            spec.Findings.Add(IstioMessages.EntryContradicts, place, ObjectReader.Join(spec.Path, field), reason);
        }

        var hasEndpoints = spec.Has("endpoints");
        spec.Exclusive("endpoints", "workloadSelector");
        if (resolution == ServiceResolution.None && hasEndpoints)
        {
            Refuse("endpoints", "resolution NONE sends connections where the application wanted; use STATIC or DNS");
        }

        if (resolution == ServiceResolution.Told && !hasEndpoints && !spec.Has("workloadSelector"))
        {
            Refuse("resolution", "STATIC needs 'endpoints' or a 'workloadSelector'");
        }

        if (AsksDns(resolution) && !hasEndpoints && !spec.Has("workloadSelector") && hosts.Exists(h => h.StartsWith('*')))
        {
            Refuse("hosts", "DNS cannot be asked for a wildcard; name endpoints, or use resolution NONE");
        }

        if (resolution == ServiceResolution.DnsRoundRobin && spec.List("endpoints").Count > 1)
        {
            Refuse("endpoints", "DNS_ROUND_ROBIN takes one endpoint at most");
        }

        if (hosts.Count > 1 && resolution != ServiceResolution.None && !spec.Has("addresses") && ports.Any(p => p.Protocol == PortProtocol.Tcp))
        {
            Refuse("hosts", "several hosts share TCP ports, and nothing in a TCP connection tells them apart");
        }
    }
}
