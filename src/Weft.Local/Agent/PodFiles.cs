// SPDX-License-Identifier: Apache-2.0

using System.Text;
using System.Text.Json.Nodes;
using Weft.Kubernetes;
using Weft.Local.Network;

namespace Weft.Local.Agent;

/// <summary>Where a pod's files are, and those that every pod has: resolv.conf and hosts.</summary>
internal static class PodFiles
{
    public static string LogFolder(string podFolder, string container) => Path.Combine(podFolder, "containers", container);

    public static string MessageFile(string podFolder, string container) => Path.Combine(LogFolder(podFolder, container), "termination-log");

    public static async Task WriteAsync(PodSpec pod, string folder, IReadOnlyList<string> addresses, CancellationToken ct)
    {
        await File.WriteAllTextAsync(Path.Combine(folder, "resolv.conf"), ResolvConf(pod), ct);
        await File.WriteAllTextAsync(Path.Combine(folder, "hosts"), Hosts(pod, addresses), ct);
    }

    internal static string ResolvConf(PodSpec pod)
    {
        var config = pod.Source.Find("spec", "dnsConfig") as JsonObject ?? [];
        var own = pod.Source.Text("spec", "dnsPolicy") != "None";
        var servers = (own ? [NodeNetwork.DnsAddress] : (string[])[]).Concat(config.Texts("nameservers")).Distinct();
        var search = (own ? [$"{pod.Namespace}.svc.cluster.local", "svc.cluster.local", "cluster.local"] : (string[])[])
            .Concat(config.Texts("searches")).Distinct().ToList();
        var options = config.Objects("options").ToDictionary(o => o.Text("name") ?? "", o => o.Text("value"), StringComparer.Ordinal);
        if (own)
        {
            options.TryAdd("ndots", "5");
        }

        var text = new StringBuilder();
        foreach (var server in servers)
        {
            text.Append("nameserver ").Append(server).Append('\n');
        }

        if (search.Count > 0)
        {
            text.Append("search ").AppendJoin(' ', search).Append('\n');
        }

        if (options.Count > 0)
        {
            text.Append("options ").AppendJoin(' ', options.Select(o => o.Value is null ? o.Key : $"{o.Key}:{o.Value}")).Append('\n');
        }

        return text.ToString();
    }

    internal static string Hosts(PodSpec pod, IReadOnlyList<string> addresses)
    {
        var aliases = pod.Source.Objects("spec", "hostAliases")
            .Select(a => $"{a.Text("ip")} {string.Join(' ', a.Texts("hostnames"))}\n");
        var name = pod.Source.Text("spec", "subdomain") is { Length: > 0 } subdomain
            ? $"{pod.HostName}.{subdomain}.{pod.Namespace}.svc.cluster.local {pod.HostName}"
            : pod.HostName;
        var own = string.Concat(addresses.Select(address => $"{address} {name}\n"));
        var loopback6 = addresses.Any(IpWords.IsSix) ? "::1 localhost ip6-localhost ip6-loopback\n" : "";
        return $"127.0.0.1 localhost\n{loopback6}{own}{string.Concat(aliases)}";
    }
}
