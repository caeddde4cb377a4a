// SPDX-License-Identifier: Apache-2.0

using System.Net;
using Weft.Dialects.Kubernetes;
using Weft.Dialects.Reading;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.World;

namespace Weft.Dialects.Istio;

/// <summary>Gateway: what the proxies at the edge take in.</summary>
internal static class GatewayKind
{
    private static readonly Choices<ServerProtocol> _protocols = new(
        ("HTTP", ServerProtocol.Http),
        ("HTTP2", ServerProtocol.Http),
        ("GRPC", ServerProtocol.Http),
        ("GRPC-WEB", ServerProtocol.Http),
        ("HTTPS", ServerProtocol.Https),
        ("TLS", ServerProtocol.Tls),
        ("TCP", ServerProtocol.Tcp),
        ("MONGO", ServerProtocol.Tcp),
        ("MYSQL", ServerProtocol.Tcp),
        ("REDIS", ServerProtocol.Tcp));

    public static ParsedContent Parse(ObjectContext context)
    {
        context.Root.Ignore("status");
        var spec = context.Root.Required("spec")?.AsObject();
        context.Root.Finish();
        if (spec is null)
        {
            return ParsedContent.Nothing;
        }

        var selector = new LabelSelector(spec.Labels("selector"));
        LabelSyntax.Check(spec, "selector");
        if (spec.Required("servers") is { Value: Yaml.YamlSequence { Items.Count: 0 } } empty)
        {
            empty.Report(ReadingMessages.EmptyList, empty.Path);
        }

        var servers = new List<GatewayServer>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var reader in spec.Children("servers"))
        {
            var server = ReadServer(context, reader);
            if (server.Name.Length > 0 && !names.Add(server.Name))
            {
                reader.Findings.Add(IstioMessages.DuplicatePortName, reader.Place, server.Name);
            }

            servers.Add(server);
        }

        spec.Finish();
        return new ParsedContent(new GatewayIntent(context.Origin, context.Metadata.CreatedAt, selector, servers.ToEquatableArray()));
    }

    private static GatewayServer ReadServer(ObjectContext context, ObjectReader server)
    {
        var (number, protocol, name) = server.Required("port")?.AsObject() is { } port ? ReadPort(port) : (0, ServerProtocol.Tcp, "");
        var bind = server.NonEmptyText("bind") ?? "";
        if (bind.Length > 0 && !IPAddress.TryParse(bind, out _))
        {
            server.Find("bind")!.Value.Report(IstioMessages.BadBind, bind);
        }

        var hosts = ReadHosts(context, server);
        var tls = server.Child("tls") is { } securing ? ServerTlsSettings.Read(securing, protocol) : (null, false);
        if (!server.Has("tls") && protocol is ServerProtocol.Https or ServerProtocol.Tls)
        {
            server.Findings.Add(IstioMessages.ServerNeedsTls, server.Place, server.Path);
        }

        server.NonEmptyText("name");
        server.NotSupported("defaultEndpoint");
        server.Finish();
        return new GatewayServer(name, number, protocol, bind, hosts, tls.Item1, tls.Item2, context.Findings.At(server.Place));
    }

    private static (int Number, ServerProtocol Protocol, string Name) ReadPort(ObjectReader port)
    {
        var number = port.Required("number")?.AsInteger(1, ushort.MaxValue) ?? 0;
        var protocol = port.AnyCaseChoice("protocol", _protocols) ?? ServerProtocol.Tcp;

        var name = port.RequiredText("name") ?? "";
        port.NotSupported("targetPort");
        port.Finish();
        return (number, protocol, name);
    }

    private static EquatableArray<GatewayHost> ReadHosts(ObjectContext context, ObjectReader server)
    {
        if (server.Required("hosts") is { Value: Yaml.YamlSequence { Items.Count: 0 } } empty)
        {
            empty.Report(ReadingMessages.EmptyList, empty.Path);
        }

        var hosts = new List<GatewayHost>();
        foreach (var (text, field) in server.Texts("hosts"))
        {
            var slash = text.IndexOf('/', StringComparison.Ordinal);
            var (ns, host) = slash < 0 ? ("*", text) : (text[..slash], text[(slash + 1)..]);
            ns = ns is "." ? context.Metadata.Namespace : ns;
            if ((ns is not "*" && NameRules.LabelProblem(ns) is not null ? "the part before '/' is no namespace" : Hosts.Problem(host)) is { } problem)
            {
                field.Report(IstioMessages.BadHost, text, problem);
                continue;
            }

            // Short names are not services here: clients from outside write them out.
            hosts.Add(new GatewayHost(ns, host.ToLowerInvariant()));
        }

        return hosts.ToEquatableArray();
    }
}
