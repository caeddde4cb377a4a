// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Storage;
using Weft.Kubernetes;

namespace Weft.ApiServer.Admission;

/// <summary>What resource quotas count, and whether one more object fits.</summary>
internal sealed class Quotas(ObjectStore store)
{
    public const string Resource = "resourcequotas";

    private static readonly string[] _counted =
        ["pods", "services", "secrets", "configmaps", "persistentvolumeclaims", "resourcequotas", "replicationcontrollers"];

    public bool Any(string ns) => ns.Length > 0 && Of(ns).Any();

    /// <summary>Refuses a new object that would exceed a quota of its namespace, or does not say what it needs.</summary>
    public void Check(ApiRequest request, JsonObject tree)
    {
        var resource = request.Resource.GroupResource;
        foreach (var (name, spec) in Of(request.Namespace))
        {
            if (resource is "pods" && !InScope(spec, tree))
            {
                continue;
            }

            var exceeded = new List<(string Name, string Asked, string Used, string Hard)>();
            foreach (var (key, limit) in (spec["hard"] as JsonObject ?? []).OrderBy(pair => pair.Key, StringComparer.Ordinal))
            {
                RequireStated(request, tree, name, key);
                var asked = Charge(key, resource, tree);
                if (asked <= 0)
                {
                    continue;
                }

                var used = Used(request.Namespace, spec, key);
                if (used + asked > (Quantity.Parse(limit) ?? 0))
                {
                    var like = limit.Text() ?? "";
                    exceeded.Add((key, Quantity.Format(asked, like), Quantity.Format(used, like), like));
                }
            }

            if (exceeded.Count > 0)
            {
                throw ApiException.Forbidden(
                    request.Resource,
                    tree.At("metadata", "name").Text() ?? "",
                    $"exceeded quota: {name}, requested: {Show(item => item.Asked)}, used: {Show(item => item.Used)}, limited: {Show(item => item.Hard)}");
            }

            string Show(Func<(string Name, string Asked, string Used, string Hard), string> value) =>
                string.Join(',', exceeded.Select(item => $"{item.Name}={value(item)}"));
        }
    }

    /// <summary>The status of a quota as it is now.</summary>
    public JsonObject Status(string ns, JsonObject quota)
    {
        var spec = quota["spec"] as JsonObject ?? [];
        var hard = spec["hard"] as JsonObject ?? [];
        return new JsonObject
        {
            ["hard"] = hard.DeepClone(),
            ["used"] = new JsonObject(hard.Select(pair => KeyValuePair.Create(
                pair.Key, (JsonNode?)JsonValue.Create(Quantity.Format(Used(ns, spec, pair.Key), pair.Value.Text() ?? ""))))),
        };
    }

    private IEnumerable<(string Name, JsonObject Spec)> Of(string ns) => store.Snapshot(Resource).Objects.Values
        .Where(item => item.Key.Namespace == ns).Select(item => (item.Key.Name, item.Parse()["spec"] as JsonObject ?? []));

    private decimal Used(string ns, JsonObject spec, string key)
    {
        var resource = CountedBy(key);
        return store.Snapshot(resource).Objects.Values.Where(item => item.Key.Namespace == ns).Select(item => item.Parse())
            .Where(tree => resource is not "pods" || InScope(spec, tree)).Sum(tree => Charge(key, resource, tree));
    }

    private static string CountedBy(string key) => key switch
    {
        _ when key.StartsWith("count/", StringComparison.Ordinal) => key[6..],
        _ when key.StartsWith("services.", StringComparison.Ordinal) => "services",
        "requests.storage" => "persistentvolumeclaims",
        _ when _counted.Contains(key, StringComparer.Ordinal) => key,
        _ => "pods",
    };

    private static decimal Charge(string key, string resource, JsonObject tree)
    {
        if (CountedBy(key) != resource)
        {
            return 0;
        }

        if (resource is "pods" && !key.StartsWith("count/", StringComparison.Ordinal) && tree.At("status", "phase").Text() is "Succeeded" or "Failed")
        {
            return 0;
        }

        return key switch
        {
            "services.nodeports" => tree.At("spec", "type").Text() is "NodePort" or "LoadBalancer" ? tree.At("spec", "ports").Items().Count() : 0,
            "services.loadbalancers" => tree.At("spec", "type").Text() is "LoadBalancer" ? 1 : 0,
            "requests.storage" => Quantity.Parse(tree.At("spec", "resources", "requests", "storage")) ?? 0,
            _ when key == resource || key.StartsWith("count/", StringComparison.Ordinal) => 1,
            _ => PodSum(tree, key),
        };
    }

    private static decimal PodSum(JsonObject pod, string key)
    {
        var (field, name) = Requirement(key);
        decimal Of(JsonObject container) => Quantity.Parse(container.At("resources", field, name)) ?? 0;
        var together = pod.At("spec", "containers").Items().Sum(Of);
        var before = pod.At("spec", "initContainers").Items().Select(Of).DefaultIfEmpty().Max();
        return Math.Max(together, before);
    }

    private static (string Field, string Name) Requirement(string key) => key.Split('.', 2) switch
    {
        ["limits", var name] => ("limits", name),
        ["requests", var name] => ("requests", name),
        _ => ("requests", key),
    };

    private static void RequireStated(ApiRequest request, JsonObject tree, string quota, string key)
    {
        if (request.Resource.GroupResource is not "pods" || CountedBy(key) is not "pods" || key is "pods" || key.StartsWith("count/", StringComparison.Ordinal))
        {
            return;
        }

        var (field, name) = Requirement(key);
        var silent = tree.At("spec", "containers").Items().Where(item => item.At("resources", field, name) is null)
            .Select(item => item.Text("name")).ToList();
        if (silent.Count > 0)
        {
            throw ApiException.Forbidden(
                request.Resource, tree.At("metadata", "name").Text() ?? "", $"failed quota: {quota}: must specify {key} for: {string.Join(',', silent)}");
        }
    }

    private static bool InScope(JsonObject spec, JsonObject pod)
    {
        var best = pod.At("status", "qosClass").Text() is "BestEffort";
        var ends = pod.At("spec", "activeDeadlineSeconds") is not null;
        return (spec["scopes"] as JsonArray ?? []).All(scope => scope.Text() switch
        {
            "BestEffort" => best,
            "NotBestEffort" => !best,
            "Terminating" => ends,
            "NotTerminating" => !ends,
            _ => false,
        });
    }
}
