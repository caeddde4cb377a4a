// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Reading;
using Weft.Dialects.Yaml;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.World;

namespace Weft.Dialects.Kubernetes;

/// <summary>Reads the ports of a service.</summary>
internal sealed class ServicePortReader(ObjectReader spec)
{
    private static readonly Choices<int> _transports = new(("TCP", 0), ("UDP", 1), ("SCTP", 2));

    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly HashSet<(int, string)> _numbers = [];

    public EquatableArray<ServicePort> Read(bool required)
    {
        var list = required ? spec.Required("ports") : spec.Find("ports");
        if (required && list is { Value: YamlSequence { Items.Count: 0 } } empty)
        {
            empty.Report(ReadingMessages.EmptyList, empty.Path);
        }

        var readers = spec.Children("ports");
        return [.. readers.Select(reader => ReadPort(reader, single: readers.Count == 1))];
    }

    private ServicePort ReadPort(ObjectReader reader, bool single)
    {
        var name = reader.Text("name") ?? "";
        var port = reader.Required("port")?.AsInteger(1, ushort.MaxValue) ?? 0;
        var transport = reader.Has("protocol") && reader.Choice("protocol", _transports) is not null ? reader.Text("protocol")! : "TCP";
        var appProtocol = reader.Text("appProtocol") ?? "";
        var target = ReadTarget(reader) ?? YamlReader.Number(port);
        reader.Integer("nodePort", 0, ushort.MaxValue);
        reader.Finish(KubernetesMessages.UnknownKubernetesField);
        CheckName(reader, name, single);
        if (port > 0 && !_numbers.Add((port, transport)))
        {
            reader.Findings.Add(KubernetesMessages.DuplicateServicePort, reader.Place, YamlReader.Number(port), transport);
        }

        if (transport is not "TCP")
        {
            reader.Findings.Add(KubernetesMessages.DatagramPort, reader.Place, YamlReader.Number(port), transport);
        }

        return new ServicePort(name, port, target, PortProtocols.Of(appProtocol, name, port, transport));
    }

    private void CheckName(ObjectReader reader, string name, bool single)
    {
        if (name.Length == 0)
        {
            if (!single)
            {
                reader.Findings.Add(KubernetesMessages.MissingPortName, reader.Place, reader.Path);
            }
        }
        else if (NameRules.LabelProblem(name) is { } problem)
        {
            reader.Find("name")!.Value.Report(KubernetesMessages.BadPortName, name, problem);
        }
        else if (!_names.Add(name))
        {
            reader.Find("name")!.Value.Report(KubernetesMessages.DuplicatePortName, name);
        }
    }

    /// <summary>A number or the name of a container's port.</summary>
    private static string? ReadTarget(ObjectReader reader)
    {
        if (reader.Find("targetPort") is not { } target)
        {
            return null;
        }

        if (target.Value is YamlScalar { Kind: ScalarKind.Whole })
        {
            return target.AsInteger(1, ushort.MaxValue) is { } number ? YamlReader.Number(number) : null;
        }

        if (target.AsText() is { } name && PortNames.Problem(name) is { } problem)
        {
            target.Report(KubernetesMessages.BadPortName, name, problem);
        }

        return target.Value is YamlScalar { Kind: ScalarKind.Text, Value: var text } ? text : null;
    }
}
