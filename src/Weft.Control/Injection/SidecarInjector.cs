// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Dialects.Istio;
using Weft.Kubernetes;
using Weft.Model.World;

namespace Weft.Control.Injection;

/// <summary>Adds the proxy to pods. Pure: the object given is never changed, and a pod that has its proxy stays as it is.</summary>
public static class SidecarInjector
{
    public const string ContainerName = "weft-proxy";
    public const string StatusAnnotation = "sidecar.istio.io/status";
    public const string TlsModeLabel = "security.istio.io/tlsMode";
    private const string Templates = "inject.istio.io/templates";
    private const string Revision = "default";
    private const string DefaultContainer = "kubectl.kubernetes.io/default-container";
    private const string DefaultLogsContainer = "kubectl.kubernetes.io/default-logs-container";
    private const string PrometheusScrape = "prometheus.io/scrape";

    /// <summary>The pod with a proxy if it or its namespace asks for one, else an equal pod.</summary>
    /// <param name="pod">As its author wrote it.</param>
    /// <param name="ns">The pod's namespace.</param>
    /// <param name="mesh">The text of the mesh's configuration, whose defaults for proxies hold where the pod says nothing.</param>
    /// <param name="configs">The ProxyConfig objects of the root namespace and of the pod's.</param>
    public static JsonObject Inject(JsonObject pod, JsonObject? ns, string? mesh = null, IEnumerable<JsonObject>? configs = null)
    {
        ArgumentNullException.ThrowIfNull(pod);
        if (!InjectionDecision.For(pod, ns).Inject)
        {
            return (JsonObject)pod.DeepClone();
        }

        var layers = ProxyConfigLayers.Of(
            configs ?? [], MeshSettings.Default.RootNamespace, pod.Namespace() is { Length: > 0 } own ? own : ns?.Name() ?? "", pod.Labels().ToDictionary());
        return Add(pod, WorkloadName.Of(pod), mesh, layers);
    }

    /// <summary>
    /// The same for an object of a file: a pod, whatever has a pod template (Deployment, Job, ...), or a List of such. Other
    /// objects come back as they are.
    /// </summary>
    public static JsonObject InjectFile(JsonObject manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        var result = (JsonObject)manifest.DeepClone();
        switch (result.Kind())
        {
            case "Pod":
                return InjectionDecision.ForFile(result).Inject ? Add(result, WorkloadName.Of(result)) : result;
            case "List":
                var items = (result["items"] as JsonArray)?.Select(item => item is JsonObject one ? InjectFile(one) : item?.DeepClone());
                result["items"] = new JsonArray([.. items ?? []]);
                return result;
            case "Deployment" or "ReplicaSet" or "StatefulSet" or "DaemonSet" or "Job" or "ReplicationController":
                InjectTemplate(result, result["spec"] as JsonObject);
                return result;
            case "CronJob":
                InjectTemplate(result, result.Find("spec", "jobTemplate", "spec") as JsonObject);
                return result;
            default:
                return result;
        }
    }

    private static void InjectTemplate(JsonObject owner, JsonObject? spec)
    {
        if (spec?["template"] is not JsonObject template)
        {
            return;
        }

        // The template has no namespace of its own; its owner's decides.
        var pod = (JsonObject)template.DeepClone();
        if (owner.Namespace() is { Length: > 0 } ns)
        {
            Map(pod, "metadata")["namespace"] = ns;
        }

        if (InjectionDecision.ForFile(pod).Inject)
        {
            spec["template"] = Add(template, owner.Name());
        }
    }

