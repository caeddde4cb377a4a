// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Dns;

/// <summary>What the cluster's names mean at one moment; immutable.</summary>
internal sealed class NameTable
{
    /// <summary>The domain that is answered from here; everything else belongs to other servers.</summary>
    public const string Zone = "cluster.local";

    private const string Services = $"svc.{Zone}";
    private const string PodZone = $"pod.{Zone}";
    private const string VersionName = $"dns-version.{Zone}";

    /// <summary>Addresses of pods and of services, backwards.</summary>
    private static readonly string[] _reverseZones =
    [
        "244.10.in-addr.arpa", "96.10.in-addr.arpa",
        "0.0.4.4.2.0.0.1.0.0.0.0.d.f.ip6.arpa", "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.6.9.0.0.0.1.0.0.0.0.d.f.ip6.arpa",
    ];

    private readonly Dictionary<string, List<DnsRecord>> _records = new(StringComparer.Ordinal);

    private NameTable()
    {
        Touch(Services);
        Touch(PodZone);

        // Which description of names these follow.
        Touch(VersionName);
        _records[VersionName].Add(new DnsRecord(VersionName, DnsType.Txt, Target: "1.1.0"));
        foreach (var zone in _reverseZones)
        {
            _records[zone] = [];
        }
    }

    /// <summary>Knows no services.</summary>
    public static NameTable Empty { get; } = new();

    public static NameTable Compile(IEnumerable<JsonObject> services, IEnumerable<JsonObject> slices)
    {
        var table = new NameTable();
        var byService = slices.ToLookup(s => (s.Namespace(), s.Label("kubernetes.io/service-name") ?? ""));
        foreach (var service in services)
        {
            table.Add(service, byService[(service.Namespace(), service.Name())]);
        }

        return table;
    }

    /// <summary>True if the name lies in the cluster's domain.</summary>
    public static bool Covers(string name) => IsIn(Zone, name) || Array.Exists(_reverseZones, zone => IsIn(zone, name));

    /// <summary>The zone of a name that <see cref="Covers"/> accepts.</summary>
    public static string ZoneOf(string name) => Array.Find(_reverseZones, zone => IsIn(zone, name)) ?? Zone;

    /// <summary>The records of a name that <see cref="Covers"/> accepts; null if there is no such name.</summary>
    public IReadOnlyList<DnsRecord>? Find(string name, DnsType type)
    {
        if (!_records.TryGetValue(name, out var all))
        {
            return FindPod(name, type);
        }

        // A CNAME answers every type, with what it leads to when that is known here.
        var found = all.Where(r => r.Type == type || r.Type == DnsType.Cname).ToList();
        if (found is [{ Type: DnsType.Cname } alias] && Covers(alias.Target) && Find(alias.Target, type) is { } more)
        {
            found.AddRange(more);
        }

        return found;
    }

    private void Add(JsonObject service, IEnumerable<JsonObject> slices)
    {
        var space = $"{service.Namespace()}.{Services}";
        var host = $"{service.Name()}.{space}";
        Touch(space);
        if (service.Text("spec", "type") == "ExternalName")
        {
            Touch(host);
            var target = (service.Text("spec", "externalName") ?? "").TrimEnd('.').ToLowerInvariant();
            if (target != host && IsName(target))
            {
                _records[host].Add(new DnsRecord(host, DnsType.Cname, Target: target));
            }

            return;
        }

        if (AddressesOf(service) is { Count: > 0 } addresses)
        {
            Touch(host);
            foreach (var address in addresses)
            {
                _records[host].Add(new DnsRecord(host, TypeOf(address), address));
                AddReverse(address, host);
            }

            foreach (var port in service.Objects("spec", "ports"))
            {
                AddPlace(host, port, host);
            }

            return;
        }

        // Without a member that is ready there is no such name: so says the description.
        AddHeadless(host, service.Flag("spec", "publishNotReadyAddresses") ?? false, slices);
    }

    /// <summary>One a family; none where it is headless.</summary>
    private static List<IPAddress> AddressesOf(JsonObject service) =>
        [.. service.Texts("spec", "clusterIPs").Append(service.Text("spec", "clusterIP")).OfType<string>().Distinct()
            .Select(text => IPAddress.TryParse(text, out var address) ? address : null).OfType<IPAddress>()];

