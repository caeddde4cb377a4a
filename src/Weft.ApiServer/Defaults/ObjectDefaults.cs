// SPDX-License-Identifier: Apache-2.0

using System.Text;
using System.Text.Json.Nodes;
using Weft.ApiServer.Custom;
using Weft.ApiServer.Http;
using Weft.ApiServer.Resources;

namespace Weft.ApiServer.Defaults;

/// <summary>Fills in what users leave out, so that they read back what is in force.</summary>
internal static class ObjectDefaults
{
    public static void Apply(ResourceDefinition resource, JsonObject tree)
    {
        switch (resource.GroupResource)
        {
            case CustomKinds.Resource:
                DefinitionDefaults.Apply(tree);
                return;
            case "pods":
                Pod(tree);
                return;
            case "services":
                ServiceDefaults.Apply(tree);
                return;
            case "namespaces":
                Namespace(tree);
                return;
            case "secrets":
                Secret(tree);
                return;
            case "deployments.apps":
                Deployment(tree);
                return;
            case "replicasets.apps":
                ReplicaSet(tree);
                return;
            case "statefulsets.apps":
                StatefulSet(tree);
                return;
            case "daemonsets.apps":
                DaemonSet(tree);
                return;
            case "endpoints":
                Endpoints(tree);
                return;
            case "endpointslices.discovery.k8s.io":
                EndpointSlice(tree);
                return;
            case "jobs.batch":
                BatchDefaults.Job(tree);
                return;
            case "cronjobs.batch":
                BatchDefaults.CronJob(tree);
                return;
            case "horizontalpodautoscalers.autoscaling":
                BatchDefaults.Autoscaler(tree);
                return;
            default:
                ClusterDefaults.Apply(resource, tree);
                return;
        }
    }

    internal static void Missing(this JsonObject tree, string name, JsonNode value)
    {
        if (tree[name] is null)
        {
            tree[name] = value;
        }
    }

    private static void Pod(JsonObject tree)
    {
        var spec = tree.Child("spec");
        PodDefaults.Apply(spec);
        spec.Missing("serviceAccountName", "default");
        spec.Missing("serviceAccount", spec.Text("serviceAccountName")!);
        spec.Missing("enableServiceLinks", true);
        spec.Missing("priority", 0);
        spec.Missing("preemptionPolicy", "PreemptLowerPriority");
        PodDefaults.Tolerations(spec);
        var status = tree.Child("status");
        status.Missing("phase", "Pending");
        status.Missing("qosClass", PodDefaults.QualityClass(spec));
    }

    private static void Namespace(JsonObject tree)
    {
        var spec = tree.Child("spec");
        if (tree.At("metadata", "deletionTimestamp") is null)
        {
            spec.Missing("finalizers", new JsonArray("kubernetes"));
        }

        tree.Child("status").Missing("phase", "Active");
    }

    private static void Secret(JsonObject tree)
    {
        tree.Missing("type", "Opaque");
        if (tree["stringData"] is not JsonObject plain)
        {
            return;
        }

        var data = tree.Child("data");
        foreach (var (name, value) in plain)
        {
            data[name] = Convert.ToBase64String(Encoding.UTF8.GetBytes(value.Text() ?? ""));
        }

        tree.Remove("stringData");
    }

    private static void Deployment(JsonObject tree)
    {
        var spec = tree.Child("spec");
        spec.Missing("replicas", 1);
        spec.Missing("revisionHistoryLimit", 10);
        spec.Missing("progressDeadlineSeconds", 600);
        var strategy = spec.Child("strategy");
        strategy.Missing("type", "RollingUpdate");
        if (strategy.Text("type") is "RollingUpdate")
        {
            var rolling = strategy.Child("rollingUpdate");
            rolling.Missing("maxSurge", "25%");
            rolling.Missing("maxUnavailable", "25%");
        }

        Template(spec);
        tree.Child("status");
    }

    private static void ReplicaSet(JsonObject tree)
    {
        var spec = tree.Child("spec");
        spec.Missing("replicas", 1);
        Template(spec);
        tree.Child("status").Missing("replicas", 0);
    }

    private static void StatefulSet(JsonObject tree)
    {
        var spec = tree.Child("spec");
        spec.Missing("replicas", 1);
        spec.Missing("revisionHistoryLimit", 10);
        spec.Missing("podManagementPolicy", "OrderedReady");
        var strategy = spec.Child("updateStrategy");
        strategy.Missing("type", "RollingUpdate");
        if (strategy.Text("type") is "RollingUpdate")
        {
            strategy.Child("rollingUpdate").Missing("partition", 0);
        }

        Template(spec);
        tree.Child("status").Missing("replicas", 0);
    }

    private static void DaemonSet(JsonObject tree)
    {
        var spec = tree.Child("spec");
        spec.Missing("revisionHistoryLimit", 10);
        var strategy = spec.Child("updateStrategy");
        strategy.Missing("type", "RollingUpdate");
        if (strategy.Text("type") is "RollingUpdate")
        {
            var rolling = strategy.Child("rollingUpdate");
            rolling.Missing("maxSurge", 0);
            rolling.Missing("maxUnavailable", 1);
        }

        Template(spec);
        var status = tree.Child("status");
        foreach (var count in new[] { "currentNumberScheduled", "desiredNumberScheduled", "numberMisscheduled", "numberReady" })
        {
            status.Missing(count, 0);
        }
    }

    internal static void Template(JsonObject spec)
    {
        var template = spec.Child("template");
        template.Child("metadata");
        PodDefaults.Apply(template.Child("spec"));
    }

    private static void Endpoints(JsonObject tree)
    {
        foreach (var port in tree["subsets"].Items().SelectMany(subset => subset["ports"].Items()))
        {
            port.Missing("protocol", "TCP");
        }
    }

    private static void EndpointSlice(JsonObject tree)
    {
        tree.Missing("ports", new JsonArray());
        tree.Missing("endpoints", new JsonArray());
        foreach (var port in tree["ports"].Items())
        {
            port.Missing("name", "");
            port.Missing("protocol", "TCP");
        }
    }
}
