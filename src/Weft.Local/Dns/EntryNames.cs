// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Dns;

/// <summary>
/// Hosts of ServiceEntries, for clients whose proxy takes their connections: they are answered the entry's address, written or given by the
/// mesh. Of several entries for a host the one of the client's namespace counts, then the oldest.
/// </summary>
internal sealed class EntryNames
{
    private const string Wildcard = "*.";

    private readonly Dictionary<string, List<Entry>> _entries = new(StringComparer.Ordinal);

    public static EntryNames Empty { get; } = new();

    public static EntryNames Compile(IEnumerable<JsonObject> entries)
    {
        var names = new EntryNames();
        foreach (var item in entries.OrderBy(e => e.CreatedAt()).ThenBy(e => e.Namespace(), StringComparer.Ordinal).ThenBy(e => e.Name(), StringComparer.Ordinal))
        {
            foreach (var host in item.Texts("spec", "hosts"))
            {
                var addresses = Addresses(item, host);
                if (addresses.Count > 0)
                {
                    names.Add(host.ToLowerInvariant(), new Entry(item.Namespace(), [.. item.Texts("spec", "exportTo")], addresses));
                }
            }
        }

        return names;
    }

    /// <summary>The records of a name for clients of a namespace; null if no entry that they see has it.</summary>
    public IReadOnlyList<DnsRecord>? Find(string name, DnsType type, string clientNamespace)
    {
        for (var pattern = name; pattern.Length > 0; pattern = Wider(pattern))
        {
            var visible = _entries.GetValueOrDefault(pattern)?.Where(e => e.IsSeenBy(clientNamespace)).ToList();
            if (visible is { Count: > 0 })
            {
                var entry = visible.Find(e => e.Namespace == clientNamespace) ?? visible[0];
                return [.. entry.Addresses.Select(a => new DnsRecord(name, TypeOf(a), a)).Where(r => r.Type == type)];
            }
        }

        return null;
    }

    /// <summary><c>a.b.c</c> → <c>*.b.c</c> → <c>*.c</c> → empty.</summary>
    private static string Wider(string pattern)
    {
        var rest = pattern.StartsWith(Wildcard, StringComparison.Ordinal) ? pattern[Wildcard.Length..] : pattern;
        var dot = rest.IndexOf('.', StringComparison.Ordinal);
        return dot < 0 ? "" : Wildcard + rest[(dot + 1)..];
    }

    private static DnsType TypeOf(IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6 ? DnsType.Aaaa : DnsType.A;

    private static List<IPAddress> Addresses(JsonObject item, string host)
    {
        var written = item.Texts("spec", "addresses").ToList();
        var texts = written.Count > 0
            ? written
            : item.Objects("status", "addresses").Where(a => a.Text("host") is null or "" || a.Text("host") == host).Select(a => a.Text("value") ?? "");
        return [.. texts.Select(text => IPAddress.TryParse(text, out var address) ? address : null).OfType<IPAddress>()];
    }

    private void Add(string host, Entry entry)
    {
        if (!_entries.TryGetValue(host, out var list))
        {
            _entries.Add(host, list = []);
        }

        list.Add(entry);
    }

    private sealed record Entry(string Namespace, string[] ExportTo, List<IPAddress> Addresses)
    {
        public bool IsSeenBy(string ns) => ExportTo.Length == 0 || ExportTo.Any(to => to == "*" || to == ns || (to == "." && ns == Namespace));
    }
}