    private static DnsType TypeOf(IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6 ? DnsType.Aaaa : DnsType.A;

    private void AddHeadless(string host, bool alsoUnready, IEnumerable<JsonObject> slices)
    {
        foreach (var slice in slices)
        {
            foreach (var endpoint in slice.Objects("endpoints"))
            {
                if (!alsoUnready && endpoint.Flag("conditions", "ready") == false)
                {
                    continue;
                }

                foreach (var text in endpoint.Texts("addresses"))
                {
                    if (IPAddress.TryParse(text, out var ip))
                    {
                        AddMember(host, endpoint.Text("hostname") ?? text.Replace('.', '-').Replace(':', '-'), ip, slice);
                    }
                }
            }
        }
    }

    private void AddMember(string host, string label, IPAddress address, JsonObject slice)
    {
        var member = $"{label}.{host}";
        Touch(member);
        if (_records[member].Any(r => address.Equals(r.Address)))
        {
            return;
        }

        var type = TypeOf(address);
        _records[host].Add(new DnsRecord(host, type, address));
        _records[member].Add(new DnsRecord(member, type, address));
        AddReverse(address, member);
        foreach (var port in slice.Objects("ports"))
        {
            AddPlace(host, port, member);
        }
    }

    private void AddPlace(string host, JsonObject port, string target)
    {
        if (port.Text("name") is { Length: > 0 } name && port.Number("port") is { } number)
        {
            var place = $"_{name}._{(port.Text("protocol") ?? "TCP").ToLowerInvariant()}.{host}";
            Touch(place);
            _records[place].Add(new DnsRecord(place, DnsType.Srv, Target: target, Port: (int)number));

            // Asked for without a port's name, all ports answer.
            _records[host].Add(new DnsRecord(host, DnsType.Srv, Target: target, Port: (int)number));
        }
    }

    private void AddReverse(IPAddress address, string name)
    {
        var bytes = address.GetAddressBytes();
        var reverse = bytes.Length == 4
            ? $"{bytes[3]}.{bytes[2]}.{bytes[1]}.{bytes[0]}.in-addr.arpa"
            : $"{string.Join('.', Convert.ToHexStringLower(bytes).Reverse())}.ip6.arpa";
        Touch(reverse);
        if (_records.TryGetValue(reverse, out var records))
        {
            records.Add(new DnsRecord(reverse, DnsType.Ptr, Target: name));
        }
    }

    private static bool IsIn(string zone, string name) => name == zone || name.EndsWith($".{zone}", StringComparison.Ordinal);

    /// <summary>Makes the name and the ones above it known, with no records: they exist (RFC 8020).</summary>
    private void Touch(string name)
    {
        while (Covers(name) && _records.TryAdd(name, []))
        {
            name = name[(name.IndexOf('.', StringComparison.Ordinal) + 1)..];
        }
    }

    /// <summary><c>10-244-0-5.namespace.pod.cluster.local</c> spells its own address, as does <c>fd00-10-244--5</c>.</summary>
    private static DnsRecord[]? FindPod(string name, DnsType type)
    {
        if (!name.EndsWith($".{PodZone}", StringComparison.Ordinal))
        {
            return null;
        }

        var labels = name[..^(PodZone.Length + 1)].Split('.');
        if (labels.Length != 2)
        {
            return null;
        }

        // Three lines between digits are dots; what they say of version 6 has two in a row somewhere, or seven.
        var isFour = labels[0].Count(c => c == '-') == 3 && !labels[0].Contains("--", StringComparison.Ordinal);
        if (!IPAddress.TryParse(labels[0].Replace('-', isFour ? '.' : ':'), out var address) || TypeOf(address) != (isFour ? DnsType.A : DnsType.Aaaa))
        {
            return null;
        }

        return type == TypeOf(address) ? [new DnsRecord(name, type, address)] : [];
    }

    private static bool IsName(string text) =>
        text.Length is > 0 and < 254 && text.Split('.').All(l => l.Length is > 0 and < 64) && text.All(char.IsAscii);
}