    private static JsonObject Add(JsonObject original, string workload, string? mesh = null, IReadOnlyList<JsonObject>? layers = null)
    {
        var pod = (JsonObject)original.DeepClone();
        if (pod["spec"] is not JsonObject spec || spec["containers"] is not JsonArray containers)
        {
            return pod;
        }

        if (containers.OfType<JsonObject>().Any(container => container.Text("name") == ContainerName))
        {
            return pod;
        }

        // Istio's way to customise the proxy is a container of its name: ours takes its place and its wishes.
        var custom = containers.OfType<JsonObject>().FirstOrDefault(container => container.Text("name") == "istio-proxy");
        if (custom is not null)
        {
            containers.Remove(custom);
        }

        var first = containers.OfType<JsonObject>().FirstOrDefault()?.Text("name");
        Label(pod, workload, IsGateway(pod));
        Annotate(pod, first);
        var config = Configure(pod, mesh, layers ?? []);
        containers.Insert(0, ProxyContainer.For(pod, containers, custom, config));
        return pod;
    }

    /// <summary>True if the pod is nothing but a proxy that takes in what comes from outside, as Istio's template of that name makes it.</summary>
    internal static bool IsGateway(JsonObject pod) => pod.Annotation(Templates)?.Split(',').Contains("gateway", StringComparer.Ordinal) == true;

    private static void Label(JsonObject pod, string workload, bool isGateway)
    {
        var labels = Map(Map(pod, "metadata"), "labels");
        if (!isGateway)
        {
            // Clients of a gateway speak what its servers say, not mutual TLS.
            labels[TlsModeLabel] ??= "istio";
        }

        labels["service.istio.io/canonical-name"] ??=
            FirstText(pod, "app.kubernetes.io/name", "app") ?? workload;
        labels["service.istio.io/canonical-revision"] ??=
            FirstText(pod, "app.kubernetes.io/version", "version") ?? "latest";
    }

    private static void Annotate(JsonObject pod, string? firstContainer)
    {
        var annotations = Map(Map(pod, "metadata"), "annotations");
        annotations[StatusAnnotation] = new JsonObject
        {
            ["initContainers"] = null,
            ["containers"] = new JsonArray(ContainerName),
            ["volumes"] = null,
            ["imagePullSecrets"] = null,
            ["revision"] = Revision,
        }.ToJsonString();
        annotations["istio.io/rev"] ??= Revision;
        if (firstContainer is not null)
        {
            annotations[DefaultContainer] ??= firstContainer;
            annotations[DefaultLogsContainer] ??= firstContainer;
        }

        // An application that says where to scrape it is left alone: its numbers are worth more than ours.
        if (!annotations.ContainsKey(PrometheusScrape))
        {
            annotations[PrometheusScrape] = "true";
            annotations["prometheus.io/port"] = "15020";
            annotations["prometheus.io/path"] = "/stats/prometheus";
        }
    }

    /// <summary>
    /// The pod says what holds for its proxy, and by Istio's label whether it takes tunnels: who connects to it knows it from the same object
    /// as the proxy itself, so that a change of the mesh's defaults, which only new pods hear of, loses no connection.
    /// </summary>
    private static JsonObject? Configure(JsonObject pod, string? mesh, IReadOnlyList<JsonObject> layers)
    {
        var annotations = Map(Map(pod, "metadata"), "annotations");
        var own = pod.Annotation(ProxyConfigs.Annotation);
        var merged = ProxyConfigs.Merge(mesh, layers, own);
        if (merged is not null)
        {
            annotations[ProxyConfigs.Annotation] = merged.ToJsonString();
        }

        merged ??= ProxyConfigs.Read(own);
        if (ProxyConfigs.AskForHbone(merged))
        {
            Map(Map(pod, "metadata"), "labels")[ProxyConfigs.TunnelLabel] ??= ProxyConfigs.TunnelHttp;
        }

        return merged;
    }

    private static string? FirstText(JsonObject pod, params ReadOnlySpan<string> labels)
    {
        foreach (var label in labels)
        {
            if (pod.Label(label) is { Length: > 0 } value)
            {
                return value;
            }
        }

        return null;
    }

    private static JsonObject Map(JsonObject owner, string field)
    {
        if (owner[field] is not JsonObject map)
        {
            owner[field] = map = [];
        }

        return map;
    }
}
