// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Dialects.Kubernetes;
using Weft.Model;
using Weft.Model.World;

namespace Weft.Dialects.Linkerd;

/// <summary>config.linkerd.io/opaque-ports: ports whose bytes are nobody's business; a Service's for its clients, a pod's for itself.</summary>
internal static class OpaquePorts
{
    private const string Key = "config.linkerd.io/opaque-ports";

    /// <summary>The ports with those that are listed (numbers, ranges, names) as TCP.</summary>
    public static EquatableArray<ServicePort> Apply(Annotations annotations, EquatableArray<ServicePort> ports)
    {
        if (annotations.Text(Key) is not { } text)
        {
            return ports;
        }

        var opaque = new HashSet<ServicePort>();
        foreach (var item in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (Range(item) is var (first, last))
            {
                opaque.UnionWith(ports.Where(port => port.Port >= first && port.Port <= last));
            }
            else if (char.IsAsciiDigit(item[0]))
            {
                annotations.Reject(Key, "numbers, ranges as 3000-3010 and names of ports are expected");
            }
            else
            {
                opaque.UnionWith(ports.Where(port => string.Equals(port.Name, item, StringComparison.Ordinal)));
            }
        }

        return [.. ports.Select(port => opaque.Contains(port) && port.Protocol != PortProtocol.Udp ? port with { Protocol = PortProtocol.Tcp } : port)];
    }

    /// <summary>The ports that a pod lists; names are its containers'.</summary>
    public static EquatableArray<PortRange> Of(Annotations annotations, EquatableArray<WorkloadPort> ports)
    {
        var ranges = new List<PortRange>();
        foreach (var item in annotations.Text(Key)?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [])
        {
            if (Range(item) is var (first, last))
            {
                ranges.Add(new PortRange(first, last));
            }
            else if (char.IsAsciiDigit(item[0]))
            {
                annotations.Reject(Key, "numbers, ranges as 3000-3010 and names of ports are expected");
            }
            else
            {
                ranges.AddRange(ports.Where(port => string.Equals(port.Name, item, StringComparison.Ordinal)).Select(port => new PortRange(port.Port, port.Port)));
            }
        }

        return [.. ranges];
    }

    private static (int First, int Last)? Range(string item)
    {
        var dash = item.IndexOf('-', StringComparison.Ordinal);
        var (first, last) = dash < 0 ? (item, item) : (item[..dash], item[(dash + 1)..]);
        return Port(first) is { } from && Port(last) is { } to && from <= to ? (from, to) : null;
    }

    private static int? Port(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= ushort.MaxValue ? port : null;
}
