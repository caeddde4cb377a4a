// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Istio;
using Weft.Dialects.Linkerd;
using Weft.Dialects.Reading;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.World;

namespace Weft.Dialects.Kubernetes;

/// <summary>Pod: a workload as soon as it has an address, until it has ended.</summary>
internal static class PodKind
{
    private const string TlsModeLabel = "security.istio.io/tlsMode";

    public static ParsedContent Parse(ObjectContext context)
    {
        var root = context.Root;
        var spec = root.Required("spec")?.AsObject();
        var status = root.Child("status");
        root.Finish(KubernetesMessages.UnknownKubernetesField);
        if (spec is null)
        {
            return ParsedContent.Nothing;
        }

        PodSpecs.Check(spec);
        var address = status?.Text("podIP") ?? "";
        var hasEnded = status?.Text("phase") is "Succeeded" or "Failed";
        if (address.Length == 0 || hasEnded)
        {
            return ParsedContent.Nothing;
        }

        var account = spec.Text("serviceAccountName") is { Length: > 0 } name ? name : "default";
        var labels = context.Metadata.Labels;
        var ports = ReadPorts(spec);
        var annotations = new Annotations(context);
        var workload = new Workload(
            context.Metadata.Name,
            context.Metadata.Namespace,
            address,
            labels,
            account,
            labels.Contains(new Label(TlsModeLabel, "istio")),
            WorkloadNames.Of(root, context, account),
            ports,
            context.Metadata.CreatedAt)
        {
            Node = spec.Text("nodeName") ?? "",
            OpaquePorts = OpaquePorts.Of(annotations, ports),
            MoreAddresses = [.. status!.Children("podIPs").Select(each => each.Text("ip")).OfType<string>().Where(each => each != address)],
        };
        return new ParsedContent(Workload: ProxyConfigs.Apply(workload, annotations));
    }

    /// <summary>The ports of the application; those of its own proxy are no business of its peers.</summary>
    private static EquatableArray<WorkloadPort> ReadPorts(ObjectReader spec) =>
    [
        .. from container in spec.Children("containers")
           where container.Text("name") is not ("weft-proxy" or "istio-proxy")
           from port in container.Children("ports")
           where port.Text("protocol") is null or "TCP"
           let number = port.Integer("containerPort", 1, ushort.MaxValue)
           where number is not null
           select new WorkloadPort(port.Text("name") ?? "", number.Value),
    ];
}
