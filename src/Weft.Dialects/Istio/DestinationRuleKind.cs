// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Kubernetes;
using Weft.Dialects.Reading;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.World;

namespace Weft.Dialects.Istio;

/// <summary>DestinationRule: how to reach a host, and its subsets.</summary>
internal static class DestinationRuleKind
{
    public static ParsedContent Parse(ObjectContext context)
    {
        context.Root.Ignore("status");
        var spec = context.Root.Required("spec")?.AsObject();
        context.Root.Finish();
        if (spec is null)
        {
            return ParsedContent.Nothing;
        }

        var host = Destinations.ReadHost(context, spec);
        var policy = spec.Child("trafficPolicy") is { } reader ? TrafficPolicies.Read(reader, withPorts: true) : TrafficPolicy.None;
        var subsets = ReadSubsets(context, spec);
        var visibility = ExportTo.Read(context, spec);
        var clients = Selectors.Read(spec, "workloadSelector") ?? LabelSelector.Everything;
        spec.Finish();
        return new ParsedContent(new DestinationIntent(
            context.Origin, context.Metadata.CreatedAt, host, visibility, clients, policy, subsets));
    }

    private static EquatableArray<Subset> ReadSubsets(ObjectContext context, ObjectReader spec)
    {
        var subsets = new List<Subset>();
        foreach (var reader in spec.Children("subsets"))
        {
            var name = reader.RequiredText("name") ?? "";
            if (name.Length > 0)
            {
                CheckName(reader.Find("name")!.Value, name, subsets);
            }

            var labels = new LabelSelector(reader.Labels("labels"));
            LabelSyntax.Check(reader, "labels");
            var policy = reader.Child("trafficPolicy") is { } own ? TrafficPolicies.Read(own, withPorts: true) : TrafficPolicy.None;
            reader.Finish();
            subsets.Add(new Subset(name, labels, policy, context.Findings.At(reader.Place)));
        }

        return [.. subsets];
    }

    private static void CheckName(Field field, string name, List<Subset> subsets)
    {
        // Upper case and '_' are no DNS label but have always been accepted in names of subsets.
        if (NameRules.LabelProblem(name.ToLowerInvariant().Replace('_', '-')) is { } problem)
        {
            field.Report(IstioMessages.BadSubsetName, name, problem);
        }
        else if (subsets.Exists(subset => string.Equals(subset.Name, name, StringComparison.Ordinal)))
        {
            field.Report(IstioMessages.DuplicateSubset, name);
        }
    }
}
