// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Control.Registry;

/// <summary>
/// Which addresses the mesh gives to hosts of ServiceEntries that have none, so that connections to them can be told apart: of 240.240.0.0/16,
/// where nobody lives. An address stays with its host as long as the entry is there, since it stands in the entry's status.
/// </summary>
internal static class AddressPlan
{
    public const string Switch = "networking.istio.io/enable-autoallocate-ip";

    /// <summary>Those that end in 0 or 255 are left out: some hosts take them for networks.</summary>
    public const int Size = 256 * 254;

    private const string Prefix = "240.240.";

    /// <summary>The entries whose status must change, with what it must say; and how many hosts found no address any more.</summary>
    public static (IReadOnlyList<(JsonObject Entry, JsonArray Addresses)> Changes, int Left) Make(IEnumerable<JsonObject> entries)
    {
        var ordered = entries.OrderBy(e => e.CreatedAt()).ThenBy(e => e.Namespace(), StringComparer.Ordinal).ThenBy(e => e.Name(), StringComparer.Ordinal).ToList();
        var taken = new HashSet<string>(StringComparer.Ordinal);
        var kept = ordered.ConvertAll(entry => Wants(entry) ? Kept(entry, taken) : []);
        var changes = new List<(JsonObject, JsonArray)>();
        var left = 0;
        for (var i = 0; i < ordered.Count; i++)
        {
            var (entry, given) = (ordered[i], new JsonArray());
            foreach (var host in Wants(entry) ? entry.Texts("spec", "hosts") : [])
            {
                if ((kept[i].GetValueOrDefault(host) ?? Next(entry, host, taken)) is { } address)
                {
                    given.Add(new JsonObject { ["value"] = address, ["host"] = host });
                }
                else
                {
                    left++;
                }
            }

            if (!Says(entry, given))
            {
                changes.Add((entry, given));
            }
        }

        return (changes, left);
    }

    /// <summary>Wildcards are no hosts that DNS could answer, and without a resolution connections go where the client wanted.</summary>
    private static bool Wants(JsonObject entry) =>
        !entry.Texts("spec", "addresses").Any()
        && entry.Text("spec", "resolution") is "STATIC" or "DNS" or "DNS_ROUND_ROBIN"
        && entry.Label(Switch) != "false"
        && !entry.Texts("spec", "hosts").Any(host => host.Contains('*', StringComparison.Ordinal));

    /// <summary>What an entry has and no older one; of two that say the same the older keeps it.</summary>
    private static Dictionary<string, string> Kept(JsonObject entry, HashSet<string> taken)
    {
        var hosts = entry.Texts("spec", "hosts").ToHashSet(StringComparer.Ordinal);
        var kept = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (value, host) in entry.Objects("status", "addresses").Select(a => (a.Text("value") ?? "", a.Text("host") ?? "")))
        {
            if (IsOurs(value) && hosts.Contains(host) && !kept.ContainsKey(host) && taken.Add(value))
            {
                kept.Add(host, value);
            }
        }

        return kept;
    }

    private static bool IsOurs(string value) => value.StartsWith(Prefix, StringComparison.Ordinal) && IPAddress.TryParse(value, out _);

    private static string? Next(JsonObject entry, string host, HashSet<string> taken)
    {
        if (taken.Count >= Size)
        {
            return null;
        }

        // The same host gets the same address after it was deleted and made again, if nobody has taken it.
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{entry.Namespace()}/{entry.Name()}/{host}"));
        for (var number = BitConverter.ToUInt32(hash) % Size; ; number = (number + 1) % Size)
        {
            var address = $"{Prefix}{number / 254}.{(number % 254) + 1}";
            if (taken.Add(address))
            {
                return address;
            }
        }
    }

    private static bool Says(JsonObject entry, JsonArray given) =>
        JsonNode.DeepEquals(entry.Find("status", "addresses") ?? new JsonArray(), given);
}
