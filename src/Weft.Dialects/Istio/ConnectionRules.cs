// SPDX-License-Identifier: Apache-2.0

using System.Net;
using Weft.Dialects.Kubernetes;
using Weft.Dialects.Reading;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.World;

namespace Weft.Dialects.Istio;

/// <summary>One entry of tls or tcp: matches, and where the connections go.</summary>
internal static class ConnectionRules
{
    /// <param name="context">The object.</param>
    /// <param name="rule">The entry.</param>
    /// <param name="hosts">For tls: the object's hosts, which server names must be among. Null for tcp.</param>
    public static ConnectionRule Read(ObjectContext context, ObjectReader rule, IReadOnlyCollection<string>? hosts)
    {
        var matches = rule.Children("match").Select(match => ReadMatch(context, match, hosts)).ToEquatableArray();
        if (hosts is not null && rule.Required("match") is { Value: Yaml.YamlSequence { Items.Count: 0 } } empty)
        {
            empty.Report(ReadingMessages.EmptyList, empty.Path);
        }

        if (rule.Required("route") is { Value: Yaml.YamlSequence { Items.Count: 0 } } nowhere)
        {
            nowhere.Report(ReadingMessages.EmptyList, nowhere.Path);
        }

        var destinations = Destinations.ReadAll(rule, route => Destinations.ReadForConnections(context, route));
        rule.Finish();
        return new ConnectionRule(matches, destinations, context.Findings.At(rule.Place));
    }

    private static ConnectionMatch ReadMatch(ObjectContext context, ObjectReader match, IReadOnlyCollection<string>? hosts)
    {
        var names = hosts is null ? [] : ReadServerNames(context, match, hosts);
        var networks = match.Texts("destinationSubnets").Where(IsNetwork).Select(pair => pair.Key).ToEquatableArray();
        var port = match.Integer("port", 1, ushort.MaxValue) ?? 0;
        var labels = new LabelSelector(match.Labels("sourceLabels"));
        LabelSyntax.Check(match, "sourceLabels");
        var sourceNamespace = match.NonEmptyText("sourceNamespace") ?? "";
        var gateways = GatewayNames.Read(context, match);
        match.NotSupported("sourceSubnet");
        match.Finish();
        return new ConnectionMatch(names, networks, port, labels, sourceNamespace, gateways);
    }

    private static EquatableArray<string> ReadServerNames(ObjectContext context, ObjectReader match, IReadOnlyCollection<string> hosts)
    {
        if (match.Required("sniHosts") is { Value: Yaml.YamlSequence { Items.Count: 0 } } empty)
        {
            empty.Report(ReadingMessages.EmptyList, empty.Path);
        }

        var names = new List<string>();
        foreach (var (text, field) in match.Texts("sniHosts"))
        {
            if (Hosts.Problem(text) is { } problem)
            {
                field.Report(IstioMessages.BadHost, text, problem);
            }
            else if (!hosts.Any(host => Covers(host, text) || Covers(host, context.FullHost(text))))
            {
                field.Report(IstioMessages.ServerNameOutsideHosts, text);
            }

            names.Add(text.ToLowerInvariant());
        }

        return [.. names];
    }

    /// <summary>True if a host of the object takes every name that the pattern takes.</summary>
    private static bool Covers(string host, string pattern) =>
        string.Equals(host, pattern, StringComparison.OrdinalIgnoreCase) || host is "*" ||
        (host.StartsWith("*.", StringComparison.Ordinal) && pattern.EndsWith(host[1..], StringComparison.OrdinalIgnoreCase));

    private static bool IsNetwork(KeyValuePair<string, Field> written)
    {
        var text = written.Key;
        if (IPAddress.TryParse(text, out _) || IPNetwork.TryParse(text, out _))
        {
            return true;
        }

        written.Value.Report(IstioMessages.BadNetwork, text);
        return false;
    }
}
