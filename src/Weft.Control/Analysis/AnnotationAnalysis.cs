// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Dialects.Reading;
using Weft.Kubernetes;
using Weft.Model.Diagnostics;

namespace Weft.Control.Analysis;

/// <summary>Istio's annotations on Namespaces, Services, Pods and their templates.</summary>
internal static class AnnotationAnalysis
{
    public static IEnumerable<Diagnostic> Run(AnalysisInput input)
    {
        foreach (var item in input.Of("Namespace", "Service", "Pod", "Deployment"))
        {
            if (item.Kind == "Pod" && item.Json["metadata"]?["ownerReferences"] is not null)
            {
                continue;
            }

            var own = Check(item, item.Kind, item.Json, ["metadata", "annotations"]);
            var template = item.Kind == "Deployment" && item.PodTemplate is { } pod
                ? Check(item, "Pod", pod, ["spec", "template", "metadata", "annotations"])
                : [];
            foreach (var finding in own.Concat(template))
            {
                yield return finding;
            }
        }
    }

    private static IEnumerable<Diagnostic> Check(AnalysisSubject item, string kind, JsonObject json, string[] path)
    {
        foreach (var (key, value) in json.TextMap("metadata", "annotations"))
        {
            if (!AnnotationTable.IsIstios(key))
            {
                continue;
            }

            var place = item.At([.. path, key]);
            if (AnnotationTable.Find(key) is not { } known)
            {
                var unknown = KubernetesMessages.UnknownAnnotation.At(place, key);
                yield return NearestName.Of(key, AnnotationTable.Names) is { } near ? unknown with { Cure = $"Did you mean '{near}'?" } : unknown;
                continue;
            }

            if (known.Kinds.Length > 0 && !known.Kinds.Contains(kind, StringComparer.Ordinal))
            {
                yield return KubernetesMessages.MisplacedAnnotation.At(place, key, kind, string.Join(" or ", known.Kinds));
            }

            if (known.Instead is not null && !(key == "sidecar.istio.io/inject" && json.Label(key) is not null))
            {
                yield return KubernetesMessages.DeprecatedAnnotation.At(place, key, known.Instead);
            }

            if (known.Rule?.Invoke(value) is { } rule)
            {
                yield return KubernetesMessages.BadIstioAnnotation.At(place, value, key, rule);
            }
        }
    }
}

/// <summary>Istio's annotations: where each belongs, what stands in its place, and what it may say.</summary>
internal static class AnnotationTable
{
    private const string Pod = "Pod";

