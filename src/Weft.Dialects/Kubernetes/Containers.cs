// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Reading;
using Weft.Dialects.Yaml;
using Weft.Model.Diagnostics;

namespace Weft.Dialects.Kubernetes;

/// <summary>Checks one container of a pod.</summary>
internal static class Containers
{
    private static readonly Choices<bool> _transports = new(("TCP", true), ("UDP", true), ("SCTP", true));

    public static void Check(ObjectReader container, HashSet<string> names)
    {
        if (container.RequiredText("name") is { } name)
        {
            var field = container.Find("name")!.Value;
            if (NameRules.LabelProblem(name) is { } problem)
            {
                field.Report(KubernetesMessages.BadName, name, "a container", problem);
            }
            else if (!names.Add(name))
            {
                field.Report(KubernetesMessages.DuplicateContainer, name);
            }
        }

        container.RequiredText("image");
        container.Texts("command");
        container.Texts("args");
        foreach (var variable in container.Children("env"))
        {
            variable.RequiredText("name");
            variable.Text("value");
            variable.Exclusive("value", "valueFrom");
            variable.Finish(KubernetesMessages.UnknownKubernetesField);
        }

        var ports = CheckPorts(container);
        foreach (var probe in new[] { "livenessProbe", "readinessProbe", "startupProbe" })
        {
            if (container.Child(probe) is { } reader)
            {
                CheckProbe(reader, ports);
            }
        }

        container.Ignore(
            "envFrom", "imagePullPolicy", "lifecycle", "resizePolicy", "resources", "restartPolicy", "securityContext", "stdin",
            "stdinOnce", "terminationMessagePath", "terminationMessagePolicy", "tty", "volumeDevices", "volumeMounts", "workingDir");
        container.Finish(KubernetesMessages.UnknownKubernetesField);
    }

    private static HashSet<string> CheckPorts(ObjectReader container)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var port in container.Children("ports"))
        {
            port.Required("containerPort")?.AsInteger(1, ushort.MaxValue);
            port.Choice("protocol", _transports);
            port.Integer("hostPort", 0, ushort.MaxValue);
            port.Ignore("hostIP");
            if (port.NonEmptyText("name") is { } name)
            {
                var field = port.Find("name")!.Value;
                if (PortNames.Problem(name) is { } problem)
                {
                    field.Report(KubernetesMessages.BadPortName, name, problem);
                }
                else if (!names.Add(name))
                {
                    field.Report(KubernetesMessages.DuplicatePortName, name);
                }
            }

            port.Finish(KubernetesMessages.UnknownKubernetesField);
        }

        return names;
    }

    private static void CheckProbe(ObjectReader probe, HashSet<string> ports)
    {
        probe.Exclusive("httpGet", "tcpSocket", "exec", "grpc");
        foreach (var kind in new[] { "httpGet", "tcpSocket" })
        {
            if (probe.Child(kind)?.Required("port") is { } port)
            {
                CheckPort(port, ports);
            }
        }

        foreach (var number in new[] { "initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold" })
        {
            probe.Integer(number, 0, int.MaxValue);
        }

        probe.Ignore("terminationGracePeriodSeconds");
        probe.Finish(KubernetesMessages.UnknownKubernetesField);
    }

    private static void CheckPort(Field port, HashSet<string> ports)
    {
        if (port.Value is YamlScalar { Kind: ScalarKind.Whole })
        {
            port.AsInteger(1, ushort.MaxValue);
        }
        else if (port.AsText() is { } name && !ports.Contains(name))
        {
            port.Report(KubernetesMessages.UnknownTargetPort, name);
        }
    }
}
