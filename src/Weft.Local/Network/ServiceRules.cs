// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace Weft.Local.Network;

/// <summary>The node's NAT for service addresses, as nft scripts.</summary>
internal static class ServiceRules
{
    private const string Table = "ip weft_services";

    /// <summary>
    /// The part that never changes. Its chains stay hooked while <see cref="Update"/> exchanges what they look up, so that
    /// established connections keep their translation.
    /// </summary>
    public static string Foundation => $$"""
        table {{Table}}
        delete table {{Table}}
        table {{Table}} {
          map targets {
            type ipv4_addr . inet_proto . inet_service : verdict
          }
          set hairpins {
            type ipv4_addr . ipv4_addr
          }
          chain dispatch {
            ip daddr . meta l4proto . th dport vmap @targets
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
            ip saddr . ip daddr @hairpins masquerade
          }
          chain refuse {
            ip daddr {{NodeNetwork.ServiceRange}} fib daddr type != local meta l4proto tcp reject with tcp reset
            ip daddr {{NodeNetwork.ServiceRange}} fib daddr type != local reject
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

    /// <summary>One transaction from the <paramref name="old"/> targets to the <paramref name="wanted"/> ones.</summary>
    public static string Update(IReadOnlyList<ServiceTarget> old, IReadOnlyList<ServiceTarget> wanted)
    {
        var text = new StringBuilder();
        text.Append("flush map ").Append(Table).Append(" targets\n");
        text.Append("flush set ").Append(Table).Append(" hairpins\n");
        var names = old.Where(t => t.Endpoints.Count > 0).Select(Chain).ToHashSet(StringComparer.Ordinal);
        var serving = wanted.Where(t => t.Endpoints.Count > 0).ToList();
        foreach (var target in serving)
        {
            var chain = Chain(target);
            var fresh = names.Remove(chain) ? "flush" : "add";
            text.Append(fresh).Append(" chain ").Append(Table).Append(' ').Append(chain).Append('\n');
            text.Append("add rule ").Append(Table).Append(' ').Append(chain).Append(" meta l4proto ").Append(target.Protocol)
                .Append(" dnat ip to ").Append(Choice(target)).Append('\n');
            text.Append("add element ").Append(Table).Append(" targets { ")
                .Append(target.Address).Append(" . ").Append(target.Protocol).Append(" . ").Append(target.Port)
                .Append(" : goto ").Append(chain).Append(" }\n");
        }

        // A pod that calls its own service would get its own packets back: the node puts its address in between.
        foreach (var address in serving.SelectMany(t => t.Endpoints).Select(e => e.Address).Distinct())
        {
            text.Append("add element ").Append(Table).Append(" hairpins { ")
                .Append(address).Append(" . ").Append(address).Append(" }\n");
        }

        foreach (var chain in names)
        {
            text.Append("flush chain ").Append(Table).Append(' ').Append(chain).Append('\n');
            text.Append("delete chain ").Append(Table).Append(' ').Append(chain).Append('\n');
        }

        return text.ToString();
    }

    private static string Chain(ServiceTarget target) =>
        $"to_{target.Address.ToString().Replace('.', '_')}_{target.Protocol}_{target.Port}";

    private static string Choice(ServiceTarget target)
    {
        if (target.Endpoints.Count == 1)
        {
            return $"{target.Endpoints[0].Address} : {target.Endpoints[0].Port}".Replace(" : ", ":", StringComparison.Ordinal);
        }

        var number = target.Sticky
            ? $"jhash ip saddr mod {target.Endpoints.Count}"
            : $"numgen random mod {target.Endpoints.Count}";
        var choices = target.Endpoints.Select((e, i) => $"{i} : {e.Address} . {e.Port}");
        return $"{number} map {{ {string.Join(", ", choices)} }}";
    }
}
