// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Net;
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
    private const string Loopback = "127.0.0.1";

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
        var egress = spec.Children("egress").Select(reader => ReadEgress(context, reader)).ToList();
        EquatableArray<SidecarIngress>? ingress = spec.Has("ingress") ? [.. spec.Children("ingress").Select(ReadIngress).OfType<SidecarIngress>()] : null;
        bool? allows = null;
        Destination? proxy = null;
        if (spec.Child("outboundTrafficPolicy") is { } policy)
        {
            // A policy without a mode is the strict one, as in the protocol's own defaults.
            allows = policy.Choice("mode", _modes) ?? false;
            proxy = policy.Child("egressProxy") is { } destination ? Destinations.ReadPlace(context, destination) : null;
            policy.Finish();
        }

        var limits = spec.Child("inboundConnectionPool") is { } pool ? ConnectionPools.Read(pool).Value : null;
        spec.Finish();
        EquatableArray<HostImport>? imports = spec.Has("egress") ? [.. egress.SelectMany(e => e.Imports)] : null;
        return new ParsedContent(new SidecarIntent(context.Origin, context.Metadata.CreatedAt, clients, imports, ingress, allows)
        {
            Egress = [.. egress.Select(e => e.Listener).OfType<SidecarEgress>()],
            EgressProxy = proxy,
            InboundLimits = limits,
        });
    }

    private static LabelSelector? ReadSelector(ObjectReader selector)
    {
        LabelSyntax.Check(selector, "labels");
        var labels = selector.Labels("labels");
        selector.Finish();
        return labels.Count == 0 ? null : new LabelSelector(labels);
    }

    private static (List<HostImport> Imports, SidecarEgress? Listener) ReadEgress(ObjectContext context, ObjectReader egress)
    {
        var (port, _, protocol) = egress.Child("port") is { } reader ? ReadPort(reader) : (0, "", PortProtocol.Tcp);
        var listener = ReadListener(egress, port, protocol);
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
        return (hosts, listener);
    }

    /// <summary>Where nothing is captured applications find the listener on their loopback; an address needs a port to be of use.</summary>
    private static SidecarEgress? ReadListener(ObjectReader egress, int port, PortProtocol protocol)
    {
        var isBound = egress.Choice("captureMode", _captures) is false;
        var bind = egress.NonEmptyText("bind");
        if (bind is null && !isBound)
        {
            return null;
        }

        var field = egress.Find(bind is null ? "captureMode" : "bind")!.Value;
        if (!egress.Has("port"))
        {
            field.Report(IstioMessages.EntryContradicts, field.Path, "a listener of its own needs a port");
            return null;
        }

        if (bind is not null && bind.StartsWith(Unix, StringComparison.Ordinal))
        {
            field.Report(IstioMessages.UnixSocketEndpoint, bind);
            return null;
        }

        if (bind is not null && !IPAddress.TryParse(bind, out _))
        {
            field.Report(IstioMessages.BadEntryAddress, bind, field.Path, "it is no IP address");
            return null;
        }

        return port == 0 ? null : new SidecarEgress(port, protocol, bind ?? Loopback, isBound);
    }

    private static SidecarIngress? ReadIngress(ObjectReader ingress)
    {
        var port = ingress.Required("port")?.AsObject() is { } reader ? ReadPort(reader) : (0, "", PortProtocol.Tcp);
        // A pod is always captured: whoever connects to the port comes in there.
        ingress.Choice("captureMode", _captures);
        ingress.NotSupported("bind");
        if (ingress.Has("tls") && string.Equals(ingress.Child("port")?.Text("protocol"), "HTTPS", StringComparison.OrdinalIgnoreCase))
        {
            // What is in the TLS that ends here.
            port.Item3 = PortProtocol.Http;
        }

        var isHttp = port.Item3 is PortProtocol.Http or PortProtocol.Http2 or PortProtocol.Grpc;
        var tls = ingress.Child("tls") is { } settings ? ServerTlsSettings.Read(settings, isHttp ? ServerProtocol.Https : ServerProtocol.Tls).Tls : null;
        if (tls is { Mode: not (ServerTlsMode.Simple or ServerTlsMode.Mutual) })
        {
            var field = ingress.Find("tls")!.Value;
            ingress.Findings.Add(IstioMessages.EntryContradicts, field.KeyPlace, field.Path, "a workload ends TLS as SIMPLE or MUTUAL; the mesh's own is PeerAuthentication's");
        }

        var limits = ingress.Child("connectionPool") is { } pool ? ConnectionPools.Read(pool).Value : null;
        var endpoint = ingress.NonEmptyText("defaultEndpoint");
        ingress.Finish();
        var read = endpoint is null ? new SidecarIngress(port.Item1, port.Item2, port.Item3, "", port.Item1) : ReadEndpoint(ingress, port, endpoint);
        return read is null ? null : read with { Tls = tls, Limits = limits };
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
