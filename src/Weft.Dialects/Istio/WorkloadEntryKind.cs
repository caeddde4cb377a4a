// SPDX-License-Identifier: Apache-2.0

using System.Net;
using Weft.Dialects.Kubernetes;
using Weft.Dialects.Reading;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Plan;
using Weft.Model.World;

namespace Weft.Dialects.Istio;

/// <summary>WorkloadEntry, and an endpoint of a ServiceEntry, which has the same fields: a workload that is no pod.</summary>
internal static class WorkloadEntryKind
{
    private const string TlsMode = "security.istio.io/tlsMode";
    private const string HealthChecks = "proxy.istio.io/health-checks-enabled";
    private const string Unix = "unix://";

    public static ParsedContent Parse(ObjectContext context)
    {
        var isWell = IsWell(context.Root);
        var spec = context.Root.Required("spec")?.AsObject();
        context.Root.Finish();
        var workload = spec is null ? null : Read(context, spec, takesNames: true, isExternal: false, context.Metadata.Labels);
        return workload is null ? ParsedContent.Nothing : new ParsedContent(Outsider: workload with { IsWell = isWell });
    }

    /// <summary>Whose health is looked at serves only while its status says that it is well.</summary>
    private static bool IsWell(ObjectReader root)
    {
        var conditions = root.Child("status")?.Children("conditions") ?? [];
        var annotations = root.Child("metadata")?.Map("annotations") ?? [];
        return !annotations.Any(a => a.Key == HealthChecks && a.Value.Value is Yaml.YamlScalar { Value: "true" })
            || conditions.Any(c => c.Text("type") == "Healthy" && c.Text("status") == "True");
    }

    /// <summary>Null if it is wrong, which is reported.</summary>
    public static Workload? Read(ObjectContext context, ObjectReader spec, bool takesNames, bool isExternal, EquatableArray<Label> more = default)
    {
        var address = spec.RequiredText("address");
        return address is null || IsAddress(spec.Find("address")!.Value, address, takesNames) ? ReadRest(context, spec, address, isExternal, more) : null;
    }

    private static Workload? ReadRest(ObjectContext context, ObjectReader spec, string? address, bool isExternal, EquatableArray<Label> more)
    {
        LabelSyntax.Check(spec, "labels");
        var own = spec.Labels("labels");
        var labels = own.Concat(more.Where(l => !own.Any(o => o.Key == l.Key))).OrderBy(l => l.Key, StringComparer.Ordinal).ToEquatableArray();
        var account = spec.Text("serviceAccount") ?? "";
        var ports = ReadPorts(spec);
        var weight = spec.Integer("weight", 0, int.MaxValue) ?? 0;
        var locality = spec.Text("locality") ?? "";

        // There are no gateways between networks here, so an endpoint of another network is reached as it is, as in Istio.
        spec.Text("network");
        spec.Finish();
        if (address is null)
        {
            return null;
        }

        // Who names an account has an identity, so there is a proxy to show it, unless the label says otherwise.
        var mode = LocalityLabels.Find(labels, TlsMode);
        var meshed = !isExternal && (mode.Length > 0 ? mode == "istio" : account.Length > 0);
        return Make(context, address.ToLowerInvariant(), labels, account) with
        {
            Meshed = meshed,
            Ports = ports,
            Weight = Math.Max(1, weight),
            NodeLocality = locality,
        };
    }

    /// <summary>The same fields but for the address, which each machine brings itself.</summary>
    public static void ReadTemplate(ObjectContext context, ObjectReader template)
    {
        if (template.Find("address") is { } field && field.AsText() is { Length: > 0 })
        {
            template.Findings.Add(IstioMessages.EntryContradicts, field.KeyPlace, field.Path, "each machine registers with its own address");
        }

        ReadRest(context, template, "192.0.2.1", isExternal: false, []);
    }

    /// <summary>The endpoint that a host is itself.</summary>
    public static Workload Named(ObjectContext context, string host) => Make(context, host, [], "");

    private static Workload Make(ObjectContext context, string address, EquatableArray<Label> labels, string account)
    {
        string Label(string key) => LocalityLabels.Find(labels, key);
        var name = context.Metadata.Name;
        var names = new WorkloadNamePlan(
            name,
            context.Metadata.Namespace,
            Label("service.istio.io/canonical-name") is { Length: > 0 } canonical ? canonical : Label("app") is { Length: > 0 } app ? app : name,
            Label("version") is { Length: > 0 } version ? version : "latest",
            context.Options.ClusterName,
            account,
            Label("app"),
            Label("version"));
        return new Workload(name, context.Metadata.Namespace, address, labels, account, false, names, [], context.Metadata.CreatedAt);
    }

    private static EquatableArray<WorkloadPort> ReadPorts(ObjectReader spec)
    {
        var ports = new List<WorkloadPort>();
        foreach (var (name, value) in spec.Map("ports").OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (value.AsInteger(1, ushort.MaxValue) is { } number)
            {
                ports.Add(new WorkloadPort(name, number));
            }
        }

        return [.. ports];
    }

    private static bool IsAddress(Field field, string address, bool takesNames)
    {
        if (address.StartsWith(Unix, StringComparison.Ordinal))
        {
            field.Report(IstioMessages.UnixSocketEndpoint, address);
            return false;
        }

        if (IPAddress.TryParse(address, out _))
        {
            return true;
        }

        var problem = takesNames ? Hosts.Problem(address) : "it is no IP address, and only DNS resolution takes names";
        if (problem is null && address.StartsWith('*'))
        {
            problem = "a wildcard is no address";
        }

        if (problem is not null)
        {
            field.Report(IstioMessages.BadEntryAddress, address, field.Path, problem);
        }

        return problem is null;
    }
}
