// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Weft.Local.Network;

namespace Weft.Cli.Running;

/// <summary>The objects that make a program of this machine a meshed workload; pure.</summary>
internal static partial class RunObjects
{
    /// <summary>On the pod template: a new value replaces the pods.</summary>
    public const string RestartedAt = "kubectl.kubernetes.io/restartedAt";

    public const string ManagedBy = "app.kubernetes.io/managed-by";
    public const string Manager = "weft-run";

    private const int FrontPort = 80;

    public static string EnvironmentName(string name) => $"{name}-environment";

    /// <summary>In the order in which they are applied.</summary>
    public static IReadOnlyList<JsonObject> Build(RunRequest request)
    {
        var account = Object(request, "v1", "ServiceAccount");
        var deployment = Object(request, "apps/v1", "Deployment");
        deployment["spec"] = new JsonObject
        {
            ["replicas"] = request.Replicas,
            ["selector"] = new JsonObject { ["matchLabels"] = new JsonObject { ["app"] = request.Name } },
            ["template"] = new JsonObject
            {
                ["metadata"] = new JsonObject { ["labels"] = new JsonObject { ["app"] = request.Name, ["sidecar.istio.io/inject"] = "true" } },
                ["spec"] = new JsonObject
                {
                    ["serviceAccountName"] = request.Name,
                    ["containers"] = new JsonArray(Container(request)),
                },
            },
        };
        return request.Ports.Count == 0 ? [account, deployment] : [account, Service(request), deployment];
    }

    /// <summary>The caller's environment. It never stands in printed YAML: it may hold secrets, and belongs to one machine.</summary>
    public static JsonObject Environment(RunRequest request, IEnumerable<KeyValuePair<string, string>> variables)
    {
        var secret = Object(request, "v1", "Secret");
        secret["metadata"]!["name"] = EnvironmentName(request.Name);
        secret["data"] = new JsonObject(variables.Select(
            variable => KeyValuePair.Create(variable.Key, (JsonNode?)Convert.ToBase64String(Encoding.UTF8.GetBytes(variable.Value)))));
        return secret;
    }

    private static JsonObject Object(RunRequest request, string apiVersion, string kind) => new()
    {
        ["apiVersion"] = apiVersion,
        ["kind"] = kind,
        ["metadata"] = new JsonObject
        {
            ["name"] = request.Name,
            ["namespace"] = request.Namespace,
            ["labels"] = new JsonObject { ["app"] = request.Name, [ManagedBy] = Manager },
        },
    };

    private static JsonObject Container(RunRequest request)
    {
        var variables = new JsonArray();
        if (request.Ports.Count > 0 && !request.Environment.ContainsKey("PORT"))
        {
            variables.Add((JsonNode)Variable("PORT", request.Ports[0].Number.ToString(CultureInfo.InvariantCulture)));
        }

        foreach (var (name, value) in request.Environment)
        {
            variables.Add((JsonNode)Variable(name, Escaped(value)));
        }

        var container = new JsonObject
        {
            ["name"] = "app",
            ["image"] = request.Name,
            ["command"] = new JsonArray([.. request.Command.Select(word => (JsonNode)Escaped(word))]),
            ["workingDir"] = request.Folder,
            ["envFrom"] = new JsonArray(new JsonObject
            {
                ["secretRef"] = new JsonObject { ["name"] = EnvironmentName(request.Name), ["optional"] = true },
            }),
        };
        if (variables.Count > 0)
        {
            container["env"] = variables;
        }

        if (request.Ports.Count > 0)
        {
            container["ports"] = new JsonArray([.. request.Ports.Select(port => new JsonObject { ["containerPort"] = port.Number })]);
            container["readinessProbe"] = new JsonObject
            {
                ["tcpSocket"] = new JsonObject { ["port"] = request.Ports[0].Number },
                ["periodSeconds"] = 2,
            };
        }

        return container;
    }

    /// <summary>Every port by its own number, and the first by 80 too, so that <c>http://NAME/</c> is enough.</summary>
    private static JsonObject Service(RunRequest request)
    {
        var service = Object(request, "v1", "Service");
        var ports = new JsonArray([.. request.Ports.Select(port => PortOf(port, port.Number))]);
        if (request.Ports.All(port => port.Number != FrontPort))
        {
            ports.Add((JsonNode)PortOf(request.Ports[0], FrontPort));
        }

        if (request.Published.Count > 0)
        {
            service["metadata"]!["annotations"] = new JsonObject
            {
                [PublishedPort.Annotation] = string.Join(',', request.Published),
            };
        }

        service["spec"] = new JsonObject { ["selector"] = new JsonObject { ["app"] = request.Name }, ["ports"] = ports };
        return service;
    }

    private static JsonObject PortOf(RunPort port, int number)
    {
        var entry = new JsonObject
        {
            ["name"] = $"{port.Protocol ?? "port"}-{number}",
            ["port"] = number,
            ["targetPort"] = port.Number,
        };
        if (port.Protocol is { } protocol)
        {
            entry["appProtocol"] = protocol;
        }

        return entry;
    }

    private static JsonObject Variable(string name, string value) => new() { ["name"] = name, ["value"] = value };

    /// <summary>Kubernetes fills in <c>$(NAME)</c>; a shell's words are meant as they are.</summary>
    private static string Escaped(string word) => Expansion().Replace(word, "$$$$");

    [GeneratedRegex("\\$(?=[$(])")]
    private static partial Regex Expansion();
}
