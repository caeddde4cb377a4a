// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Reading;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;

namespace Weft.Dialects.Istio;

/// <summary>VirtualService: routes for hosts, at the client.</summary>
internal static class VirtualServiceKind
{
    public const string Mesh = "mesh";

    public static ParsedContent Parse(ObjectContext context)
    {
        context.Root.Ignore("status");
        var spec = context.Root.Required("spec")?.AsObject();
        context.Root.Finish();
        if (spec is null)
        {
            return ParsedContent.Nothing;
        }

        var gateways = GatewayNames.Read(context, spec);
        var inMesh = gateways.Count == 0 || gateways.Contains(Mesh);
        var hosts = spec.Has("hosts") ? ReadHosts(context, spec, inMesh) : [];
        var visibility = ExportTo.Read(context, spec);
        var rules = ReadRules(context, spec);
        var tls = spec.Children("tls").Select(rule => ConnectionRules.Read(context, rule, hosts)).ToEquatableArray();
        var tcp = spec.Children("tcp").Select(rule => ConnectionRules.Read(context, rule, null)).ToEquatableArray();
        if (!spec.Has("hosts"))
        {
            CheckDelegate(spec);
        }

        spec.Finish();
        return new ParsedContent(new RouteIntent(
            context.Origin,
            context.Metadata.CreatedAt,
            hosts,
            gateways.Count == 0 && hosts.Count > 0 ? [Mesh] : gateways,
            visibility,
            rules)
        {
            Tls = tls,
            Tcp = tcp,
        });
    }

    /// <summary>Without hosts it holds rules for another's, and only such rules.</summary>
    private static void CheckDelegate(ObjectReader spec)
    {
        foreach (var name in new[] { "gateways", "tls", "tcp" })
        {
            if (spec.Find(name) is { } field)
            {
                spec.Findings.Add(IstioMessages.NotInDelegate, field.KeyPlace, field.Path);
            }
        }

        foreach (var rule in spec.Children("http"))
        {
            if (rule.Find("delegate") is { } field)
            {
                spec.Findings.Add(IstioMessages.NotInDelegate, field.KeyPlace, field.Path);
            }
        }
    }

    private static EquatableArray<string> ReadHosts(ObjectContext context, ObjectReader spec, bool inMesh)
    {
        var hosts = new List<string>();
        var written = spec.Texts("hosts");
        if (spec.Find("hosts") is { Value: Yaml.YamlSequence { Items.Count: 0 } } empty)
        {
            empty.Report(ReadingMessages.EmptyList, empty.Path);
        }

        foreach (var (text, field) in written)
        {
            if (Hosts.Problem(text) is { } problem)
            {
                field.Report(IstioMessages.BadHost, text, problem);
                continue;
            }

            if (inMesh && text is "*")
            {
                field.Report(IstioMessages.WildcardHostInMesh);
            }

            var host = context.FullHost(text);
            if (hosts.Contains(host))
            {
                field.Report(IstioMessages.DuplicateHost, host);
                continue;
            }

            hosts.Add(host);
        }

        return [.. hosts];
    }

    private static EquatableArray<HttpRule> ReadRules(ObjectContext context, ObjectReader spec)
    {
        if (!spec.Has("http") && !spec.Has("tls") && !spec.Has("tcp"))
        {
            context.Findings.Add(IstioMessages.NoRules, spec.Place);
            return [];
        }

        if (spec.Find("http") is { Value: Yaml.YamlSequence { Items.Count: 0 } } empty)
        {
            empty.Report(ReadingMessages.EmptyList, empty.Path);
        }

        var rules = new List<HttpRule>();
        var reachability = new Reachability(context.Findings);
        foreach (var reader in spec.Children("http"))
        {
            var rule = HttpRules.Read(context, reader);
            reachability.Check(rule, reader);
            rules.Add(rule);
        }

        return [.. rules];
    }
}
