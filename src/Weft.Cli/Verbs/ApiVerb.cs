// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using System.Text.Json.Nodes;
using Weft.ApiServer;
using Weft.ApiServer.Storage;
using Weft.Cli.Meshes;
using Weft.Cli.Output;
using Weft.Control.Analysis;
using Weft.Control.Injection;
using Weft.Dialects.Kubernetes;
using Weft.Dialects.Yaml;
using Weft.Kubernetes;
using Weft.Model.Diagnostics;
using Weft.Model.World;

namespace Weft.Cli.Verbs;

/// <summary><c>weft api</c>, hidden: the API server's process. Here injection and the dialects become part of admission.</summary>
internal static class ApiVerb
{
    private const string KubernetesDialect = "kubernetes";

    public static Command Build(Terminal terminal)
    {
        var command = new Command("api", "The API server's process") { Hidden = true };
        var store = MeshStore.Option();
        command.Options.Add(store);
        command.SetAction((parsed, ct) => RunAsync(MeshStore.Parse(parsed.GetValue(store)), terminal, ct));
        return command;
    }

    /// <summary>What the dialects say about an object; Kubernetes' own kinds are the API server's to check.</summary>
    internal static IReadOnlyList<Diagnostic> Validate(JsonObject source) =>
        Dialects.Dialects.FindKind(source.Text("apiVersion") ?? "", source.Kind()) is { Dialect: not KubernetesDialect } || IsMeshConfig(source)
            ? [.. Dialects.Dialects.ParseObject(source).Diagnostics]
            : [];

    /// <summary>One YAML document as JSON, or the place and the sentence of what is wrong with it.</summary>
    internal static (JsonNode? Tree, string? Problem) ReadYaml(string text)
    {
        var documents = YamlReader.Read("", text);
        if (documents.Count != 1)
        {
            return (null, $"the body holds {documents.Count} documents; one is wanted");
        }

        var problem = documents[0].Diagnostics.FirstOrDefault(item => item.Severity == Severity.Error);
        return problem is null && documents[0].Root is { } root
            ? (JsonNodes.ToJson(root), null)
            : (null, $"yaml: line {problem?.Origin.Position.Line}: {problem?.Fact}");
    }

    private static bool IsMeshConfig(JsonObject source) =>
        source.Kind() == "ConfigMap" && ConfigMapKind.HoldsMesh(source.Namespace() ?? "", source.Name() ?? "");

    /// <summary>Proxies get what the mesh's configuration says of them, which has Istio's place and key, and what ProxyConfig objects say.</summary>
    internal static JsonObject Inject(JsonObject pod, JsonObject? ns, StoredObjects stored)
    {
        var root = MeshSettings.Default.RootNamespace;
        return SidecarInjector.Inject(
            pod,
            ns,
            stored.Find("configmaps", root, "istio")?.Text("data", "mesh"),
            new[] { root, pod.Namespace() is { Length: > 0 } own ? own : ns?.Name() ?? "" }.Distinct()
                .SelectMany(name => stored.List("proxyconfigs.networking.istio.io", name)));
    }

    /// <summary>What the composition adds to the API server.</summary>
    internal static AdmissionHooks Hooks { get; } = new(Inject, Validate)
    {
        Consider = static (item, stored) => AdmissionAnalysis.Run(item, stored.Find, stored.List),
    };

    private static async Task<int> RunAsync(StoreLocation? store, Terminal terminal, CancellationToken ct)
    {
        using var signals = new StopSignals(ct, ignoreHangUp: true);
        var home = MeshPlace.Open();
        using var logs = new LineLoggers(terminal.Out, TimeProvider.System);
        var options = new ApiServerOptions
        {
            PlainSocket = home.ApiSocket,
            TlsSocket = home.ApiTlsSocket,
            DataDirectory = home.Database,
            Store = store ?? MeshStore.OfThisMesh(),
            StoreSockets = store is null ? MeshStore.Sockets(home, MeshStore.OfThisMesh()) : [],
            NodeSocket = home.NodeSocket,
            KubeconfigPath = home.Kubeconfig,
            ExternalUrl = MeshHolder.ApiUrl,
            ReadYaml = ReadYaml,
            SecondServiceNetwork = NodeSettings.HasVersion6() ? ApiServerOptions.Version6 : null,
            ServingNames = NodeSettings.Listen() is { } outside ? [outside.Address.ToString()] : [],
            Links = NodeSettings.Listen() is null
                ? new Dictionary<string, string>(StringComparer.Ordinal)
                : new Dictionary<string, string>(StringComparer.Ordinal) { ["xds"] = home.XdsSocket, ["packets"] = home.LinkSocket },
        };
        await using var host = new ApiServerHost(options, Hooks, TimeProvider.System, logs);
        await host.RunAsync(signals.Token);
        return ExitCode.Fine;
    }
}
