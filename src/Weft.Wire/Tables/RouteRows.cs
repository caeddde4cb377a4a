// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json;

namespace Weft.Wire.Tables;

/// <summary>Rows of <c>proxy-config route</c>: one for each virtual host and distinct match.</summary>
internal static class RouteRows
{
    /// <summary>Domains that are listed before the rest is only counted.</summary>
    private const int ListedDomains = 1;

    public static TextTable Read(IEnumerable<JsonElement> tables, TableFilter filter)
    {
        var rows = new List<IReadOnlyList<string>>();
        foreach (var table in tables)
        {
            var name = table.Text("name");
            if (!ProxyConfigTables.Wanted(filter.Name, name))
            {
                continue;
            }

            foreach (var host in table.Items("virtual_hosts"))
            {
                var domains = Domains(host.Texts("domains"));
                var routes = host.Items("routes").ToList();
                if (routes.Count == 0)
                {
                    rows.Add([name, host.Text("name"), domains, "/*", "404"]);
                }

                foreach (var route in routes)
                {
                    rows.Add([name, host.Text("name"), domains, Match(route.Child("match")), route.IstioObject("virtual-service")]);
                }
            }
        }

        var sorted = rows.OrderBy(r => Number(r[0])).ThenBy(r => r[0], StringComparer.Ordinal).ThenBy(r => r[1], StringComparer.Ordinal);
        return new TextTable(["NAME", "VHOST NAME", "DOMAINS", "MATCH", "VIRTUAL SERVICE"], [.. sorted]);
    }

    /// <summary>The path condition as Istio's tools show it: <c>/get*</c>, <c>/exact</c>, <c>regex ...</c>.</summary>
    public static string Match(JsonElement match)
    {
        var path = match.Text("path") is { Length: > 0 } exact ? exact
            : match.Child("safe_regex") is { ValueKind: JsonValueKind.Object } regex ? $"regex {regex.Text("regex")}"
            : $"{match.Text("prefix")}*";
        var conditions = match.Items("headers").Concat(match.Items("query_parameters")).Count();
        return conditions == 0 ? path : $"{path} + {conditions.ToString(CultureInfo.InvariantCulture)} more";
    }

    private static string Domains(IReadOnlyList<string> domains)
    {
        if (domains.Count <= ListedDomains + 1)
        {
            return string.Join(", ", domains);
        }

        var more = (domains.Count - ListedDomains).ToString(CultureInfo.InvariantCulture);
        return $"{string.Join(", ", domains.Take(ListedDomains))} + {more} more...";
    }

    /// <summary>Tables that are named by a port come first, in the order of the ports.</summary>
    private static int Number(string name) =>
        int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var port) ? port : int.MaxValue;
}
