// SPDX-License-Identifier: Apache-2.0

using System.Net;
using Weft.Dialects.Reading;
using Weft.Model;
using Weft.Model.Diagnostics;

namespace Weft.Dialects.Kubernetes;

/// <summary>EndpointSlice: addresses behind a service.</summary>
internal static class EndpointSliceKind
{
    private const string ServiceLabel = "kubernetes.io/service-name";

    private static readonly Choices<bool> _addressTypes = new(("IPv4", true), ("IPv6", true), ("FQDN", false));

    public static ParsedContent Parse(ObjectContext context)
    {
        var root = context.Root;
        var areAddresses = root.Required("addressType")?.AsChoice(_addressTypes) ?? true;
        var ports = root.Children("ports").Select(ReadPort).OfType<EndpointSlicePort>().ToEquatableArray();
        var endpoints = root.Children("endpoints").SelectMany(endpoint => ReadEndpoint(endpoint, areAddresses)).ToEquatableArray();
        root.Finish(KubernetesMessages.UnknownKubernetesField);
        var service = context.Metadata.Labels.FirstOrDefault(label => label.Key is ServiceLabel)?.Value ?? "";
        return new ParsedContent(Slice: new EndpointSliceSpec(
            context.Metadata.Namespace, context.Metadata.Name, service, ports, areAddresses ? endpoints : []));
    }

    private static EndpointSlicePort? ReadPort(ObjectReader reader)
    {
        var name = reader.Text("name") ?? "";
        var port = reader.Integer("port", 1, ushort.MaxValue);
        var protocol = reader.Text("protocol") ?? "TCP";
        reader.Ignore("appProtocol");
        reader.Finish(KubernetesMessages.UnknownKubernetesField);
        return port is { } number && protocol is "TCP" ? new EndpointSlicePort(name, number) : null;
    }

    private static IEnumerable<SliceEndpoint> ReadEndpoint(ObjectReader reader, bool areAddresses)
    {
        var ready = true;
        if (reader.Child("conditions") is { } conditions)
        {
            // Absent means that nobody knows, which counts as ready.
            ready = conditions.Boolean("ready") ?? true;
            conditions.Ignore("serving", "terminating");
            conditions.Finish(KubernetesMessages.UnknownKubernetesField);
        }

        var pod = "";
        if (reader.Child("targetRef") is { } target)
        {
            pod = target.Text("kind") is "Pod" ? target.Text("name") ?? "" : "";
        }

        var addresses = reader.Texts("addresses");
        reader.Required("addresses");
        reader.Ignore("hostname", "nodeName", "zone", "hints", "deprecatedTopology");
        reader.Finish(KubernetesMessages.UnknownKubernetesField);
        foreach (var (text, field) in addresses)
        {
            if (areAddresses && !IPAddress.TryParse(text, out _))
            {
                field.Report(KubernetesMessages.BadAddress, text, field.Path);
            }

            yield return new SliceEndpoint(text, ready, pod);
        }
    }
}
