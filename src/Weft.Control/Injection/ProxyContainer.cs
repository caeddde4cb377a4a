// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Dialects.Istio;
using Weft.Kubernetes;

namespace Weft.Control.Injection;

/// <summary>The container that runs the proxy of a pod.</summary>
internal static class ProxyContainer
{
    private const int StatusPort = 15021;
    private const string Resources = "sidecar.istio.io/proxy";
    private const string Readiness = "readiness.status.sidecar.istio.io/";

    /// <param name="pod">With its labels in place.</param>
    /// <param name="applications">The other containers.</param>
    /// <param name="custom">What the pod's author wrote for Istio's proxy, or null.</param>
    /// <param name="config">The settings of its proxy, or null.</param>
    public static JsonObject For(JsonObject pod, JsonArray applications, JsonObject? custom, JsonObject? config)
    {
        var container = new JsonObject
        {
            ["name"] = SidecarInjector.ContainerName,
            ["image"] = "weft/proxy",
            ["command"] = new JsonArray("weft-proxy", SidecarInjector.IsGateway(pod) ? "gateway" : "sidecar"),
            ["env"] = Environment(applications, custom, config),
            ["ports"] = new JsonArray(new JsonObject
            {
                ["name"] = "http-envoy-prom",
                ["containerPort"] = 15090,
                ["protocol"] = "TCP",
            }),
            ["resources"] = custom?["resources"]?.DeepClone() ?? Limits(pod),
        };

        // Istio's word for no probe at all.
        if (pod.Annotation("status.sidecar.istio.io/port") != "0")
        {
            // Often until it is ready, which everybody waits for; seldom afterwards, since a node has one proxy for every pod.
            container["startupProbe"] = Probe(0, 1, 600);
            container["readinessProbe"] = Probe(
                Number(pod, "initialDelaySeconds", 0), Number(pod, "periodSeconds", 15), Number(pod, "failureThreshold", 4));
        }

        return container;
    }

    private static JsonObject Probe(int initialDelay, int period, int failureThreshold) => new()
    {
        ["httpGet"] = new JsonObject { ["path"] = "/healthz/ready", ["port"] = StatusPort },
        ["initialDelaySeconds"] = initialDelay,
        ["periodSeconds"] = period,
        ["timeoutSeconds"] = 3,
        ["failureThreshold"] = failureThreshold,
    };

    private static JsonArray Environment(JsonArray applications, JsonObject? custom, JsonObject? config)
    {
        var names = string.Join(',', applications.OfType<JsonObject>().Select(container => container.Text("name")));
        var variables = new JsonArray(
            FromField("POD_NAME", "metadata.name"),
            FromField("POD_NAMESPACE", "metadata.namespace"),
            FromField("INSTANCE_IP", "status.podIP"),
            FromField("SERVICE_ACCOUNT", "spec.serviceAccountName"),
            FromField("HOST_IP", "status.hostIP"),
            new JsonObject { ["name"] = "ISTIO_META_CLUSTER_ID", ["value"] = "Kubernetes" },
            new JsonObject { ["name"] = "ISTIO_META_APP_CONTAINERS", ["value"] = names });
        if (config is not null)
        {
            // As in Istio: the settings as a whole, and their metadata as variables of the proxy's own.
            variables.Add(new JsonObject { ["name"] = "PROXY_CONFIG", ["value"] = config.ToJsonString() });
            foreach (var (name, value) in ProxyConfigs.Variables(config))
            {
                variables.Add(new JsonObject { ["name"] = name, ["value"] = value });
            }
        }

        foreach (var variable in custom?.Objects("env") ?? [])
        {
            variables.Add(variable.DeepClone());
        }

        return variables;
    }

    private static JsonObject FromField(string name, string path) => new()
    {
        ["name"] = name,
        ["valueFrom"] = new JsonObject { ["fieldRef"] = new JsonObject { ["apiVersion"] = "v1", ["fieldPath"] = path } },
    };

    private static JsonObject Limits(JsonObject pod)
    {
        var requests = Quantities(("cpu", pod.Annotation($"{Resources}CPU")), ("memory", pod.Annotation($"{Resources}Memory")));
        var limits = Quantities(("cpu", pod.Annotation($"{Resources}CPULimit")), ("memory", pod.Annotation($"{Resources}MemoryLimit")));
        if (requests.Count == 0 && limits.Count == 0)
        {
            // As in Istio, any of the four annotations discards all of the defaults.
            requests = Quantities(("cpu", "10m"), ("memory", "16Mi"));
            limits = Quantities(("cpu", "2"), ("memory", "256Mi"));
        }

        var resources = new JsonObject();
        if (requests.Count > 0)
        {
            resources["requests"] = requests;
        }

        if (limits.Count > 0)
        {
            resources["limits"] = limits;
        }

        return resources;
    }

    private static JsonObject Quantities(params ReadOnlySpan<(string Name, string? Value)> entries)
    {
        var map = new JsonObject();
        foreach (var (name, value) in entries)
        {
            if (!string.IsNullOrEmpty(value))
            {
                map[name] = value;
            }
        }

        return map;
    }

    private static int Number(JsonObject pod, string name, int otherwise) =>
        int.TryParse(pod.Annotation(Readiness + name), CultureInfo.InvariantCulture, out var number) && number >= 0 ? number : otherwise;
}
