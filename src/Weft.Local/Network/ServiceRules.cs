// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace Weft.Local.Network;

/// <summary>
/// The node's NAT for service addresses, as nft scripts. A connection's first packet costs one look into a map, however many services
/// there are; its other packets cost none, the connection table knows them.
/// </summary>
internal static class ServiceRules
{
    /// <summary>
    /// The part that never changes. Its chains stay hooked while <see cref="Update"/> exchanges what they look up, so that
    /// established connections keep their translation.
    /// </summary>
    public static string Foundation(IpWords words) => $$"""
        table {{words.Family}} weft_services
        delete table {{words.Family}} weft_services
        table {{words.Family}} weft_services {
          map targets {
            type {{words.Type}} . inet_proto . inet_service : verdict
          }
          map targets_from {
            type ifname . {{words.Type}} . inet_proto . inet_service : verdict
          }
          set hairpins {
            type {{words.Type}} . {{words.Type}}
          }
          chain dispatch {
            iifname . {{words.Family}} daddr . meta l4proto . th dport vmap @targets_from
            {{words.Family}} daddr . meta l4proto . th dport vmap @targets
          }
          chain from_pods {
            type nat hook prerouting priority -100; policy accept;
            meta l4proto { tcp, udp } jump dispatch
          }
          chain from_node {
            type nat hook output priority -100; policy accept;
            meta l4proto { tcp, udp } jump dispatch
          }
          chain hairpin {
            type nat hook postrouting priority 100; policy accept;
            {{words.Family}} saddr . {{words.Family}} daddr @hairpins masquerade
          }
          chain refuse {
            {{words.Family}} daddr {{words.Services}} fib daddr type != local meta l4proto tcp reject with tcp reset
            {{words.Family}} daddr {{words.Services}} fib daddr type != local reject
          }
          chain refuse_from_pods {
            type filter hook prerouting priority -90; policy accept;
            jump refuse
          }
          chain refuse_from_node {
            type filter hook output priority -90; policy accept;
            jump refuse
          }
        }

        """;

    /// <summary>One transaction from the <paramref name="old"/> targets to the <paramref name="wanted"/> ones: only what differs; empty if nothing does.</summary>
    public static string Update(IpWords words, IReadOnlyList<ServiceTarget> old, IReadOnlyList<ServiceTarget> wanted)
    {
        var table = $"{words.Family} weft_services";
        var before = Parts(words, old);
        var after = Parts(words, wanted);
        var text = new StringBuilder();
        foreach (var element in Missing(before.Elements, after.Elements))
        {
            text.Append("delete element ").Append(table).Append(' ').Append(element).Append('\n');
        }

        // A chain that goes is emptied before anything that it may lead to or look into is removed.
        var gone = before.Chains.Keys.Where(name => !after.Chains.ContainsKey(name)).ToList();
        foreach (var name in gone)
        {
            text.Append("flush chain ").Append(table).Append(' ').Append(name).Append('\n');
        }

        foreach (var set in Missing(after.Sets, before.Sets))
        {
            text.Append("add set ").Append(table).Append(' ').Append(set).Append($" {{ type {words.Type}; flags dynamic,timeout; size 65535; }}\n");
        }

        var changed = after.Chains.Where(chain => !before.Chains.TryGetValue(chain.Key, out var rules) || rules != chain.Value).ToList();
        foreach (var (name, _) in changed)
        {
            text.Append(before.Chains.ContainsKey(name) ? "flush" : "add").Append(" chain ").Append(table).Append(' ').Append(name).Append('\n');
        }

        foreach (var (name, rules) in changed)
        {
            foreach (var rule in rules.Split('\n'))
            {
                text.Append("add rule ").Append(table).Append(' ').Append(name).Append(' ').Append(rule).Append('\n');
            }
        }

        foreach (var fresh in Missing(after.Elements, before.Elements))
        {
            text.Append("add element ").Append(table).Append(' ').Append(fresh).Append('\n');
        }

        foreach (var name in gone)
        {
            text.Append("delete chain ").Append(table).Append(' ').Append(name).Append('\n');
        }

        foreach (var set in Missing(before.Sets, after.Sets))
        {
            text.Append("delete set ").Append(table).Append(' ').Append(set).Append('\n');
        }

        return text.ToString();
    }

