// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Reading;
using Weft.Dialects.Yaml;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.World;

namespace Weft.Dialects.Istio;

/// <summary>ports of a ServiceEntry.</summary>
internal static class EntryPorts
{
    private static readonly Choices<PortProtocol> _protocols = new(
        ("HTTP", PortProtocol.Http), ("HTTPS", PortProtocol.Tls), ("GRPC", PortProtocol.Grpc), ("HTTP2", PortProtocol.Http2),
        ("TCP", PortProtocol.Tcp), ("TLS", PortProtocol.Tls), ("MONGO", PortProtocol.Tcp), ("MYSQL", PortProtocol.Tcp),
        ("REDIS", PortProtocol.Tcp), ("GRPC-WEB", PortProtocol.Grpc), ("UDP", PortProtocol.Udp));

    public static EquatableArray<ServicePort> Read(ObjectReader spec, ServiceResolution resolution)
    {
        if (spec.Required("ports") is { Value: YamlSequence { Items.Count: 0 } } empty)
        {
            empty.Report(ReadingMessages.EmptyList, empty.Path);
        }

        var ports = new List<ServicePort>();
        foreach (var reader in spec.Children("ports"))
        {
            var port = ReadOne(reader, resolution);
            if (ports.Exists(p => p.Port == port.Port && port.Port > 0) || ports.Exists(p => p.Name == port.Name && port.Name.Length > 0))
            {
                spec.Findings.Add(IstioMessages.EntryContradicts, reader.Place, reader.Path, "its name or number is another port's already");
            }

            ports.Add(port);
        }

        return [.. ports];
    }

    private static ServicePort ReadOne(ObjectReader port, ServiceResolution resolution)
    {
        var number = port.Required("number")?.AsInteger(1, ushort.MaxValue) ?? 0;
        var name = port.RequiredText("name") ?? "";
        var target = port.Integer("targetPort", 1, ushort.MaxValue);
        if (target is not null && resolution == ServiceResolution.None)
        {
            var field = port.Find("targetPort")!.Value;
            port.Findings.Add(IstioMessages.EntryContradicts, field.KeyPlace, field.Path, "resolution NONE keeps the port that the application wanted");
        }

        var protocol = port.AnyCaseChoice("protocol", _protocols, isRequired: false) ?? PortProtocol.Auto;

        port.Finish();
        return new ServicePort(name, number, YamlReader.Number(target ?? number), protocol);
    }
}
