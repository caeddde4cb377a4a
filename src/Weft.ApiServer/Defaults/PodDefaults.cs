// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Defaults;

/// <summary>Defaults of pod specs, in pods and in templates.</summary>
internal static class PodDefaults
{
    private static readonly string[] _probes = ["livenessProbe", "readinessProbe", "startupProbe"];
    private static readonly string[] _resources = ["cpu", "memory"];

    public static void Apply(JsonObject spec)
    {
        spec.Missing("restartPolicy", "Always");
        spec.Missing("dnsPolicy", "ClusterFirst");
        spec.Missing("terminationGracePeriodSeconds", 30);
        spec.Missing("schedulerName", "default-scheduler");
        spec.Missing("securityContext", new JsonObject());
        if (spec.Text("serviceAccount") is { } old)
        {
            spec.Missing("serviceAccountName", old);
        }
        else if (spec.Text("serviceAccountName") is { } name)
        {
            spec["serviceAccount"] = name;
        }

        foreach (var container in spec["containers"].Items().Concat(spec["initContainers"].Items()))
        {
            Container(container);
        }

        foreach (var volume in spec["volumes"].Items())
        {
            Volume(volume);
        }
    }

    public static void Tolerations(JsonObject spec)
    {
        var tolerations = spec["tolerations"] as JsonArray;
        if (tolerations is null)
        {
            spec["tolerations"] = tolerations = [];
        }

        foreach (var key in new[] { "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable" })
        {
            var known = tolerations.Items().Any(item =>
                item.Text("key") is not { Length: > 0 } || string.Equals(item.Text("key"), key, StringComparison.Ordinal));
            if (!known)
            {
                tolerations.Add(new JsonObject
                {
                    ["effect"] = "NoExecute",
                    ["key"] = key,
                    ["operator"] = "Exists",
                    ["tolerationSeconds"] = 300,
                });
            }
        }
    }

    public static string QualityClass(JsonObject spec)
    {
        var any = false;
        var guaranteed = true;
        foreach (var container in spec["containers"].Items().Concat(spec["initContainers"].Items()))
        {
            foreach (var name in _resources)
            {
                var request = container.At("resources", "requests", name);
                var limit = container.At("resources", "limits", name);
                any |= request is not null || limit is not null;
                guaranteed &= limit is not null && (request is null || JsonNode.DeepEquals(request, limit));
            }
        }

        return !any ? "BestEffort" : guaranteed ? "Guaranteed" : "Burstable";
    }

    private static void Container(JsonObject container)
    {
        container.Missing("terminationMessagePath", "/dev/termination-log");
        container.Missing("terminationMessagePolicy", "File");
        container.Missing("resources", new JsonObject());
        container.Missing("imagePullPolicy", PullPolicy(container.Text("image") ?? ""));
        foreach (var port in container["ports"].Items())
        {
            port.Missing("protocol", "TCP");
        }

        foreach (var field in container["env"].Items().Select(item => item.At("valueFrom", "fieldRef")).OfType<JsonObject>())
        {
            field.Missing("apiVersion", "v1");
        }

        foreach (var name in _probes)
        {
            if (container[name] is JsonObject probe)
            {
                Probe(probe);
            }
        }

        foreach (var hook in new[] { "postStart", "preStop" })
        {
            HttpGet(container.At("lifecycle", hook));
        }
    }

    private static void Probe(JsonObject probe)
    {
        probe.Missing("timeoutSeconds", 1);
        probe.Missing("periodSeconds", 10);
        probe.Missing("successThreshold", 1);
        probe.Missing("failureThreshold", 3);
        HttpGet(probe);
        if (probe["grpc"] is JsonObject grpc)
        {
            grpc.Missing("service", "");
        }
    }

    private static void HttpGet(JsonNode? handler)
    {
        if (handler.At("httpGet") is JsonObject get)
        {
            get.Missing("path", "/");
            get.Missing("scheme", "HTTP");
        }
    }

    private static void Volume(JsonObject volume)
    {
        if (volume.Count == 1)
        {
            volume["emptyDir"] = new JsonObject();
        }

        foreach (var source in new[] { "configMap", "secret", "downwardAPI", "projected" })
        {
            if (volume[source] is JsonObject found)
            {
                found.Missing("defaultMode", 420);
            }
        }

        if (volume["hostPath"] is JsonObject path)
        {
            path.Missing("type", "");
        }

        foreach (var item in volume.At("projected", "sources").Items())
        {
            if (item["serviceAccountToken"] is JsonObject token)
            {
                token.Missing("expirationSeconds", 3600);
            }
        }
    }

    private static string PullPolicy(string image)
    {
        var digest = image.Contains('@', StringComparison.Ordinal);
        var slash = image.LastIndexOf('/');
        var colon = image.LastIndexOf(':');
        var tag = colon > slash ? image[(colon + 1)..] : "latest";
        return !digest && tag is "latest" ? "Always" : "IfNotPresent";
    }
}
