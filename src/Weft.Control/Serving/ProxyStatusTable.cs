// SPDX-License-Identifier: Apache-2.0

using System.Text;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Control.Serving;

/// <summary>The answer of <c>/debug/syncz</c> as the table that Istio's users know.</summary>
public static class ProxyStatusTable
{
    private static readonly string[] _types = ["CDS", "LDS", "EDS", "RDS", "SDS"];

    /// <param name="syncz">The parsed answer of <c>/debug/syncz</c>.</param>
    /// <param name="controlPlane">What stands in the ISTIOD column.</param>
    public static string Render(JsonArray syncz, string controlPlane)
    {
        ArgumentNullException.ThrowIfNull(syncz);
        var rows = new List<string[]> { (string[])["NAME", "CLUSTER", .. _types, "ECDS", "ISTIOD", "VERSION"] };
        foreach (var proxy in syncz.OfType<JsonObject>())
        {
            rows.Add(
            [
                proxy.Text("proxy") ?? "",
                proxy.Text("clusterId") ?? "",
                .. _types.Select(type => Cell(proxy, type)),
                TypeStatus.NotSent,
                controlPlane,
                proxy.Text("version") ?? "",
            ]);
        }

        return Align(rows);
    }

    /// <summary>Why proxies refused what they were sent, one line each; empty if none did.</summary>
    public static string RenderRefusals(JsonArray syncz)
    {
        ArgumentNullException.ThrowIfNull(syncz);
        var text = new StringBuilder();
        foreach (var proxy in syncz.OfType<JsonObject>())
        {
            foreach (var type in _types)
            {
                if (proxy.Text("types", type, "reason") is { Length: > 0 } reason)
                {
                    text.Append(proxy.Text("proxy")).Append(" refused ").Append(type).Append(": ").Append(reason).Append('\n');
                }
            }
        }

        return text.ToString();
    }

    private static string Cell(JsonObject proxy, string type) => proxy.Text("types", type, "state") ?? TypeStatus.NotSent;

    private static string Align(List<string[]> rows)
    {
        var widths = Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length)).ToArray();
        var text = new StringBuilder();
        foreach (var row in rows)
        {
            var line = new StringBuilder();
            for (var column = 0; column < row.Length; column++)
            {
                line.Append(row[column].PadRight(widths[column] + 5));
            }

            text.Append(line.ToString().TrimEnd()).Append('\n');
        }

        return text.ToString();
    }
}