    private static IEnumerable<string> Missing(IReadOnlyList<string> from, IReadOnlyList<string> there)
    {
        var known = there.ToHashSet(StringComparer.Ordinal);
        return from.Where(item => !known.Contains(item));
    }

    private static Content Parts(IpWords words, IReadOnlyList<ServiceTarget> all)
    {
        var targets = all.Where(target => words.Has(target.Address)).ToList();
        var content = new Content([], new SortedDictionary<string, string>(StringComparer.Ordinal), []);
        foreach (var target in targets.Where(t => t.Endpoints.Count > 0 || t.From is not null))
        {
            var chain = Chain(target);
            var place = $"{target.Address} . {target.Protocol} . {target.Port}";
            if (target.Endpoints.Count == 0)
            {
                // Accepted untranslated, so that it is refused below, instead of led to the other nodes' endpoints.
                content.Elements.Add($"targets_from {{ \"{target.From}\" . {place} : accept }}");
                continue;
            }

            if (target is { Affinity: { } timeout, Endpoints.Count: > 1 })
            {
                AddSticky(words, content, target, chain, timeout);
            }
            else
            {
                content.Chains[chain] = $"meta l4proto {target.Protocol} dnat {words.Family} to {Choice(target)}";
            }

            content.Elements.Add(target.From is { } from ? $"targets_from {{ \"{from}\" . {place} : goto {chain} }}" : $"targets {{ {place} : goto {chain} }}");
        }

        // A pod that calls its own service would get its own packets back: the node puts its address in between.
        content.Elements.AddRange(targets.SelectMany(t => t.Endpoints).Select(e => e.Address).Distinct().Select(a => $"hairpins {{ {a} . {a} }}"));
        return content;
    }

    /// <summary>
    /// Each endpoint remembers its clients for a time that every new connection begins anew. The memory has a name made of
    /// the endpoint, so that it outlives changes of the others.
    /// </summary>
    private static void AddSticky(IpWords words, Content content, ServiceTarget target, string chain, int timeout)
    {
        var rules = new List<string>();
        var choices = new List<string>();
        foreach (var endpoint in target.Endpoints)
        {
            var member = $"{chain}__{IpWords.Label(endpoint.Address)}_{endpoint.Port}";
            var clients = $"clients_{member}";
            content.Sets.Add(clients);
            content.Chains[member] = $"update @{clients} {{ {words.Family} saddr timeout {timeout}s }}\nmeta l4proto {target.Protocol} dnat {words.Family} to {endpoint}";
            rules.Add($"{words.Family} saddr @{clients} goto {member}");
            choices.Add($"{choices.Count} : goto {member}");
        }

        content.Chains[chain] = $"{string.Join('\n', rules)}\nnumgen random mod {choices.Count} vmap {{ {string.Join(", ", choices)} }}";
    }

    private static string Chain(ServiceTarget target) =>
        $"to_{IpWords.Label(target.Address)}_{target.Protocol}_{target.Port}{(target.From is { } from ? $"_{from.Replace('-', '_')}" : "")}";

    private static string Choice(ServiceTarget target)
    {
        if (target.Endpoints.Count == 1)
        {
            return target.Endpoints[0].ToString();
        }

        var choices = target.Endpoints.Select((e, i) => $"{i} : {e.Address} . {e.Port}");
        return $"numgen random mod {target.Endpoints.Count} map {{ {string.Join(", ", choices)} }}";
    }

    /// <summary>What the table holds beside its foundation.</summary>
    private sealed record Content(List<string> Elements, SortedDictionary<string, string> Chains, List<string> Sets);
}
