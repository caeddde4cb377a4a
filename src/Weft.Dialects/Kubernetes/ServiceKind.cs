// SPDX-License-Identifier: Apache-2.0

using System.Net;
using Weft.Dialects.Linkerd;
using Weft.Dialects.Reading;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.World;

namespace Weft.Dialects.Kubernetes;

/// <summary>Service: a name that clients call.</summary>
internal static class ServiceKind
{
    private const string None = "None";

    private static readonly Choices<bool> _types = new(("ClusterIP", false), ("NodePort", false), ("LoadBalancer", false), ("ExternalName", true));

    public static ParsedContent Parse(ObjectContext context)
    {
        context.Root.Ignore("status");
        var spec = context.Root.Required("spec")?.AsObject();
        context.Root.Finish(KubernetesMessages.UnknownKubernetesField);
        if (spec is null)
        {
            return ParsedContent.Nothing;
        }

        var isExternal = spec.Choice("type", _types) ?? false;
        LabelSyntax.Check(spec, "selector");
        var selector = spec.Labels("selector");
        var addresses = ReadAddresses(spec, out var headless);
        var annotations = new Annotations(context);
        var ports = OpaquePorts.Apply(annotations, new ServicePortReader(spec).Read(required: !isExternal && !headless));
        var policy = ServicePolicies.Read(context, spec, annotations);
        spec.Ignore(
            "allocateLoadBalancerNodePorts", "externalIPs", "externalTrafficPolicy", "healthCheckNodePort", "internalTrafficPolicy",
            "ipFamilies", "ipFamilyPolicy", "loadBalancerClass", "loadBalancerIP", "loadBalancerSourceRanges",
            "publishNotReadyAddresses", "sessionAffinityConfig", "externalName");
        spec.Finish(KubernetesMessages.UnknownKubernetesField);
        if (isExternal)
        {
            spec.RequiredText("externalName");
            context.Findings.Add(KubernetesMessages.ExternalNameService, spec.Find("type")!.Value.Place);
            return ParsedContent.Nothing;
        }

        var name = context.Metadata.Name;
        return new ParsedContent(Service: new Service(
            name,
            context.Metadata.Namespace,
            $"{name}.{context.Metadata.Namespace}.svc.{context.Options.DomainSuffix}",
            addresses,
            ports,
            headless)
        {
            Policy = policy,
            Visibility = Istio.ExportTo.Read(context, annotations),
            Selector = selector.Count == 0 ? null : new LabelSelector(selector),
        });
    }

    /// <summary>clusterIPs, or clusterIP where that is all there is; neither is set before the API server has chosen one.</summary>
    private static EquatableArray<string> ReadAddresses(ObjectReader spec, out bool headless)
    {
        var addresses = new List<string>();
        headless = false;
        var fields = spec.Texts("clusterIPs").ToList();
        if (spec.Find("clusterIP") is { } single && single.AsText() is { } address)
        {
            fields.Insert(0, KeyValuePair.Create(address, single));
        }

        foreach (var (text, field) in fields)
        {
            if (text is None)
            {
                headless = true;
            }
            else if (text.Length > 0 && !IPAddress.TryParse(text, out _))
            {
                field.Report(KubernetesMessages.BadAddress, text, field.Path);
            }
            else if (text.Length > 0 && !addresses.Contains(text))
            {
                addresses.Add(text);
            }
        }

        return [.. addresses];
    }
}
