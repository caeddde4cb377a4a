// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Dialects.Kubernetes;
using Weft.Dialects.Reading;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.World;

namespace Weft.Dialects.Istio;

/// <summary>Sidecar: what workloads see of the mesh, and which ports they take.</summary>
internal static class SidecarKind
{
    private const string Unix = "unix://";

    private static readonly Choices<bool> _modes = new(("REGISTRY_ONLY", false), ("ALLOW_ANY", true));
    private static readonly Choices<bool> _captures = new(("DEFAULT", true), ("IPTABLES", true), ("NONE", false));

    private static readonly Choices<PortProtocol> _protocols = new(
        ("HTTP", PortProtocol.Http), ("HTTPS", PortProtocol.Tls), ("GRPC", PortProtocol.Grpc), ("HTTP2", PortProtocol.Http2),
        ("TCP", PortProtocol.Tcp), ("TLS", PortProtocol.Tls), ("MONGO", PortProtocol.Tcp), ("MYSQL", PortProtocol.Tcp), ("REDIS", PortProtocol.Tcp));

    public static ParsedContent Parse(ObjectContext context)
    {
        context.Root.Ignore("status");
        var spec = context.Root.Required("spec")?.AsObject();
        context.Root.Finish();
        if (spec is null)
        {
            return ParsedContent.Nothing;
        }

        var clients = spec.Child("workloadSelector") is { } selector ? ReadSelector(selector) : null;
        EquatableArray<HostImport>? imports = spec.Has("egress") ? [.. spec.Children("egress").SelectMany(egress => ReadEgress(context, egress))] : null;
        EquatableArray<SidecarIngress>? ingress = spec.Has("ingress") ? [.. spec.Children("ingress").Select(ReadIngress).OfType<SidecarIngress>()] : null;
        bool? allows = null;
        if (spec.Child("outboundTrafficPolicy") is { } policy)
        {
            // A policy without a mode is the strict one, as in the protocol's own defaults.
            allows = policy.Choice("mode", _modes) ?? false;
            policy.NotSupported("egressProxy");
            policy.Finish();
        }

        spec.NotSupported("inboundConnectionPool");
        spec.Finish();
        return new ParsedContent(new SidecarIntent(context.Origin, context.Metadata.CreatedAt, clients, imports, ingress, allows));
    }

    private static LabelSelector? ReadSelector(ObjectReader selector)
    {
        LabelSyntax.Check(selector, "labels");
        var labels = selector.Labels("labels");
        selector.Finish();
        return labels.Count == 0 ? null : new LabelSelector(labels);
    }

    private static List<HostImport> ReadEgress(ObjectContext context, ObjectReader egress)
    {
        var port = egress.Child("port") is { } reader ? ReadPort(reader).Number : 0;
        if (egress.Choice("captureMode", _captures) is false)
        {
            egress.Findings.Add(ReadingMessages.FieldNotSupported, egress.Find("captureMode")!.Value.KeyPlace, egress.Find("captureMode")!.Value.Path);
        }

        egress.NotSupported("bind");
        if (egress.Required("hosts") is { Value: Yaml.YamlSequence { Items.Count: 0 } } empty)
        {
            empty.Report(ReadingMessages.EmptyList, empty.Path);
        }

        var hosts = new List<HostImport>();
        foreach (var (text, field) in egress.Texts("hosts"))
        {
            var slash = text.IndexOf('/', StringComparison.Ordinal);
            var (ns, host) = slash < 0 ? ("", text) : (text[..slash], text[(slash + 1)..]);
            var problem = slash < 0 ? "it must be NAMESPACE/HOST"
                : ns is not ("*" or "." or "~") && NameRules.LabelProblem(ns) is not null ? "the part before '/' is no namespace"
                : Hosts.Problem(host);
            if (problem is not null)
            {
                field.Report(IstioMessages.BadHost, text, problem);
            }
            else if (ns is not "~")
            {
                hosts.Add(new HostImport(ns is "." ? context.Metadata.Namespace : ns, host.ToLowerInvariant(), port));
            }
        }

        egress.Finish();
        return hosts;
    }

    private static SidecarIngress? ReadIngress(ObjectReader ingress)
    {
        var port = ingress.Required("port")?.AsObject() is { } reader ? ReadPort(reader) : (0, "", PortProtocol.Tcp);
        if (ingress.Choice("captureMode", _captures) is false)
        {
            ingress.Findings.Add(ReadingMessages.FieldNotSupported, ingress.Find("captureMode")!.Value.KeyPlace, ingress.Find("captureMode")!.Value.Path);
        }

        ingress.NotSupported("bind", "tls", "connectionPool");
        var endpoint = ingress.NonEmptyText("defaultEndpoint");
        ingress.Finish();
        return endpoint is null ? new SidecarIngress(port.Item1, port.Item2, port.Item3, "", port.Item1) : ReadEndpoint(ingress, port, endpoint);
    }

    /// <summary>Only the workload itself is taken: its loopback, or all of its addresses.</summary>
    private static SidecarIngress? ReadEndpoint(ObjectReader ingress, (int Number, string Name, PortProtocol Protocol) port, string endpoint)
    {
        var field = ingress.Find("defaultEndpoint")!.Value;
        if (endpoint.StartsWith(Unix, StringComparison.Ordinal))
        {
            field.Report(IstioMessages.UnixSocketEndpoint, endpoint);
            return null;
        }

        var colon = endpoint.LastIndexOf(':');
        var address = colon < 0 ? "" : endpoint[..colon].Trim('[', ']');
        if (address is not ("127.0.0.1" or "0.0.0.0" or "::1" or "::") ||
            !ushort.TryParse(endpoint.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number == 0)
        {
            field.Report(IstioMessages.BadEntryAddress, endpoint, field.Path, "it must be 127.0.0.1:PORT, 0.0.0.0:PORT, [::1]:PORT or [::]:PORT");
            return null;
        }

        return new SidecarIngress(port.Number, port.Name, port.Protocol, address is "127.0.0.1" or "::1" ? address : "", number);
    }

    private static (int Number, string Name, PortProtocol Protocol) ReadPort(ObjectReader port)
    {
        var number = port.Required("number")?.AsInteger(1, ushort.MaxValue) ?? 0;
        var protocol = port.AnyCaseChoice("protocol", _protocols) ?? PortProtocol.Tcp;

        var name = port.Text("name") ?? "";
        port.Ignore("targetPort");
        port.Finish();
        return (number, name, protocol);
    }
}