    private static readonly Known[] _all =
    [
        .. Pods(null, "proxyImage", "proxyImageType", "logLevel", "componentLogLevel", "agentLogLevel", "bootstrapOverride", "nativeSidecar",
            "statsHistogramBuckets", "statsFlushInterval", "statsEvictionInterval", "statsHistogramBins", "status"),
        .. Pods(Quantity, "proxyCPU", "proxyMemory", "proxyCPULimit", "proxyMemoryLimit"),
        .. Pods(Json, "userVolume", "userVolumeMount"),
        .. Pods(Boolean, "rewriteAppHTTPProbers"),
        new("sidecar.istio.io/inject", [Pod], "the label of the same name", null),
        new("sidecar.istio.io/interceptionMode", [Pod], null, static v => v is "REDIRECT" or "TPROXY" or "NONE" ? null : "REDIRECT, TPROXY or NONE"),
        new("sidecar.istio.io/discoveryAddress", [Pod], "proxy.istio.io/config", null),
        new("sidecar.istio.io/extraStatTags", [Pod], "proxy.istio.io/config", null),
        new("sidecar.istio.io/statsInclusionPrefixes", [Pod], "proxyStatsMatcher of proxy.istio.io/config", null),
        new("sidecar.istio.io/statsInclusionSuffixes", [Pod], "proxyStatsMatcher of proxy.istio.io/config", null),
        new("sidecar.istio.io/statsInclusionRegexps", [Pod], "proxyStatsMatcher of proxy.istio.io/config", null),
        new("sidecar.istio.io/statsCompression", [Pod], "proxy.istio.io/config", null),
        new("status.sidecar.istio.io/port", [Pod], null, Number),
        new("readiness.status.sidecar.istio.io/initialDelaySeconds", [Pod], null, Number),
        new("readiness.status.sidecar.istio.io/periodSeconds", [Pod], null, Number),
        new("readiness.status.sidecar.istio.io/failureThreshold", [Pod], null, Number),
        new("readiness.status.sidecar.istio.io/applicationPorts", [Pod], null, Ports),
        new("traffic.sidecar.istio.io/includeOutboundIPRanges", [Pod], null, Networks),
        new("traffic.sidecar.istio.io/excludeOutboundIPRanges", [Pod], null, Networks),
        new("traffic.sidecar.istio.io/includeInboundPorts", [Pod], null, Ports),
        new("traffic.sidecar.istio.io/excludeInboundPorts", [Pod], null, Ports),
        new("traffic.sidecar.istio.io/includeOutboundPorts", [Pod], null, Ports),
        new("traffic.sidecar.istio.io/excludeOutboundPorts", [Pod], null, Ports),
        new("traffic.sidecar.istio.io/excludeInterfaces", [Pod], null, null),
        new("traffic.sidecar.istio.io/kubevirtInterfaces", [Pod], "istio.io/reroute-virtual-interfaces", null),
        new("istio.io/reroute-virtual-interfaces", [Pod], null, null),
        new("proxy.istio.io/config", [Pod], null, null),
        new("proxy.istio.io/overrides", [Pod], null, null),
        new("istio.io/rev", [Pod], null, null),
        new("ambient.istio.io/redirection", [Pod], null, null),
        new("ambient.istio.io/bypass-inbound-capture", [Pod], null, Boolean),
        new("ambient.istio.io/dns-capture", [Pod], null, Boolean),
        new("prometheus.istio.io/merge-metrics", [Pod], null, Boolean),
        new("inject.istio.io/templates", [Pod], null, null),
        new("networking.istio.io/exportTo", ["Service"], null, null),
        new("networking.istio.io/traffic-distribution", ["Service", "Namespace"], null, null),
        new("traffic.istio.io/nodeSelector", ["Service"], null, Json),
        new("istio.io/use-waypoint-canary-weight", ["Service", "Namespace"], null, Number),
        new("galley.istio.io/analyze-suppress", [], null, null),
        new("topology.istio.io/controlPlaneClusters", ["Namespace"], null, null),
        new("alpha.istio.io/kubernetes-serviceaccounts", ["Service"], "subjectAltNames of a DestinationRule", null),
        new("alpha.istio.io/canonical-serviceaccounts", ["Service"], "subjectAltNames of a DestinationRule", null),
        new("kubernetes.io/ingress.class", ["Ingress"], null, null),
    ];

    private static readonly Dictionary<string, Known> _table = _all.ToDictionary(k => k.Name, StringComparer.Ordinal);

    public static IEnumerable<string> Names => _table.Keys;

    public static Known? Find(string key) => _table.GetValueOrDefault(key);

    /// <summary>True for keys of a domain of Istio's.</summary>
    public static bool IsIstios(string key) => key is "kubernetes.io/ingress.class"
        || (key.IndexOf('/', StringComparison.Ordinal) is var slash && slash > 0 && (key[..slash] == "istio.io" || key[..slash].EndsWith(".istio.io", StringComparison.Ordinal)));

    private static IEnumerable<Known> Pods(Func<string, string?>? rule, params string[] names) =>
        names.Select(name => new Known("sidecar.istio.io/" + name, [Pod], null, rule));

    private static string? Boolean(string value) => value is "true" or "false" ? null : "true or false";

    private static string? Number(string value) => uint.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out _) ? null : "a number";

    private static string? Quantity(string value) =>
        value.Length > 0 && char.IsAsciiDigit(value[0]) && value.TrimStart("0123456789.".ToCharArray()) is "" or "m" or "k" or "M" or "G" or "T" or "Ki" or "Mi" or "Gi" or "Ti" ? null : "an amount such as 100m or 128Mi";

    private static string? Ports(string value) => value is "*" || value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
        .All(p => ushort.TryParse(p, NumberStyles.None, CultureInfo.InvariantCulture, out _)) ? null : "'*' or port numbers with commas between them";

    private static string? Networks(string value) => value is "*" || value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
        .All(n => System.Net.IPNetwork.TryParse(n, out _)) ? null : "'*' or networks such as 10.0.0.0/8 with commas between them";

    private static string? Json(string value)
    {
        try
        {
            return JsonNode.Parse(value) is null ? "JSON" : null;
        }
        catch (System.Text.Json.JsonException problem)
        {
            return $"it must be JSON ({problem.Message})";
        }
    }

    internal sealed record Known(string Name, string[] Kinds, string? Instead, Func<string, string?>? Rule);
}
