// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Dialects.Kubernetes;
using Weft.Dialects.Yaml;
using Weft.Model.Plan;
using Weft.Model.World;

namespace Weft.Dialects.Istio;

/// <summary>
/// Settings of one proxy as Istio's users write them: the annotation <c>proxy.istio.io/config</c> of a pod, over <c>defaultConfig</c> of the
/// mesh's own configuration.
/// </summary>
public static class ProxyConfigs
{
    public const string Annotation = "proxy.istio.io/config";

    /// <summary>A pod whose value lists <c>http</c> takes HBONE; any other value says no to what its settings say.</summary>
    public const string TunnelLabel = "networking.istio.io/tunnel";

    public const string TunnelHttp = "http";

    private const string Topology = "gatewayTopology";
    internal const string Metadata = "proxyMetadata";
    private const string HboneSwitch = "ISTIO_META_ENABLE_HBONE";

    private static readonly Dictionary<string, ClientCertificateField?> _certificateWays = new(StringComparer.Ordinal)
    {
        ["UNDEFINED"] = null,
        ["SANITIZE"] = ClientCertificateField.Sanitize,
        ["FORWARD_ONLY"] = ClientCertificateField.ForwardOnly,
        ["APPEND_FORWARD"] = ClientCertificateField.AppendForward,
        ["SANITIZE_SET"] = ClientCertificateField.SanitizeSet,
        ["ALWAYS_FORWARD_ONLY"] = ClientCertificateField.AlwaysForwardOnly,
    };

    /// <summary>
    /// The mesh's defaults with other settings over them, the last strongest, as Istio lays them: names of proxyMetadata one by one, all else
    /// as a whole.
    /// </summary>
    /// <param name="mesh">The text of the mesh's configuration; null for none.</param>
    /// <param name="layers">What objects say of the pod's proxy.</param>
    /// <param name="own">The text of the pod's annotation; null for none.</param>
    /// <returns>Null where only the pod itself says anything, so that its own text stands; what cannot be read counts as absent.</returns>
    public static JsonObject? Merge(string? mesh, IReadOnlyList<JsonObject> layers, string? own)
    {
        ArgumentNullException.ThrowIfNull(layers);
        var merged = Read(mesh)?["defaultConfig"] is JsonObject defaults ? (JsonObject)defaults.DeepClone() : [];
        foreach (var layer in layers)
        {
            Lay(merged, layer);
        }

        if (merged.Count == 0)
        {
            return null;
        }

        Lay(merged, Read(own) ?? []);
        return merged;
    }

    /// <summary>Variables of the proxy's environment, which Istio calls its metadata.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Variables(JsonObject? config) =>
        config?[Metadata] is JsonObject all ? all.Select(pair => KeyValuePair.Create(pair.Key, Text(pair.Value))) : [];

    /// <summary>True if the settings ask for HBONE.</summary>
    public static bool AskForHbone(JsonObject? config) => config?[Metadata] is JsonObject all && Text(all[HboneSwitch]) == "true";

    /// <summary>The settings in a text; null if they are no object.</summary>
    public static JsonObject? Read(string? text) =>
        text is not null && YamlReader.Read("", text) is [{ Root: YamlMapping root, Diagnostics: [] }] ? JsonNodes.ToJson(root) as JsonObject : null;

    /// <summary>Why a text is no object in YAML; null if it is one, or says nothing at all.</summary>
    internal static string? ProblemOf(string text) => YamlReader.Read("", text) switch
    {
        [] or [{ Root: YamlMapping, Diagnostics: [] }] => null,
        [{ Diagnostics: [var first, ..] }, ..] => first.Fact,
        [{ Root: { } other }] => $"It is {other.Description}.",
        _ => "It is several documents.",
    };

    /// <summary>What of a pod's settings takes effect; the rest is reported at the annotation.</summary>
    internal static Workload Apply(Workload workload, Annotations annotations)
    {
        var text = annotations.Text(Annotation);
        if (text is not null && ProblemOf(text) is { } problem)
        {
            annotations.Reject(Annotation, $"an object in YAML is expected. {problem.TrimEnd('.')}");
        }

        var config = Read(text);

        var tunnel = workload.Labels.AsEnumerable().FirstOrDefault(label => label.Key == TunnelLabel)?.Value;
        return workload with
        {
            SpeaksHbone = tunnel is null ? AskForHbone(config) : tunnel.Split(',').Contains(TunnelHttp, StringComparer.Ordinal),
            Edge = config?[Topology] is { } topology ? ReadTopology(topology as JsonObject, annotations) : EdgeTopology.None,
        };
    }

    private static void Lay(JsonObject merged, JsonObject over)
    {
        foreach (var (name, value) in over)
        {
            if (name == Metadata && merged[name] is JsonObject all && value is JsonObject some)
            {
                foreach (var (key, text) in some)
                {
                    all[key] = text?.DeepClone();
                }
            }
            else
            {
                merged[name] = value?.DeepClone();
            }
        }
    }

    private static EdgeTopology ReadTopology(JsonObject? topology, Annotations annotations)
    {
        if (topology is null)
        {
            annotations.Reject(Annotation, $"{Topology} must be an object");
            return EdgeTopology.None;
        }

        var proxies = 0;
        if (topology["numTrustedProxies"] is { } number && !int.TryParse(Text(number), NumberStyles.None, CultureInfo.InvariantCulture, out proxies))
        {
            annotations.Reject(Annotation, $"{Topology}.numTrustedProxies must be a whole number from 0 on");
        }

        ClientCertificateField? way = null;
        if (topology["forwardClientCertDetails"] is { } word && !_certificateWays.TryGetValue(Text(word), out way))
        {
            annotations.Reject(Annotation, $"{Topology}.forwardClientCertDetails must be one of {string.Join(", ", _certificateWays.Keys)}");
        }

        foreach (var (name, _) in topology)
        {
            if (name is not ("numTrustedProxies" or "forwardClientCertDetails" or "proxyProtocol"))
            {
                annotations.Reject(Annotation, $"{Topology} has no field '{name}'");
            }
        }

        return new EdgeTopology(proxies, way, topology.ContainsKey("proxyProtocol"));
    }

    private static string Text(JsonNode? node) => node is JsonValue value ? value.ToString() : "";
}
